/** From a sweep to its runs: models x arms x seeds, with the control arms that cannot teach anything. */
import type { ResolvedTrain, SweepSpec, TrainSpec } from '../contracts.ts'
import { overlay, resolveTrain } from './resolve.ts'

/** Arms that a trial needs: no training at all, and rewards without information about the answer. */
const controlArms: Record<string, TrainSpec> = {
  null: { steps: 0 },
  format: { reward: 'format' },
  random: { reward: { random: 0.5 } },
}

export function controls(sweep: SweepSpec): SweepSpec {
  return { ...sweep, arms: { ...controlArms, ...sweep.arms } }
}

export interface PlannedRun {
  readonly run: string
  readonly model: string
  readonly arm: string
  readonly seed: number
  readonly spec: ResolvedTrain
}

/** Seeds outermost, so that every arm has its first seed before any has its second: an early look compares like with like. */
export function plan(sweepId: string, sweep: SweepSpec): PlannedRun[] {
  return sweep.seeds.flatMap((seed) =>
    sweep.models.flatMap((model) =>
      Object.entries(sweep.arms).map(([arm, given]) => {
        // The null arm learns nothing, so its reward does not matter; a spec must have one all the same.
        const own = { model, seed, reward: given.reward ?? sweep.base.reward ?? 'ground-truth' }
        const spec = resolveTrain(overlay(overlay(sweep.base, given), own))
        return { run: `${sweepId}:${nameOf(model)}:${arm}:${seed}`, model, arm, seed, spec }
      }),
    ),
  )
}

/** A model's name as a part of an id: no slashes, no scheme. */
function nameOf(model: string): string {
  return model
    .replace(/^[a-z0-9]+:\/+/, '')
    .replace(/[^A-Za-z0-9._@-]+/g, '-')
    .replace(/^-+|-+$/g, '')
}
