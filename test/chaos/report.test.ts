import { describe, expect, it } from 'vitest'
import { costsOf } from '../../infra/chaos/cost.ts'
import { kinds, planOf } from '../../infra/chaos/plan.ts'
import { faultsOf, markdown, type Outcome } from '../../infra/chaos/report.ts'

const faults = planOf(7, 0.1) // one of each kind
const kept: Outcome = {
  seed: 7,
  minutes: 0.1,
  faults,
  disturbed: {
    strikes: faults.map(({ kind }) => ({ kind, atMs: 0, endMs: null, worker: null })),
    missed: [],
    sweeps: 2,
    seconds: 60,
    costs: costsOf([], [], [], () => undefined),
    unordered: 0,
    orphans: { before: 1, after: 0 },
    collected: { count: 0, sizeBytes: 0 },
    problems: [],
  },
  undisturbedSeconds: 20,
  comparison: {
    compared: { manifests: 3, metrics: 2, evaluations: 0, rollouts: 0, rewards: 0, blobs: 0, other: 0 },
    differences: [],
  },
}
const withDisturbed = (change: Partial<Outcome['disturbed']>) =>
  faultsOf({ ...kept, disturbed: { ...kept.disturbed, ...change } })

describe('the harness fails', () => {
  it('not when every promise held', () => expect(faultsOf(kept)).toEqual([]))

  it('when a planned fault did not strike', () => {
    const [, ...strikes] = kept.disturbed.strikes
    expect(withDisturbed({ strikes })).toEqual([`${faults[0]?.kind}: struck 0 times, planned 1`])
  })

  it('when one digest differs, and names at most twenty', () => {
    const differences = Array.from({ length: 30 }, (_, i) => ({ key: `k${i}`, how: 'different' as const }))
    const found = faultsOf({ ...kept, comparison: { ...kept.comparison, differences } })
    expect(found).toHaveLength(21)
    expect(found[0]).toBe('k0: different')
    expect(found.at(-1)).toBe('and 10 more objects that differ')
  })

  it('when one rollout was sampled again', () => {
    const { byKind } = kept.disturbed.costs
    const other = { activities: 1, rollouts: 1, seconds: 0 }
    const costs = { ...kept.disturbed.costs, byKind: { ...byKind, other } }
    expect(withDisturbed({ costs })).toEqual([
      '1 rollouts were sampled again although their table was stored',
    ])
  })

  it('when an upload is left after gc, or an object is not what its name says', () => {
    expect(withDisturbed({ orphans: { before: 2, after: 1 } })).toEqual([
      '1 orphaned uploads are left after gc',
    ])
    expect(withDisturbed({ problems: ['blobs/x: gone'] })).toEqual(['verify: blobs/x: gone'])
  })
})

it('prints how long work waited after its worker was gone, and what SIGTERM met', () => {
  const met = { strikes: 1, running: { step: 1, sample: 1 }, again: 1, seconds: 2.5 }
  const waits = { afterKill: [16, 21.25, 15.5], afterStop: [], met }
  const text = markdown({
    ...kept,
    disturbed: { ...kept.disturbed, costs: { ...kept.disturbed.costs, waits } },
  })
  expect(text).toMatch(/kill -9 of a compute worker +\| +3 \| 15\.5 s \| 16\.0 s \| 21\.3 s \| 20 s \|/)
  expect(text).toMatch(/told to stop +\| +0 \| +\| +\| +\| +5 s \|/)
  expect(text).toContain(
    'SIGTERM met work in 1 of 1 cases: 2 running activities (1 sample, 1 step), of which 1 were begun again, at a cost of 2.5 s',
  )
})

it('prints a row for every kind and their sum, all columns as wide as their widest cell', () => {
  const lines = markdown(kept).split('\n')
  const table = lines.slice(0, lines.indexOf(''))
  expect(new Set(table.map((line) => line.length)).size).toBe(1)
  expect(table.slice(2).map((line) => line.split('|')[1]?.trim())).toEqual([...kinds, '**all**'])
  expect(table.at(-1)).toMatch(/\*\*all\*\* +\| +13 \| +13 \| +0 \| +0 \| +0\.0 \|/)
  expect(lines.join('\n')).toContain('2 sweeps in 60 s, 20 s undisturbed (40 s lost)')
  expect(lines.join('\n')).toContain('Digests compared: 5 (3 manifests, 2 metrics); 0 differ.')
})
