import { describe, expect, it } from 'vitest'
import { drifts, type NightRuns } from '../../activities/analysis/drift.ts'
import type { Evaluation } from '../../activities/contracts.ts'
import { nightOf } from '../../activities/spec/series.ts'

const evaluations = new Map<string, Evaluation>()
/** A run that ended with these problems right, as 0 and 1. */
function ended(arm: string, seed: number, right: readonly number[], name = `${arm} ${seed} ${right.join('')}`) {
  const accuracy = right.reduce((a, b) => a + b) / right.length
  const outcomes = right.map((correct, i) => ({ problem: `p${i}`, correct, code: 0 }))
  const result = { benchmark: 'nano', prompt: 'plain', problems: right.length, samples: 1, accuracy, low: 0, high: 1 }
  evaluations.set(name, { result, outcomes } as unknown as Evaluation)
  const curve = [{ step: 5, benchmark: 'nano', accuracy: 0, low: 0, high: 0, code: 0, evaluation: name }]
  return { model: 'm', arm, seed, status: 'completed' as const, curve }
} // prettier-ignore

const first: NightRuns = {
  due: '2026-11-19T03:00:00Z',
  runs: [ended('truth', 1, [1, 1, 0, 0]), ended('truth', 2, [1, 0, 0, 0])],
}
const second: NightRuns = {
  due: '2026-11-20T03:00:00Z',
  runs: [ended('truth', 1, [1, 1, 0, 0]), ended('truth', 2, [1, 1, 1, 0])],
}

describe('drift', () => {
  it('is 0 and said to be the same where the nights ended in the very same evaluations', () => {
    const again = { ...first, due: second.due }
    expect(drifts([first, again], evaluations)).toEqual([
      {
        benchmark: 'nano',
        model: 'm',
        arm: 'truth',
        ends: [0.375, 0.375],
        since: {
          due: first.due,
          same: true,
          estimate: { value: 0, low: 0, high: 0, allows: 'seeds and problems' },
        },
      },
    ])
  })

  it('is the mean over seeds of the difference to the night before, paired by seed and problem', () => {
    // Seed 1: no problem differs. Seed 2: two of four problems more. (0 + 2/4) / 2 = 0.25.
    const [cell] = drifts([first, second], evaluations)
    expect(cell).toMatchObject({ ends: [0.375, 0.625], since: { due: first.due, same: false } })
    expect(cell?.since?.estimate.value).toBeCloseTo(0.25, 12)
    expect(cell?.since?.estimate.low).toBeLessThan(0.25)
  })

  it('looks back past nights that lack the cell, and has none where no night has it', () => {
    const gap: NightRuns = { due: '2026-11-20T03:00:00Z', runs: [] }
    const last: NightRuns = {
      due: '2026-11-21T03:00:00Z',
      runs: [ended('truth', 1, [1, 1, 1, 1]), ended('zero', 1, [0, 0, 0, 1])],
    }
    const cells = drifts([first, gap, last], evaluations)
    expect(cells.map(({ arm, ends, since }) => [arm, ends, since?.due ?? null])).toEqual([
      ['truth', [0.375, null, 1], first.due],
      ['zero', [null, null, 0.25], null],
    ])
  })

  it('does not count a run that failed', () => {
    const failed = { ...second, runs: second.runs.map((run) => ({ ...run, status: 'failed' as const })) }
    expect(drifts([first, failed], evaluations)).toMatchObject([{ ends: [0.375, null], since: null }])
  })
})

it.each([
  ['nightly-2026-11-21T03:00:00Z', { series: 'nightly', due: '2026-11-21T03:00:00Z' }],
  ['nightly-a-2026-11-21T03:00:00Z', { series: 'nightly-a', due: '2026-11-21T03:00:00Z' }],
  ['nightly', null],
  ['-2026-11-21T03:00:00Z', null],
  ['nightly-2026-11-21', null],
])('the sweep %s is the night %j', (id, night) => expect(nightOf(id)).toEqual(night))
