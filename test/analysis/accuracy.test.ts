import { expect, it } from 'vitest'
import type { Judged } from '../../activities/analysis/accuracy.ts'
import { accuracyOf } from '../../activities/analysis/accuracy.ts'
import { Accuracy } from '../../activities/contracts.ts'

const one = (problem: string, verdict: Judged['verdict'], code: boolean, tokens: number): Judged => ({
  problem,
  verdict,
  code,
  tokens,
  truncated: tokens === 9,
})
const at = { benchmark: 'nano', prompt: 'default' }

it('sums up two samples of three problems', () => {
  const { result, outcomes } = accuracyOf(
    [
      one('a', 'correct', true, 4),
      one('b', 'incorrect', false, 6),
      one('c', 'unparsed', false, 9),
      one('a', 'correct', true, 4),
      one('b', 'correct', true, 4),
      one('c', 'incorrect', true, 9),
    ],
    at,
  )
  expect(outcomes).toEqual([
    { problem: 'a', correct: 1, code: 1 },
    { problem: 'b', correct: 0.5, code: 0.5 },
    { problem: 'c', correct: 0, code: 0.5 },
  ])
  expect(Accuracy.parse(result)).toMatchObject({
    problems: 3,
    samples: 2,
    accuracy: 0.5, // (1 + .5 + 0) / 3
    unparsed: 1 / 6,
    truncated: 2 / 6,
    meanTokens: 6, // 36 / 6
    code: 4 / 6,
    accuracyInCode: 3 / 4,
    accuracyInLanguage: 0,
  })
  expect(result.low).toBeLessThan(0.5)
  expect(result.high).toBeGreaterThan(0.5)
})

it('has no accuracy in a strategy that nobody used', () => {
  expect(accuracyOf([one('a', 'correct', false, 1)], at).result).toMatchObject({
    accuracyInCode: null,
    accuracyInLanguage: 1,
  })
})

it('refuses nothing at all, and problems with a sample missing', () => {
  expect(() => accuracyOf([], at)).toThrow('expected completions for nano, found none')
  const uneven = [one('a', 'correct', true, 1), one('a', 'correct', true, 1), one('b', 'correct', true, 1)]
  expect(() => accuracyOf(uneven, at)).toThrow('expected 2 samples of every problem of nano, found 1 of b')
})
