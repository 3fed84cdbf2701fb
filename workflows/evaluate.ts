/** One policy x benchmarks x prompts: completions in shards, then verdicts; what is known already is not computed. */
import * as wf from '@temporalio/workflow'
import type { Accuracy, EvaluationTask } from '../activities/contracts.ts'
import { showEvaluation, upsert } from './details.ts'
import { doing } from './doing.ts'
import type { Counted } from './progress.ts'
import { beside, light } from './proxies.ts'
import { tagsWith } from './tags.ts'

export interface EvaluateResult {
  readonly results: Accuracy[]
  /** What this start of it computed: results that the store had cost nothing. */
  readonly deviceSeconds: number
  /** What a person should know of the model. */
  readonly notes?: readonly string[]
}

export const progressQuery = wf.defineQuery<Counted>('progress')

/** `record` is given by a run that evaluates itself: where it finds its own curve again. */
export async function evaluate(
  input: unknown,
  record?: { run: string; step: number },
): Promise<EvaluateResult> {
  const results: Accuracy[] = []
  let total = 0
  let deviceSeconds = 0
  wf.setHandler(progressQuery, () => ({ done: results.length, total, ...doing() }))
  const { spec, model, tags, attributes = [], missing = [] } = await light.admitEvaluate({ spec: input })
  upsert(attributes, { Tags: tagsWith(tags) }) // no spec of before there were tags has any
  const { source, notes } = await modelOf(model)
  const tasks = await light.evaluationTasks({
    spec,
    ...(source !== undefined && { source }),
    ...(record && { record }),
  })
  total = tasks.length
  await Promise.all(
    tasks.map(async (task) => {
      results.push(await evaluateTask(task, (seconds) => (deviceSeconds += seconds)))
      showEvaluation(results, total, missing, notes)
    }),
  )
  const order = (result: Accuracy) =>
    tasks.findIndex((t) => t.benchmark === result.benchmark && t.prompt === result.prompt)
  return { results: results.sort((a, b) => order(a) - order(b)), deviceSeconds, ...(notes && { notes }) }
}

/** A model's key, and what is to be known of it; nothing of a run's checkpoint, whose run has been told. */
export async function modelOf(
  model: string | null,
): Promise<{ source?: string; policy?: string; notes?: readonly string[] }> {
  return model === null ? {} : light.intakeModel({ model })
}

async function evaluateTask(task: EvaluationTask, spent: (seconds: number) => void): Promise<Accuracy> {
  await light.intakeData({ data: { name: task.benchmark, split: 'test' } })
  const plan = await light.planEvaluation(task)
  if (plan.result !== null) return plan.result
  const completions = await Promise.all(
    Array.from({ length: plan.shards }, (_, shard) => beside.complete({ task, shard })),
  )
  for (const { deviceSeconds } of completions) spent(deviceSeconds)
  return light.judge({ task, shards: plan.shards })
}
