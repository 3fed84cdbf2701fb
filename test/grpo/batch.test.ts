import { expect, test } from 'vitest'
import type { Sequence } from '../../activities/engine/port.ts'
import { microbatches, minibatches, paddedTokens } from '../../activities/grpo/batch.ts'

function sequence(group: string, prompt: number, completion: number): Sequence {
  const tokens = (n: number) => Array.from({ length: n }, (_, i) => i)
  return {
    group,
    prompt: tokens(prompt),
    completion: tokens(completion),
    logprobs: tokens(completion),
    advantage: 0,
  }
}

test('minibatches are a shuffle cut into runs: everything once, the last one shorter', () => {
  const all = Array.from({ length: 10 }, (_, i) => i)
  const cut = minibatches(all, 4, { seed: 1, step: 1 })
  expect(cut.map((c) => c.length)).toEqual([4, 4, 2])
  expect(cut.flat().sort((a, b) => a - b)).toEqual(all)
  expect(cut.flat()).not.toEqual(all)
})

test('the shuffle is a function of seed and step', () => {
  const all = Array.from({ length: 50 }, (_, i) => i)
  const at = (seed: number, step: number) => minibatches(all, 50, { seed, step })[0]
  expect(at(1, 1)).toEqual(at(1, 1))
  expect(at(1, 2)).not.toEqual(at(1, 1))
  expect(at(2, 1)).not.toEqual(at(1, 1))
})

test('padded tokens: each prompt once without its last token, each row to the longest', () => {
  // two prompts padded to 5 - 1 = 4, three rows padded to 6: 2·4 + 3·6
  const rows = [sequence('a', 5, 2), sequence('a', 5, 6), sequence('b', 3, 1)]
  expect(paddedTokens(rows)).toBe(26)
  // a prompt of one token still costs its masked place
  expect(paddedTokens([sequence('a', 1, 3)])).toBe(4)
})

test('micro-batches hold every sequence once, none above the budget', () => {
  const rows = Array.from({ length: 40 }, (_, i) => sequence(`${i % 7}`, 3 + (i % 7), 1 + ((i * 13) % 29)))
  const cut = microbatches(rows, 100)
  expect(cut.flat().sort((a, b) => a - b)).toEqual(rows.map((_, i) => i))
  for (const places of cut) expect(paddedTokens(places.map((i) => rows[i]!))).toBeLessThanOrEqual(100)
})

test('a sequence above the budget is a micro-batch of its own', () => {
  const cut = microbatches([sequence('a', 9, 50), sequence('a', 9, 2)], 20)
  expect(cut).toEqual([[0], [1]])
})

test('long prompts keep their rows together, short ones leave the order to the lengths', () => {
  const lengths = [10, 2, 10, 2]
  const rows = (prompt: number) => lengths.map((n, i) => sequence(i < 2 ? 'a' : 'b', prompt, n))
  // 40 tokens of prompt: together 2·(40 + 2·10), by length 2·(80 + ...): the prompt decides
  expect(microbatches(rows(41), 60)).toEqual([
    [0, 1],
    [2, 3],
  ])
  // one token of prompt: by length 22 + 6 tokens with padding, by prompt 21 + 21
  expect(microbatches(rows(2), 22)).toEqual([
    [0, 2],
    [1, 3],
  ])
})
