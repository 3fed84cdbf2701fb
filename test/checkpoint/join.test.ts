import { expect, test } from 'vitest'
import { joined, type Place } from '../../activities/checkpoint/join.ts'
import { CorruptObject } from '../../activities/checkpoint/store.ts'

const options = { place: 'step 1', rows: ['rollout', 'reward'] } as const
const place = (problem: string, occurrence: number, sample: number): Place => ({
  problem,
  occurrence,
  sample,
})
/** Two problems, the first twice in the batch, four samples each. */
const places = [['p', 0], ['p', 1], ['q', 0]].flatMap(([problem, occurrence]) =>
  [0, 1, 2, 3].map((sample) => place(problem as string, occurrence as number, sample)),
) // prettier-ignore
const left = places.map((at, i) => ({ ...at, tokens: i }))
const right = places.map((at, i) => ({ ...at, value: i / 12 }))

test('rows are paired by place, in whatever order either table is', () => {
  const exchanged = [...right.slice(8), ...right.slice(0, 8).reverse()]
  const pairs = joined(left, exchanged, options)
  expect(pairs.map(([{ tokens }, { value }]) => [tokens, value])).toEqual(left.map((_, i) => [i, i / 12]))
  // By position, 12 of these 12 would be wrong.
  expect(exchanged.filter(({ value }, i) => value === i / 12).length).toBe(0)
})

test.each<[string, Place[], Place[], string]>([
  [
    'missing',
    left,
    right.slice(1),
    'problem p, occurrence 0, sample 0: expected a reward for the rollout, found none',
  ],
  [
    'left over',
    left.slice(0, 11),
    right,
    'problem q, occurrence 0, sample 3: expected no reward without a rollout, found one',
  ],
  [
    'doubled',
    left,
    [...right, right[5]!],
    'problem p, occurrence 1, sample 1: expected one reward, found two',
  ],
  [
    'doubled on the other side',
    [...left, left[5]!],
    right,
    'problem p, occurrence 1, sample 1: expected one rollout, found two',
  ],
  [
    'of another problem',
    left,
    right.map((row) => ({ ...row, problem: `${row.problem}!` })),
    'problem p, occurrence 0, sample 0: expected a reward for the rollout, found none',
  ],
  [
    'of another occurrence, as many as there should be',
    left,
    right.map((row) => ({ ...row, occurrence: row.occurrence + 1 })),
    'problem p, occurrence 0, sample 0: expected a reward',
  ],
])('a row that is %s is CorruptObject, and named', (_, a, b, message) => {
  expect(() => joined(a, b, options)).toThrow(CorruptObject)
  expect(() => joined(a, b, options)).toThrow(`step 1: ${message}`)
})

test('only where that is said may the right have more than the left', () => {
  expect(joined(left.slice(3, 5), right, { ...options, some: true }).map(([, { value }]) => value)).toEqual([
    3 / 12,
    4 / 12,
  ])
})
