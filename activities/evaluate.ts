/** One policy on one benchmark under one prompt: planned, completed in shards, judged. Known work is not done again. */
import { accuracyOf, SUMMARY_VERSION, type Judged } from './analysis/accuracy.ts'
import { voteOf } from './analysis/vote.ts'
import { goldsOf } from './benchmarks/problem.ts'
import { benchmarks } from './benchmarks/protocols.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { commit, readDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { complete, completionsOf, shardsOfWanted, storedShards, type Wanted } from './completions.ts'
import type { EvaluateSpec, EvaluationRecord } from './contracts.ts'
import { Evaluation, EvaluationTask, type Accuracy } from './contracts.ts'
import { durable } from './durable.ts'
import type { Engine } from './engine/port.ts'
import { gradeAny } from './grading/any.ts'
import { GRADER_VERSION, type Policy } from './grading/index.ts'
import type { Deps } from './deps.ts'
import { checkpointKey, openBenchmark, openSourcePolicy, promptFor, requireStore } from './open.ts'
import type { Sampled } from './rollouts.ts'

interface Plan {
  readonly wanted: Wanted
  readonly completions: string
  readonly evaluation: string
  readonly extract: Policy['extract']
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
      durable(async (control): Promise<EvaluationTask[]> => {
        const from = source ?? (await checkpointKey(deps, spec.checkpoint ?? ''))
        if (spec.prompts !== undefined) return tasksOf(deps, spec, spec.prompts, from, record)
        const { prompt, date } = await promptFor(deps, from, spec.date, control)
        return tasksOf(deps, { ...spec, ...(date !== undefined && { date }) }, [prompt], from, record)
      }),

    planEvaluation: (input: EvaluationTask) =>
      durable(async (): Promise<{ shards: number; result: Accuracy | null }> => {
        const { plan, result } = await known(deps, EvaluationTask.parse(input))
        return { shards: shardsOfWanted(plan.wanted).length, result }
      }),

    judge: (input: { task: EvaluationTask; shards: number }): Promise<Accuracy> =>
      durable(async ({ signal }) => {
        const task = EvaluationTask.parse(input.task)
        requireStore(deps, task.store)
        const plan = await planOf(deps, task)
        const all = { from: 0, to: input.shards }
        const golds = new Map(plan.wanted.problems.map((problem) => [problem.id, goldsOf(problem)]))
        const judged: Judged[] = []
        for await (const rows of storedShards(store, plan.completions, all, signal))
          for (const { problem, completion, strategy, stop, tokens } of rows) {
            judged.push({
              problem,
              verdict: gradeAny({
                golds: golds.get(problem) ?? [],
                completion,
                policy: { extract: plan.extract },
              }).verdict,
              answer: voteOf(completion, plan.extract),
              code: strategy === 'code',
              truncated: stop === 'length',
              tokens: tokens.length,
            })
          }
        const { benchmark, prompt } = task
        const { result, outcomes } = accuracyOf(judged, { benchmark, prompt })
        const evaluation: Evaluation = {
          format: 1,
          ...inputsOf(plan),
          result,
          outcomes,
        }
        const stored = await commit(store, plan.evaluation, Evaluation, evaluation, inputsOf(plan))
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
        const { wanted } = await planOf(deps, task)
        return complete({ ...deps, engine }, wanted, input.shard, control)
      }),
  }
}

/** Benchmarks x prompts of one policy. */
export function tasksOf(
  deps: Deps,
  {
    model: _model,
    checkpoint: _checkpoint,
    benchmarks: names,
    prompts: _prompts,
    $schema: _,
    tags: _tags,
    ...own
  }: EvaluateSpec,
  prompts: readonly string[],
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
  const plan = await planOf(deps, task)
  const stored = await readDocument(deps.store, plan.evaluation, Evaluation, inputsOf(plan))
  if (stored !== null) await note(deps, task, plan)
  return { plan, result: stored?.result ?? null }
}

/** What a result depends on, and so where it lies: never the step, run or arm that asked. */
async function planOf(deps: Deps, task: EvaluationTask): Promise<Plan> {
  const protocol = benchmarks[task.benchmark]
  const { document, problems } = await openBenchmark(deps, task.benchmark)
  const wanted: Wanted = {
    source: task.source,
    policy: await openSourcePolicy(deps, task.source),
    problems: problems.slice(0, task.limit),
    data: document.problems.digest,
    prompt: task.prompt,
    date: task.date,
    samples: task.samples ?? protocol.samples,
    sampling: {
      temperature: task.temperature ?? protocol.temperature,
      topP: protocol.topP,
      maxTokens: task.maxTokens ?? protocol.maxTokens,
    },
    seed: task.seed,
    purpose: 'evaluate',
  }
  const completions = completionsOf(wanted)
  const extract = task.extract ?? protocol.extract
  const result = { completions, grader: GRADER_VERSION, extract, summary: SUMMARY_VERSION }
  return { wanted, completions, evaluation: keys.evaluation(digestOf(result)), extract }
}

/** What the key of an evaluation covers and the evaluation says. */
const inputsOf = ({ wanted, completions }: Plan) => ({
  policy: wanted.policy.digest,
  completions,
  grader: GRADER_VERSION,
})

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
