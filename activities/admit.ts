/** Parse and resolve what a user gave; ask the namespace which search attributes it knows. Nothing is started yet. */
import { ApplicationFailure } from '@temporalio/common'
import { searchAttributes, limits } from '../temporal.config.ts'
import {
  EvaluateSpec,
  GcSpec,
  PretrainSpec,
  RunId,
  SweepSpec,
  VerifySpec,
  type ResolvedTrain,
} from './contracts.ts'
import { isPrompt, promptNames } from './benchmarks/prompts.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import { phasesOf } from './nano/schedule.ts'
import { controls, plan } from './spec/arms.ts'
import { InvalidSpec, parseSpec, resolveTrain } from './spec/resolve.ts'

export function admitActivities(deps: Deps) {
  return {
    admitTrain: ({ spec, run }: { spec: unknown; run: string }) =>
      durable(async () => {
        const resolved = resolveTrain(spec)
        checkPrompts([resolved.prompt])
        parseSpec(RunId, run, 'workflow id')
        return { spec: resolved, ...(await attributesOf(deps)) }
      }),

    admitEvaluate: ({ spec }: { spec: unknown }) =>
      durable(async () => {
        const parsed = parseSpec(EvaluateSpec, spec, 'evaluate spec')
        checkPrompts(parsed.prompts)
        return { spec: parsed, model: parsed.model ?? null }
      }),

    /** Every run of the sweep, resolved, so that a mistake in the last arm shows before the first has started. */
    admitSweep: ({ spec, sweep }: { spec: unknown; sweep: string }) =>
      durable(async () => {
        const parsed = parseSpec(SweepSpec, spec, 'sweep spec')
        const runs = plan(sweep, parsed.controls ? controls(parsed) : parsed)
        for (const { run } of runs) parseSpec(RunId, run, 'run id')
        checkPrompts(runs.map(({ spec }) => spec.prompt))
        const { attributes } = await attributesOf(deps)
        return {
          runs,
          initial: initialEvaluations(runs),
          concurrency: parsed.concurrency ?? limits.sweepConcurrency,
          attributes,
        }
      }),

    admitPretrain: ({ spec }: { spec: unknown }) =>
      durable(async () => {
        const { $schema: _schema, ...parsed } = parseSpec(PretrainSpec, spec, 'pretrain spec')
        return { spec: parsed, phases: phasesOf(parsed.recipe) }
      }),

    admitGc: ({ spec }: { spec: unknown }) => durable(async () => parseSpec(GcSpec, spec ?? {}, 'gc spec')),

    admitVerify: ({ spec }: { spec: unknown }) =>
      durable(async () => parseSpec(VerifySpec, spec ?? {}, 'verify spec')),
  }
}

function checkPrompts(names: readonly string[]): void {
  const unknown = names.find((name) => !isPrompt(name))
  if (unknown === undefined) return
  throw new InvalidSpec(
    `prompt: expected ${promptNames.join(', ')} or a template with {problem}, found ${JSON.stringify(unknown)}`,
  )
}

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
function initialEvaluations(runs: readonly { spec: ResolvedTrain }[]): EvaluateSpec[] {
  const byTask = new Map<string, EvaluateSpec>()
  for (const { spec } of runs) {
    if (spec.evaluate.benchmarks.length === 0) continue
    const { every: _every, ...rest } = spec.evaluate
    const task: EvaluateSpec = { model: spec.model, prompts: [spec.prompt], seed: 0, ...rest }
    byTask.set(JSON.stringify(task), task)
  }
  return [...byTask.values()]
}
