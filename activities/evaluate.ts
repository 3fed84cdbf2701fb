/** One policy on one benchmark under one prompt: planned, completed in shards, judged. Known work is not done again. */
import { accuracyOf } from './analysis/accuracy.ts'
import { benchmarks } from './benchmarks/protocols.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { commit, readDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { requireTable, rolloutsTable, tableRef } from './checkpoint/tables.ts'
import type { EvaluateSpec, EvaluationRecord } from './contracts.ts'
import { DataDocument, Evaluation, EvaluationTask, type Accuracy, type Policy } from './contracts.ts'
import { durable } from './durable.ts'
import { NUMERICS_VERSION } from './engine/embedded.ts'
import type { Engine } from './engine/port.ts'
import { GRADER_VERSION, grade } from './grading/index.ts'
import type { Deps } from './deps.ts'
import { checkpointKey, openData, openSourcePolicy, openTokenizerOf, requireStore } from './open.ts'
import { requirePolicy } from './restore.ts'
import { storeSamples, type Sampled } from './rollouts.ts'
import { cut } from './spec/batch.ts'

interface Plan {
  readonly completions: string
  readonly evaluation: string
  readonly problems: number
  readonly samples: number
  readonly sampling: { readonly temperature: number; readonly topP: number; readonly maxTokens: number }
}

export function evaluateActivities(deps: Deps) {
  return { light: lightActivities(deps), compute: (engine: Engine) => computeActivities(deps, engine) }
}

function lightActivities(deps: Deps) {
  const { store } = deps
  return {
    /** Benchmarks x prompts for one policy. `checkpoint` is <run> (its newest step) or <run>/<step>. */
    evaluationTasks: ({
      spec,
      source,
      record,
    }: {
      spec: EvaluateSpec
      source?: string
      record?: { run: string; step: number }
    }) =>
      durable(async (): Promise<EvaluationTask[]> => {
        const from = source ?? (await checkpointKey(deps, spec.checkpoint ?? ''))
        return tasksOf(deps, spec, from, record)
      }),

    planEvaluation: (input: EvaluationTask) =>
      durable(async (): Promise<{ shards: number; result: Accuracy | null }> => {
        const task = EvaluationTask.parse(input)
        const { plan, result } = await known(deps, task)
        return { shards: cut(plan.problems, plan.samples).length, result }
      }),

    judge: (input: { task: EvaluationTask; shards: number }): Promise<Accuracy> =>
      durable(async () => {
        const task = EvaluationTask.parse(input.task)
        requireStore(deps, task.store)
        const policy = await openSourcePolicy(deps, task.source)
        const plan = await planOf(deps, task, policy)
        const tables = await Promise.all(
          Array.from({ length: input.shards }, (_, shard) =>
            requireTable(store, keys.completions(plan.completions, shard), rolloutsTable),
          ),
        )
        const problems = new Map((await problemsOf(deps, task)).map((problem) => [problem.id, problem]))
        const judged = tables.flatMap(({ rows }) =>
          rows.map((row) => ({
            problem: row.problem,
            verdict: grade({
              gold: problems.get(row.problem)?.answer ?? '',
              completion: row.completion,
              policy: { extract: benchmarks[task.benchmark].extract },
            }).verdict,
            code: row.strategy === 'code',
            truncated: row.stop === 'length',
            tokens: row.tokens.length,
          })),
        )
        const { result, outcomes } = accuracyOf(judged, { benchmark: task.benchmark, prompt: task.prompt })
        const evaluation: Evaluation = {
          format: 1,
          policy: policy.digest,
          completions: plan.completions,
          grader: GRADER_VERSION,
          result,
          outcomes,
        }
        const stored = await commit(store, plan.evaluation, Evaluation, evaluation)
        await note(deps, task, plan)
        return stored.result
      }),
  }
}

