import { expect, test } from 'vitest'
import type { Sequence } from '../../activities/engine/port.ts'
import { layOut } from '../../activities/policy/microbatch.ts'

const sequence = (group: string, prompt: number[], completion: number[]): Sequence => ({
  group,
  prompt,
  completion,
  logprobs: [],
  advantage: 0,
})

test('prompts once and without their last token, then rows that begin with it', () => {
  const a = [10, 11, 12]
  const batch = layOut(
    [
      sequence('a', a, [1, 2]),
      sequence('b', [20, 21], [3]),
      sequence('x', [1], [1]),
      sequence('a', a, [4, 5]),
    ],
    [0, 1, 3],
  )
  // U = 2 prompts of P = 2: [10 11] [20 -]; B = 3 rows of T = 2: [12 1] [21 -] [12 4]
  expect([...batch.tokens]).toEqual([10, 11, 20, 0, 12, 1, 21, 0, 12, 4])
  expect([...batch.feeds.positions.data]).toEqual([0, 1, 0, 0, 2, 3, 1, 0, 2, 3].map(BigInt))
  expect(batch.first).toEqual([4, 6, 8])
  expect(batch.lengths).toEqual([2, 1, 2])
  expect(batch.positions).toBe(4)
  expect([...batch.feeds.owner.data]).toEqual([1, 0, 0, 1, 1, 0])
  const seen = [...batch.feeds.mask.data].map((x) => (x === 0 ? 1 : 0))
  // each query's sight of [P P | T T]; prompt b has one token before its last
  expect(seen).toEqual(
    [
      [1, 1, 1, 0],
      [1, 1, 1, 1],
      [1, 0, 1, 0],
      [1, 0, 1, 1],
      [1, 1, 1, 0],
      [1, 1, 1, 1],
    ].flat(),
  )
  expect([...batch.feeds.causal.data].map((x) => (x === 0 ? 1 : 0))).toEqual([1, 0, 1, 1])
})

test('prompts of one token leave one masked place each', () => {
  const batch = layOut([sequence('a', [7], [1, 2])], [0])
  expect([...batch.tokens]).toEqual([0, 7, 1])
  expect([...batch.feeds.positions.data]).toEqual([0n, 0n, 1n])
  expect([...batch.feeds.mask.data].map((x) => (x === 0 ? 1 : 0))).toEqual([0, 1, 0, 0, 1, 1])
})
