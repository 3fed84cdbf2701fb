/** Parse and resolve what a user gave; ask the namespace which search attributes it knows. Nothing is started yet. */
import { setImmediate } from 'node:timers/promises'
import { limits } from '../temporal.config.ts'
import { attributesOf, type Attributes } from './attributes.ts'
import {
  EvaluateSpec,
  GcSpec,
  LabelSpec,
  PretrainSpec,
  ResultDocument,
  ProbeSpec,
  RunId,
  SpecDocument,
  VerifySpec,
  type Cell,
  type ResolvedTrain,
  type SweepSpec,
} from './contracts.ts'
import { most } from './contracts/limits.ts'
import { utf8Bytes } from './contracts/shape.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { readDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import { orEarlier } from './refused.ts'
import { phasesOf } from './nano/schedule.ts'
import { openSweep, specOf, tagsOfCell, type PlannedCell } from './spec/arms.ts'
import { gradientNotes } from './spec/gradient.ts'
import { InvalidSpec, parseSpec, resolveTrain, tagsIn, type Tagged } from './spec/resolve.ts'
import { evaluationFaults, promptFaults, promptsOf } from './spec/within.ts'

export function admitActivities(deps: Deps) {
  const admitting = <T>(body: () => Promise<T>) => durable(() => orEarlier(deps, body))
  return {
    admitTrain: ({ spec, run }: { spec: unknown; run: string }) =>
      admitting(async () => {
        const resolved = resolveTrain(spec)
        checkPrompts(promptsOf(resolved))
        parseSpec(RunId, run, 'workflow id')
        const notes = gradientNotes(resolved).map((note) => `Training: ${note}`)
        const said = notes.length > 0 && { notes }
        return { spec: resolved, ...said, ...tagsIn(spec), ...(await attributesOf(deps.client)) }
      }),

    admitEvaluate: ({ spec }: { spec: unknown }): Promise<AdmittedEvaluate> =>
      admitting(async () => {
        const { tags, ...parsed } = parseSpec(EvaluateSpec, spec, 'evaluate spec')
        checkPrompts(parsed.prompts ?? [])
        refuse(evaluationFaults(parsed, parsed.prompts?.length ?? 1, 'evaluate spec'))
        const own = { spec: parsed, model: parsed.model ?? null }
        return tags === undefined ? own : { ...own, tags, ...(await attributesOf(deps.client)) }
      }),

    admitLabel: ({ spec }: { spec: unknown }) =>
      admitting(async () => {
        const parsed = parseSpec(LabelSpec, spec, 'label spec')
        checkPrompts(parsed.prompt === undefined ? [] : [parsed.prompt])
        return { spec: parsed, model: parsed.model ?? null }
      }),

    admitProbe: ({ spec }: { spec: unknown }) =>
      admitting(async () => {
        const parsed = parseSpec(ProbeSpec, spec, 'probe spec')
        return { spec: parsed, model: parsed.model ?? null }
      }),

    /** Every kind of run of the sweep, resolved, so that a mistake in the last arm shows before the first has started. */
    admitSweep: ({ spec, sweep }: { spec: unknown; sweep: string }) =>
      admitting(async () => {
        const { cells, given } = openSweep(spec, sweep)
        const specs = await specsOf(given)
        const [initial, labels] = [initialEvaluations(specs), initialLabels(specs)]
        requireShared([...initial, ...labels])
        return {
          total: cells.length,
          initial,
          labels,
          concurrency: given.concurrency ?? limits.sweepConcurrency,
          ...tagsIn(given),
          ...(await attributesOf(deps.client)),
        }
      }),

    /** The next cells from the `from`-th: those that the store has whole with how they ended, the others to be run. */
    planCells: ({ spec, sweep, from }: { spec: unknown; sweep: string; from: number }) =>
      admitting(async () => {
        const { cells, given } = openSweep(spec, sweep)
        const priorities = new Map(Object.entries(given.priorities))
        const page = cells.slice(from, from + limits.sweepPage).map(async (cell): Promise<SweepCell> => {
          const resolved = specOf(given, cell)
          const ended = await endOf(deps, cell.run, resolved)
          if (ended !== null) return { ...cell, ended: { ...cell, status: 'completed', ...ended } }
          return {
            ...cell,
            spec: resolved,
            priority: priorities.get(cell.arm) ?? 3,
            ...tagsOfCell(given, cell),
          }
        })
        return fitting(await Promise.all(page))
      }),

    admitPretrain: ({ spec }: { spec: unknown }) =>
      admitting(async () => {
        const { $schema: _schema, ...parsed } = parseSpec(PretrainSpec, spec, 'pretrain spec')
        return { spec: { ...parsed, store: deps.storeId }, phases: phasesOf(parsed.recipe) }
      }),

    admitGc: ({ spec }: { spec: unknown }) => admitting(async () => parseSpec(GcSpec, spec ?? {}, 'gc spec')),

    admitVerify: ({ spec }: { spec: unknown }) =>
      admitting(async () => parseSpec(VerifySpec, spec ?? {}, 'verify spec')),
  }
}

