import { describe, expect, it } from 'vitest'
import { armsInOrder, effects } from '../../activities/analysis/effects.ts'
import { accuracyInterval, crossedInterval } from '../../activities/analysis/intervals.ts'
import type { Evaluation, RunResult } from '../../activities/contracts.ts'

/** Each problem's outcome at the start and, seed by seed, at the end of an arm. */
const outcomes: Readonly<Record<string, readonly number[]>> = {
  start: [1, 0, 0, 0],
  'true 1': [1, 1, 1, 0],
  'true 2': [1, 1, 0, 1],
  'true 3': [1, 1, 1, 1],
  'random 1': [1, 0, 1, 0],
  'random 2': [0, 0, 0, 1],
  'random 3': [1, 1, 0, 0],
}
const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
const evaluations = new Map(
  Object.entries(outcomes).map(([key, correct]): [string, Evaluation] => [
    key,
    {
      format: 1,
      policy: 'ab'.repeat(32),
      completions: key,
      grader: 'exact-1',
      result: {
        benchmark: 'nano',
        prompt: 'default',
        problems: 4,
        samples: 1,
        accuracy: average(correct),
        low: 0,
        high: 1,
        unparsed: 0,
        truncated: 0,
        meanTokens: 1,
        code: 0,
        accuracyInCode: null,
        accuracyInLanguage: null,
      },
      outcomes: correct.map((value, i) => ({ problem: `p${i}`, correct: value, code: 0 })),
    },
  ]),
)
const point = (step: number, key: string, code: number) => ({
  step,
  benchmark: 'nano',
  accuracy: average(outcomes[key] ?? []),
  low: 0.1,
  high: 0.9,
  code,
  evaluation: key,
})
const run = (
  arm: string,
  seed: number,
  curve: RunResult['curve'],
  more: Partial<RunResult> = {},
): RunResult => ({
  model: 'nano/coder',
  arm,
  seed,
  run: `r-${arm}-${seed}`,
  status: 'completed',
  curve,
  metrics: [],
  deviceSeconds: 1,
  ...more,
})
const trained = (arm: string, seed: number) =>
  run(arm, seed, [point(0, 'start', 0.5), point(9, `${arm} ${seed}`, 0.9)])
const sweep = [
  ...[1, 2, 3].map((seed) => trained('true', seed)),
  ...[1, 2, 3].map((seed) => trained('random', seed)),
  ...[1, 2, 3].map((seed) => run('null', seed, [point(0, 'start', 0.5)])),
]
const rowOf = (
  runs: readonly RunResult[],
  arm: string,
  given: ReadonlyMap<string, Evaluation> = evaluations,
) => {
  const row = effects(runs, given).rows.find((candidate) => candidate.arm === arm)
  if (row === undefined) throw new Error(`no row ${arm}`)
  return row
}

describe('the table of effects', () => {
  it('takes differences by seed and by problem', () => {
    const row = rowOf(sweep, 'true')
    expect(row.overNull).toEqual(crossedInterval([[0, 1, 1, 0], [0, 1, 0, 1], [0, 1, 1, 1]])) // prettier-ignore
    expect(row.overNull?.value).toBeCloseTo(7 / 12, 12)
    expect(row.overRandom).toEqual(crossedInterval([[0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]])) // prettier-ignore
    expect(row.overRandom?.value).toBeCloseTo(5 / 12, 12)
    expect(row.gain).toEqual(row.overNull) // the null arm is the start
    expect(row).toMatchObject({ seeds: [1, 2, 3], steps: 9, codeStart: 0.5, codeEnd: 0.9 })
  })

  it('counts an evaluation that all seeds share once', () => {
    const row = rowOf(sweep, 'null')
    expect(row.end).toEqual(accuracyInterval([1, 0, 0, 0], 1))
    expect(row).toMatchObject({ gain: null, overNull: null, overRandom: null })
  })

  it('does not compare random with itself', () => {
    expect(rowOf(sweep, 'random').overRandom).toBeNull()
    expect(rowOf(sweep, 'random').overNull).not.toBeNull()
  })

  it('lists a failed run and averages the others', () => {
    const broken = sweep.map((one) =>
      one.run === 'r-true-2'
        ? {
            ...one,
            status: 'failed' as const,
            failure: 'NonFiniteLoss',
            metrics: [{ step: 4, metrics: { reward: 1 } }],
          }
        : one,
    )
    const { rows, failures } = effects(broken, evaluations)
    const row = rows.find(({ arm }) => arm === 'true')
    expect(row).toMatchObject({ seeds: [1, 3], failedSeeds: [2] })
    expect(row?.end?.value).toBeCloseTo((0.75 + 1) / 2, 12)
    expect(failures).toEqual([
      { model: 'nano/coder', arm: 'true', seed: 2, run: 'r-true-2', step: 4, failure: 'NonFiniteLoss' },
    ])
  })

  it('keeps the row of an arm whose every run failed', () => {
    const row = rowOf(
      sweep.map((one) => (one.arm === 'true' ? { ...one, status: 'failed' as const } : one)),
      'true',
    )
    expect(row).toMatchObject({ seeds: [], failedSeeds: [1, 2, 3], end: null, gain: null, overNull: null })
  })

  it('pairs only seeds that both arms have', () => {
    const row = rowOf(
      sweep.filter(({ run: id }) => id !== 'r-random-3'),
      'true',
    )
    expect(row.overRandom).toEqual(crossedInterval([[0, 1, 0, 0], [1, 1, 0, 0]])) // prettier-ignore
    expect(row.seeds).toEqual([1, 2, 3])
  })

  it('allows for seeds alone without the problems’ outcomes, and says so', () => {
    const row = rowOf(sweep, 'true', new Map())
    // .75 - .25, .75 - .25, 1 - .25
    expect(row.overNull?.value).toBeCloseTo((0.5 + 0.5 + 0.75) / 3, 12)
    expect(row.overNull?.allows).toBe('seeds')
    expect(row.start).toEqual({ value: 0.25, low: 0.1, high: 0.9, allows: 'problems' })
  })

  it('has no difference without a control, and no interval for one seed without outcomes', () => {
    const alone = [trained('true', 1)]
    expect(rowOf(alone, 'true').overNull).toBeNull()
    expect(rowOf(alone, 'true', new Map()).gain).toMatchObject({ value: 0.5, low: null, high: null })
  })

  it('refuses two runs for one place in the table', () => {
    expect(() => effects([trained('true', 1), { ...trained('true', 1), run: 'again' }])).toThrow(
      'found r-true-1 and again',
    )
  })
})

it('puts treatments first and controls last', () => {
  expect(armsInOrder(['null', 'random', 'format', 'mine', 'ground-truth', 'a', 'null'])).toEqual([
    'ground-truth',
    'a',
    'mine',
    'format',
    'random',
    'null',
  ])
})
