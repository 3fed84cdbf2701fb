import { expect, it } from 'vitest'
import type { Scored } from '../../activities/contracts.ts'
import { correlationOver } from '../../activities/contracts/correlation.ts'
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

it('has a correlation where a reward gives more than 0 and 1, and no share of equal values', () => {
  const scored = [row(0, 0.1), row(1, 0.2), row(2, 0.6)]
  const trained = [row(0, 0), row(1, 0), row(2, 1)]
  // Deviations -0.2, -0.1, 0.3 and -1/3, -1/3, 2/3: products sum to 0.3, squares to 0.14 and 2/3.
  const { agreement, correlation } = compareScores(scored, trained)
  expect(agreement).toBeNull()
  expect(correlation).toBeCloseTo(0.3 / Math.sqrt(0.14 * (2 / 3)), 12)
  const shifted = compareScores(
    scored.map((one) => ({ ...one, value: 5 - 2 * one.value })),
    trained,
  )
  expect(shifted.correlation).toBeCloseTo(-(correlation ?? NaN), 12)
})

it('has no number where one side is constant, however its mean is rounded', () => {
  const constant = Array.from({ length: 10 }, (_, sample) => row(sample, 0.1))
  const trained = Array.from({ length: 10 }, (_, sample) => row(sample, sample % 2))
  const compared = compareScores(constant, trained)
  expect(compared).toMatchObject({ mean: 0.1, trainedMean: 0.5, agreement: null, correlation: null })
  expect(correlationOver([{ ...compared }, { ...compared, rollouts: 7 }])).toBeNull()
})

it('over several steps is that of all their rollouts, steps of 0 and 1 among them', () => {
  const [first, second] = [
    [0.5, 1, 0, 0.25],
    [1, 0, 1, 1],
  ] as const
  const [trainedFirst, trainedSecond] = [
    [1, 1, 0, 0],
    [1, 0, 0, 1],
  ] as const
  const rows = (values: readonly number[], from = 0) => values.map((value, i) => row(from + i, value))
  const parts = [
    compareScores(rows(first), rows(trainedFirst)),
    compareScores(rows(second), rows(trainedSecond)),
  ]
  expect(parts[1]).toMatchObject({ agreement: 0.75 })
  expect(parts[1]).not.toHaveProperty('correlation')
  const all = compareScores(
    [...rows(first), ...rows(second, 4)],
    [...rows(trainedFirst), ...rows(trainedSecond, 4)],
  )
  expect(correlationOver(parts)).toBeCloseTo(all.correlation ?? NaN, 12)
})
