import { expect, it } from 'vitest'
import type { Scored } from '../../activities/contracts.ts'
import { compareScores } from '../../activities/rewards/index.ts'

const row = (sample: number, value: number, components: Record<string, number> = {}): Scored => ({
  problem: 'p', occurrence: 0, sample, value, verdict: 'none', reason: '', components,
}) // prettier-ignore

it('matches rollouts by their place, not by their order', () => {
  const scored = [row(0, 1, { a: 1, b: 0 }), row(1, 0, { a: 1, b: 1 }), row(3, 1, { a: 0, b: 1 })]
  const trained = [row(3, 1), row(2, 1), row(1, 1), row(0, 1)]
  expect(compareScores(scored, trained)).toEqual({
    rollouts: 3,
    mean: 2 / 3,
    trainedMean: 1, // of the three only
    agreement: 2 / 3,
    components: { a: 2 / 3, b: 2 / 3 },
  })
})

it('has no mean of nothing, and refuses a rollout that nobody else has scored', () => {
  expect(compareScores([], [row(0, 1)])).toEqual({
    rollouts: 0,
    mean: null,
    trainedMean: null,
    agreement: null,
    components: {},
  })
  expect(() => compareScores([row(1, 0)], [row(0, 1)])).toThrow(
    'problem p, occurrence 0, sample 1: expected a reward for the new reward, found none',
  )
})
