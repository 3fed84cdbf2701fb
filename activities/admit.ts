/** Parse and resolve what a user gave; ask the namespace which search attributes it knows. Nothing is started yet. */
import { ApplicationFailure } from '@temporalio/common'
import { searchAttributes, limits } from '../temporal.config.ts'
import {
  EvaluateSpec,
  GcSpec,
  LabelSpec,
  PretrainSpec,
  ResultDocument,
  ProbeSpec,
  RunId,
  SpecDocument,
  SweepSpec,
  VerifySpec,
  type Cell,
  type ResolvedTrain,
} from './contracts.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { readDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { isPrompt, promptNames } from './benchmarks/prompts.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import { orEarlier } from './refused.ts'
import { phasesOf } from './nano/schedule.ts'
import { cellsOf, controls, specOf, type PlannedCell } from './spec/arms.ts'
import { InvalidSpec, parseSpec, resolveTrain } from './spec/resolve.ts'

export function admitActivities(deps: Deps) {
  const admitting = <T>(body: () => Promise<T>) => durable(() => orEarlier(deps, body))
  return {
    admitTrain: ({ spec, run }: { spec: unknown; run: string }) =>
      admitting(async () => {
        const resolved = resolveTrain(spec)
        checkPrompts(promptsOf(resolved))
        parseSpec(RunId, run, 'workflow id')
        return { spec: resolved, ...(await attributesOf(deps)) }
      }),

    admitEvaluate: ({ spec }: { spec: unknown }) =>
      admitting(async () => {
        const parsed = parseSpec(EvaluateSpec, spec, 'evaluate spec')
        checkPrompts(parsed.prompts ?? [])
        return { spec: parsed, model: parsed.model ?? null }
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
        for (const { run } of cells) parseSpec(RunId, run, 'run id')
        const ofFirstSeed = cells.filter(({ seed }) => seed === given.seeds[0])
        const specs = ofFirstSeed.map((cell) => specOf(given, cell))
        checkPrompts(specs.flatMap(promptsOf))
        const unknown = Object.keys(given.priorities).find((arm) => given.arms[arm] === undefined)
        if (unknown !== undefined)
          throw new InvalidSpec(
            `sweep spec: priorities.${unknown}: expected an arm of the sweep (${Object.keys(given.arms).join(', ')})`,
          )
        return {
          total: cells.length,
          initial: initialEvaluations(specs),
          labels: initialLabels(specs),
          concurrency: given.concurrency ?? limits.sweepConcurrency,
          ...(await attributesOf(deps)),
        }
      }),

    /** The next cells from the `from`-th: those that the store has whole with how they ended, the others to be run. */
    planCells: ({ spec, sweep, from }: { spec: unknown; sweep: string; from: number }) =>
      admitting(async () => {
        const { cells, given } = openSweep(spec, sweep)
        return Promise.all(
          cells.slice(from, from + limits.sweepPage).map(async (cell): Promise<SweepCell> => {
            const resolved = specOf(given, cell)
            const ended = await endOf(deps, cell.run, resolved)
            if (ended !== null) return { ...cell, ended: { ...cell, status: 'completed', ...ended } }
            return { ...cell, spec: resolved, priority: given.priorities[cell.arm] ?? 3 }
          }),
        )
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

/** A cell to be run under its spec, or how it ended. */
export type SweepCell = PlannedCell &
  ({ readonly spec: ResolvedTrain; readonly priority: number } | { readonly ended: Cell })

function openSweep(spec: unknown, sweep: string): { given: SweepSpec; cells: PlannedCell[] } {
  const parsed = parseSpec(SweepSpec, spec, 'sweep spec')
  const given = parsed.controls ? controls(parsed) : parsed
  return { given, cells: cellsOf(sweep, given) }
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

function checkPrompts(names: readonly string[]): void {
  const unknown = names.find((name) => !isPrompt(name))
  if (unknown === undefined) return
  throw new InvalidSpec(
    `prompt: expected ${promptNames.join(', ')} or a template with {problem}, found ${JSON.stringify(unknown)}`,
  )
}

const promptsOf = ({ prompt, labels }: ResolvedTrain) => (labels ? [prompt, labels.prompt] : [prompt])

/** Search attributes that this namespace has, and those it lacks. */
async function attributesOf({ client }: Deps): Promise<{ attributes: string[]; missing: string[] }> {
  const { namespace } = client.options
  const known = await client.connection.operatorService
    .listSearchAttributes({ namespace })
    .catch((cause: Error) => {
      throw ApplicationFailure.create({
        message: `cannot list search attributes of namespace ${namespace}`,
        cause,
      })
    })
  const has = (name: string) =>
    known.customAttributes !== null && known.customAttributes !== undefined && name in known.customAttributes
  const names = Object.keys(searchAttributes)
  return { attributes: names.filter(has), missing: names.filter((name) => !has(name)) }
}

/** One evaluation of each initial policy as its runs will ask for it: the same task, so the same result. */
function initialEvaluations(specs: readonly ResolvedTrain[]): EvaluateSpec[] {
  const byTask = new Map<string, EvaluateSpec>()
  for (const spec of specs) {
    if (spec.evaluate.benchmarks.length === 0) continue
    const { every: _every, required: _required, ...rest } = spec.evaluate
    const task: EvaluateSpec = { model: spec.model, prompts: [spec.prompt], seed: 0, ...rest }
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
    const own = { model: spec.model, data: spec.data, ...rule }
    bySpec.set(JSON.stringify(own), own)
  }
  return [...bySpec.values()]
}
