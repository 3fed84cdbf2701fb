/**
 * What is said of numbers that are not finite: which tensor, how many of it, where the first stands. Looked for only
 * once the kernel or a log-probability has shown that there are some, so it may take its time.
 */
import type { MinibatchSums } from '../engine/port.ts'
import type { Moments } from './optimize.ts'
import type { Parameters } from './parameters.ts'

/** Of the first tensor, in the order of names, that has any; of its weights before its moments. Null: all are finite. */
export function nonFiniteState({ data, places }: Parameters, { m, v }: Moments): string | null {
  for (const { name, start, end } of places.values())
    for (const [kind, all] of [
      ['weights', data],
      ['m', m],
      ['v', v],
    ] as const) {
      // prettier-ignore
      const values = all.subarray(start, end)
      const first = values.findIndex((x) => !Number.isFinite(x))
      if (first < 0) continue
      const many = values.reduce((n, x) => n + (Number.isFinite(x) ? 0 : 1), 0)
      return `${kind} of ${name}: ${many} of ${values.length} values, the first at index ${first} is ${values[first]}`
    }
  return null
}

/** The first of a minibatch's sums that is not finite, `kl Infinity`; null: all are. */
export function nonFiniteSum(sums: MinibatchSums): string | null {
  for (const [name, value] of Object.entries(sums) as [string, number | readonly number[]][])
    for (const one of typeof value === 'number' ? [value] : value)
      if (!Number.isFinite(one)) return `${name} ${one}`
  return null
}
