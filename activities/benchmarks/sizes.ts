/**
 * How many problems the sets with a name have, as far as it is known before they are read. A test makes those that are
 * made here; DeepScaleR is counted with all of its levels.
 */
import type { Benchmark, DataSpec } from '../contracts.ts'

const tests: Readonly<Record<Benchmark, number>> = {
  nano: 320,
  arithmetic: 500,
  'math-500': 500,
  amc: 83,
  'aime-2024': 30,
  'aime-2025': 30,
}
const training = { nano: 1_600, arithmetic: 10_000, deepscaler: 39_808 } as const

/** Problems of a benchmark that are evaluated. */
export const evaluatedOf = (benchmark: Benchmark, limit = Infinity): number =>
  Math.min(limit, tests[benchmark])

/** Problems that `data` stands for, at most where a filter leaves fewer; null where only its file can tell. */
export function problemsOf({ name, split = 'train', only, limit }: DataSpec): number | null {
  const bounds = [name === undefined ? null : sizeOf(name, split, limit), only?.length, limit]
  const known = bounds.filter((bound) => typeof bound === 'number')
  return known.length === 0 ? null : Math.min(...known)
}

function sizeOf(
  name: NonNullable<DataSpec['name']>,
  split: 'train' | 'test',
  limit: number | undefined,
): number {
  if (name === 'deepscaler') return training.deepscaler
  if (split === 'test' || (name !== 'nano' && name !== 'arithmetic')) return tests[name]
  // The limit asks for more of those that are made.
  return name === 'arithmetic' ? (limit ?? training.arithmetic) : training.nano
}
