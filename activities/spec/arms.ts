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

/** A cell of the sweep: one run. */
export interface PlannedCell {
  readonly run: string
  readonly model: string
  readonly arm: string
  readonly seed: number
}

/** Seeds outermost, so that every arm has its first seed before any has its second: an early look compares like with like. */
export function cellsOf(sweepId: string, { seeds, models, arms }: SweepSpec): PlannedCell[] {
  return seeds.flatMap((seed) =>
    models.flatMap((model) =>
      Object.keys(arms).map((arm) => ({
        run: `${sweepId}:${nameOf(model)}:${arm}:${seed}`,
        model,
        arm,
        seed,
      })),
    ),
  )
}

export function specOf({ base, arms }: SweepSpec, { model, arm, seed }: PlannedCell): ResolvedTrain {
  const given = arms[arm] ?? {}
  // The null arm learns nothing, so its reward does not matter; a spec must have one all the same.
  const own = { model, seed, reward: given.reward ?? base.reward ?? 'ground-truth' }
  return resolveTrain(overlay(overlay(base, given), own))
}

/** A model's name as a part of an id: no slashes, no scheme. */
function nameOf(model: string): string {
  return model
    .replace(/^[a-z0-9]+:\/+/, '')
    .replace(/[^A-Za-z0-9._@-]+/g, '-')
    .replace(/^-+|-+$/g, '')
}