function computeActivities(deps: Deps, engine: Engine) {
  return {
    complete: (input: { task: EvaluationTask; shard: number }): Promise<Sampled> =>
      durable(async (control) => {
        const task = EvaluationTask.parse(input.task)
        requireStore(deps, task.store)
        const policy = await openSourcePolicy(deps, task.source)
        const plan = await planOf(deps, task, policy)
        const key = keys.completions(plan.completions, input.shard)
        const inputs = digestOf({ completions: plan.completions, shard: input.shard })
        const stored = await tableRef(deps.store, key, inputs)
        if (stored !== null) return { ...stored, deviceSeconds: 0 }

        await requirePolicy({ ...deps, engine }, task.source, policy, control)
        const tokenizer = await openTokenizerOf(deps, policy, control)
        const range = cut(plan.problems, plan.samples)[input.shard]
        const problems = (await problemsOf(deps, task)).slice(range?.from, range?.to)
        const unfinished = keys.unfinishedCompletions(plan.completions, input.shard)
        return storeSamples(
          { engine, tokenizer, store: deps.store, key, unfinished, inputs },
          policy,
          problems.map((problem) => ({
            problem,
            occurrence: 0,
            at: { seed: task.seed, purpose: 'evaluate', problem: problem.id },
          })),
          task.prompt,
          plan.samples,
          plan.sampling,
          control,
        )
      }),
  }
}

/** Benchmarks x prompts of one policy. */
export function tasksOf(
  deps: Deps,
  { model: _model, checkpoint: _checkpoint, benchmarks: names, prompts, $schema: _, ...own }: EvaluateSpec,
  source: string,
  record?: EvaluationTask['record'],
): EvaluationTask[] {
  const shared = { source, ...own, store: deps.storeId, ...(record && { record }) }
  return names.flatMap((benchmark) =>
    prompts.map((prompt) => EvaluationTask.parse({ benchmark, prompt, ...shared })),
  )
}

/** What an evaluation needs, and its result if the store has it: then it is noted as the run's own. */
export async function known(
  deps: Deps,
  task: EvaluationTask,
): Promise<{ plan: Plan; result: Accuracy | null }> {
  requireStore(deps, task.store)
  const plan = await planOf(deps, task, await openSourcePolicy(deps, task.source))
  const stored = await readDocument(deps.store, plan.evaluation, Evaluation)
  if (stored !== null) await note(deps, task, plan)
  return { plan, result: stored?.result ?? null }
}

/** What a result depends on, and so where it lies: never the step, run or arm that asked. */
async function planOf(deps: Deps, task: EvaluationTask, policy: Policy): Promise<Plan> {
  const protocol = benchmarks[task.benchmark]
  const problems = (await problemsOf(deps, task)).length
  const samples = task.samples ?? protocol.samples
  const sampling = {
    temperature: task.temperature ?? protocol.temperature,
    topP: protocol.topP,
    maxTokens: task.maxTokens ?? protocol.maxTokens,
  }
  const data = (await requireDocument(deps.store, dataKey(task), DataDocument)).problems.digest
  const completions = digestOf({
    policy: policy.digest,
    data,
    problems,
    prompt: task.prompt,
    sampling,
    samples,
    seed: task.seed,
    numerics: NUMERICS_VERSION,
  })
  const evaluation = keys.evaluation(
    digestOf({ completions, grader: GRADER_VERSION, extract: protocol.extract }),
  )
  return { completions, evaluation, problems, samples, sampling }
}

const dataKey = (task: EvaluationTask) => keys.data(digestOf({ name: task.benchmark, split: 'test' }))

async function problemsOf(deps: Deps, task: EvaluationTask) {
  const all = await openData(deps, dataKey(task))
  return task.limit === undefined ? all : all.slice(0, task.limit)
}

/** Lets a run find its own curve again: runs/<run>/steps/<step>/ names the evaluation that is its. */
async function note(
  { store }: Deps,
  { record, benchmark, prompt }: EvaluationTask,
  plan: Plan,
): Promise<void> {
  if (record === undefined) return
  const key = keys.runEvaluation(record.run, record.step, benchmark)
  await store.replace(
    key,
    new TextEncoder().encode(
      JSON.stringify({
        format: 1,
        benchmark,
        prompt,
        evaluation: plan.evaluation,
      } satisfies EvaluationRecord),
    ),
  )
}
