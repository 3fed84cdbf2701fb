import { describe, expect, it } from 'vitest'
import { drawsOverSeeds } from '../../activities/analysis/draws.ts'
import type { Evaluation } from '../../activities/contracts.ts'

type Outcome = Evaluation['outcomes'][number]
const evaluation = (samples: number, outcomes: readonly Omit<Outcome, 'code'>[]): Evaluation =>
  ({ result: { samples }, outcomes: outcomes.map((one) => ({ ...one, code: 0 })) }) as unknown as Evaluation

// Two problems of four samples: one of four is correct, and three of four.
const one = evaluation(4, [
  { problem: 'a', correct: 0.25, majority: 0 },
  { problem: 'b', correct: 0.75, majority: 1 },
])
const none = evaluation(4, [
  { problem: 'b', correct: 0, majority: 0 },
  { problem: 'a', correct: 0, majority: 0 },
])

describe('what several samples say of an arm', () => {
  it('is the chance of one, of any and of most, mean over seeds and problems', () => {
    const values = ({ average, pass, majority }: NonNullable<ReturnType<typeof drawsOverSeeds>>) =>
      [average, pass, majority].map((estimate) => estimate?.value)
    expect(values(drawsOverSeeds([one])!)).toEqual([0.5, 1, 0.5])
    expect(values(drawsOverSeeds([one, none])!)).toEqual([0.25, 0.5, 0.25])
    expect(drawsOverSeeds([one, none])!.average.allows).toBe('seeds and problems')
  })

  it('is nothing for one sample, for no seed, and for seeds that were asked other things', () => {
    expect(drawsOverSeeds([evaluation(1, [{ problem: 'a', correct: 1, majority: 1 }])])).toBeNull()
    expect(drawsOverSeeds([])).toBeNull()
    expect(drawsOverSeeds([one, evaluation(2, [{ problem: 'a', correct: 1, majority: 1 }])])).toBeNull()
    expect(drawsOverSeeds([one, evaluation(4, [{ problem: 'c', correct: 1, majority: 1 }])])).toBeNull()
  })

  it('says nothing of majorities where a result of before they were noted takes part', () => {
    const old = evaluation(4, [
      { problem: 'a', correct: 1 },
      { problem: 'b', correct: 1 },
    ])
    const { pass, majority } = drawsOverSeeds([one, old])!
    expect([pass.value, majority]).toEqual([1, null])
  })
})
