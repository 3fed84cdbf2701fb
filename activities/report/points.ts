/** The runs of a sweep as flat rows: one an evaluated step and benchmark, and one of a run that has none. */
import type { RunResult } from '../contracts.ts'

export const pointColumns = [
  'model',
  'arm',
  'seed',
  'run',
  'status',
  'failure',
  'stopped',
  'step',
  'benchmark',
  'accuracy',
  'low',
  'high',
  'code',
  'evaluation',
] as const

type Row = { readonly [Name in (typeof pointColumns)[number]]?: string | number | undefined }

/** In the order of the runs, then of steps and benchmarks. Shares in 0..1. */
export function pointsOf(runs: readonly RunResult[]): Row[] {
  return runs.flatMap(({ curve, metrics: _metrics, deviceSeconds: _cost, ...own }) => {
    const points = [...curve].sort((a, b) => a.step - b.step || (a.benchmark < b.benchmark ? -1 : 1))
    return points.length === 0 ? [own] : points.map((point) => ({ ...own, ...point }))
  })
}
