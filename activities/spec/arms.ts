/** From a sweep to its runs: models x arms x seeds, with the control arms that cannot teach anything. */
import { RunId, SweepSpec, type Cell, type ResolvedTrain, type TrainSpec } from '../contracts.ts'
import { most } from '../contracts/limits.ts'
import { didYouMean } from '../contracts/nearest.ts'
import { utf8Bytes } from '../contracts/shape.ts'
import { InvalidSpec, overlay, parseSpec, resolveTrain, tagsIn, type Tagged } from './resolve.ts'

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

/** Throws InvalidSpec, naming the arm. */
export function specOf({ base, arms }: SweepSpec, { model, arm, seed }: PlannedCell): ResolvedTrain {
  const given = arms[arm] ?? {}
  // The null arm learns nothing, so its reward does not matter; a spec must have one all the same.
  const own = { model, seed, reward: given.reward ?? base.reward ?? 'ground-truth' }
  try {
    return resolveTrain(overlay(overlay(base, given), own))
  } catch (error) {
    if (error instanceof InvalidSpec) throw new InvalidSpec(`sweep spec: arms.${arm}: ${error.message}`)
    throw error
  }
}

/** The sweep's tags beside those of the run's arm, or of the base where the arm has none. */
export function tagsOfCell({ tags = [], base, arms }: SweepSpec, { arm }: PlannedCell): Tagged {
  const all = new Set([...tags, ...(arms[arm]?.tags ?? base.tags ?? [])])
  return all.size === 0 ? {} : tagsIn({ tags: [...all] })
}

/** A sweep with its control arms, and its runs. Throws InvalidSpec. */
export function openSweep(spec: unknown, sweep: string): { given: SweepSpec; cells: PlannedCell[] } {
  const parsed = parseSpec(SweepSpec, spec, 'sweep spec')
  const given = parsed.controls ? controls(parsed) : parsed
  const cells = requireCells(sweep, given)
  const unknown = Object.keys(given.priorities).find((arm) => !Object.hasOwn(given.arms, arm))
  if (unknown === undefined) return { given, cells }
  const arms = Object.keys(given.arms).join(', ').slice(0, 500)
  const hint = didYouMean(unknown, Object.keys(given.arms))
  throw new InvalidSpec(
    `sweep spec: priorities.${unknown}: expected an arm of the sweep (${arms}), found another name${hint}`,
  )
}

/**
 * The runs of a sweep, if each of them has an id of its own and all of them fit what carries them. Throws InvalidSpec,
 * naming what shares an id: two runs of one id would be one, and the sweep would wait for the other for ever.
 */
export function requireCells(sweepId: string, sweep: SweepSpec): PlannedCell[] {
  const { seeds, models, arms } = sweep
  const total = seeds.length * models.length * Object.keys(arms).length
  const refuse = (text: string) => new InvalidSpec(`sweep spec: ${text}`)
  if (total > most.cells)
    throw refuse(`models x arms x seeds: expected at most ${most.cells} runs, found ${total}`)
  const byName = new Map<string, string>()
  for (const model of models) {
    const other = byName.get(nameOf(model))
    if (other !== undefined)
      throw refuse(
        `models: ${JSON.stringify(other)} and ${JSON.stringify(model)} have one name in run ids, ` +
          `${JSON.stringify(nameOf(model))}: their runs would be the same`,
      )
    byName.set(nameOf(model), model)
  }
  const cells = cellsOf(sweepId, sweep)
  const runs = new Set<string>()
  for (const { run, model, arm, seed } of cells) {
    if (!RunId.safeParse(run).success)
      throw refuse(
        `the run of ${JSON.stringify(model)}, arm ${arm}, seed ${seed}: expected an id of at most 200 letters, ` +
          `digits and . _ : @ = + -, found ${JSON.stringify(run.slice(0, 300))} (${run.length} characters)`,
      )
    if (runs.has(run)) throw refuse(`arm ${arm}, seed ${seed}: two runs would have the id ${run}`)
    runs.add(run)
  }
  const bytes = utf8Bytes(JSON.stringify(cells.map((cell): Cell => ({ ...cell, status: 'completed' }))))
  if (bytes > most.cellBytes)
    throw refuse(
      `models x arms x seeds: expected at most ${most.cellBytes} bytes of models, arms and run ids, found ${bytes}`,
    )
  return cells
}

/** A model's name as a part of an id: no slashes, no scheme. */
function nameOf(model: string): string {
  return model
    .replace(/^[a-z0-9]+:\/+/, '')
    .replace(/[^A-Za-z0-9._@-]+/g, '-')
    .replace(/^-+|-+$/g, '')
}