/** `attributes` only where there are tags to be written. */
export type AdmittedEvaluate = { readonly spec: EvaluateSpec; readonly model: string | null } & Tagged &
  Partial<Attributes>

/** A cell to be run under its spec, or how it ended. */
export type SweepCell = PlannedCell &
  (({ readonly spec: ResolvedTrain; readonly priority: number } & Tagged) | { readonly ended: Cell })

/** The first cells of a page, as many as one payload carries: large specs come a few at a time. */
function fitting(page: readonly SweepCell[]): SweepCell[] {
  let bytes = 0
  return page.filter((cell, i) => {
    bytes += utf8Bytes(JSON.stringify(cell))
    return i === 0 || bytes <= most.specBytes
  })
}

/** What each model is asked under each arm; the seed is the first one's. */
async function specsOf(given: SweepSpec): Promise<ResolvedTrain[]> {
  const [model = '', seed = 0] = [given.models[0], given.seeds[0]]
  const ofArms: ResolvedTrain[] = []
  for (const arm of Object.keys(given.arms)) {
    const spec = specOf(given, { run: '', model, arm, seed })
    checkPrompts(promptsOf(spec))
    ofArms.push(spec)
    if (ofArms.length % armsATurn === 0) await setImmediate()
  }
  return given.models.flatMap((model) => ofArms.map((spec) => ({ ...spec, model })))
}

/** Arms that are resolved before the worker does something else: some 10 ms. */
const armsATurn = 32

/** What a sweep computes before its window opens is started at once, and named in one payload. */
function requireShared(tasks: readonly unknown[]): void {
  const bytes = utf8Bytes(JSON.stringify(tasks))
  if (tasks.length > most.sharedTasks || bytes > most.sharedBytes)
    throw new InvalidSpec(
      `sweep spec: models and arms: expected at most ${most.sharedTasks} evaluations and labels of initial models of ` +
        `${most.sharedBytes} bytes, found ${tasks.length} of ${bytes}`,
    )
}

/** How a run ended under this very spec, or null if it has to go on. */
async function endOf(
  { store }: Deps,
  run: string,
  spec: ResolvedTrain,
): Promise<{ stopped?: string } | null> {
  const result = await readDocument(store, keys.result(run), ResultDocument)
  if (result === null) return null
  const under = await requireDocument(store, result.spec, SpecDocument)
  if (digestOf(under.spec) !== digestOf(spec)) return null
  return result.stopped === undefined ? {} : { stopped: result.stopped.message }
}

const refuse = (faults: readonly string[]) => {
  if (faults.length > 0) throw new InvalidSpec(faults.join('; '))
}
const checkPrompts = (names: readonly string[]) => refuse(promptFaults(names))

/** One evaluation of each initial policy as its runs will ask for it: the same task, so the same result. */
function initialEvaluations(specs: readonly ResolvedTrain[]): EvaluateSpec[] {
  const byTask = new Map<string, EvaluateSpec>()
  for (const spec of specs) {
    if (spec.evaluate.benchmarks.length === 0) continue
    const { every: _every, required: _required, ...rest } = spec.evaluate
    const date = spec.date === undefined ? {} : { date: spec.date }
    const task: EvaluateSpec = { model: spec.model, prompts: [spec.prompt], ...date, seed: 0, ...rest }
    byTask.set(JSON.stringify(task), task)
  }
  return [...byTask.values()]
}

/** The labels of each initial policy as its runs will ask for them. */
function initialLabels(specs: readonly ResolvedTrain[]): unknown[] {
  const bySpec = new Map<string, unknown>()
  for (const spec of specs) {
    if (spec.labels === undefined) continue
    const { unlabelled: _unlabelled, ...rule } = spec.labels
    const own = {
      model: spec.model,
      data: spec.data,
      ...rule,
      ...(spec.date !== undefined && { date: spec.date }),
    }
    bySpec.set(JSON.stringify(own), own)
  }
  return [...bySpec.values()]
}
