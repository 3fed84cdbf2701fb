import { expect, it } from 'vitest'
import type { Judged } from '../../activities/analysis/accuracy.ts'
import { accuracyOf, passAt } from '../../activities/analysis/accuracy.ts'
import { Accuracy } from '../../activities/contracts.ts'

const one = (problem: string, verdict: Judged['verdict'], code: boolean, tokens: number): Judged => ({
  problem,
  verdict,
  code,
  tokens,
  truncated: tokens === 9,
  answer: verdict === 'correct' ? '1' : verdict === 'incorrect' ? '2' : null,
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
    { problem: 'a', correct: 1, code: 1, majority: 1 },
    { problem: 'b', correct: 0.5, code: 0.5, majority: 0 },
    { problem: 'c', correct: 0, code: 0.5, majority: 0 },
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

it('has pass@k and maj@k from the same samples, worked by hand', () => {
  const of = (problem: string, verdicts: Judged['verdict'][]) =>
    verdicts.map((verdict) => one(problem, verdict, false, 1))
  const { result } = accuracyOf(
    [
      ...of('a', ['correct', 'incorrect', 'incorrect', 'correct']), // 2 of 4; a tie, and the correct one came first
      ...of('b', ['incorrect', 'correct', 'incorrect', 'incorrect']), // 1 of 4
      ...of('c', ['unparsed', 'correct', 'unparsed', 'unparsed']), // 1 of 4, and the only vote
    ],
    at,
  )
  // pass@1: 2/4, 1/4, 1/4. pass@2: 1 - C(2,2)/C(4,2) = 5/6, 1 - C(3,2)/C(4,2) = 1/2, 1/2. pass@4: 1, 1, 1.
  expect(result.passAt?.['1']?.value).toBeCloseTo(result.accuracy, 12)
  expect(result.passAt?.['2']?.value).toBeCloseTo((5 / 6 + 1 / 2 + 1 / 2) / 3, 12)
  expect(result.passAt?.['4']?.value).toBe(1)
  expect(Object.keys(result.passAt ?? {})).toEqual(['1', '2', '4'])
  expect(result.majAt?.['4']?.value).toBeCloseTo(2 / 3, 12)
})

it.each([1, 2, 3, 5, 6])('draws %i of 6 samples as often right as all subsets of that size are', (k) => {
  for (let c = 0; c <= 6; c++) {
    let [subsets, right] = [0, 0]
    for (let set = 0; set < 2 ** 6; set++) {
      const chosen = Array.from({ length: 6 }, (_, i) => i).filter((i) => set & (1 << i))
      if (chosen.length !== k) continue
      subsets += 1
      if (chosen.some((i) => i < c)) right += 1 // the first c samples are the correct ones
    }
    expect(passAt(6, c, k)).toBeCloseTo(right / subsets, 12)
  }
})

it('draws from many samples without overflow, and never more than there are', () => {
  expect(passAt(4096, 1, 2048)).toBeCloseTo(0.5, 10) // the one is in half of all halves
  expect(() => passAt(4, 1, 5)).toThrow('expected 1 <= k <= n and 0 <= c <= n, found n 4, c 1, k 5')
})
