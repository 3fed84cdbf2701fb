/**
 * One run: sample → reward → step until its steps are done, with evaluations beside it.
 *
 * Coordinates, references and metrics only; tensors and text stay in the store. A run resumes from its newest
 * committed checkpoint, whoever starts it again and however often.
 */
import * as wf from '@temporalio/workflow'
import type { Accuracy, Metrics, ResolvedTrain } from '../activities/contracts.ts'
import { limits } from '../temporal.config.ts'
import { trainDetails, upsert } from './details.ts'
import { evaluate } from './evaluate.ts'
import { compute, light } from './proxies.ts'

export interface TrainProgress {
  readonly phase: 'admitting' | 'training' | 'paused' | 'evaluating' | 'done'
  readonly step: number
  readonly steps: number
  readonly reward?: number
}
export interface StepMetrics {
  readonly step: number
  /** Length of the history when the step began: where `temporal workflow reset` repeats it from. */
  readonly event: number
  readonly metrics: Metrics
}
export type CurvePoint = Accuracy & { readonly step: number }
/** What continue-as-new carries; evaluations have ended by then. */
export interface TrainState {
  readonly recent: readonly StepMetrics[]
  readonly curve: readonly CurvePoint[]
}
export interface TrainResult {
  readonly run: string
  readonly steps: number
  readonly checkpoint: string
  readonly policy: string
  readonly curve: readonly CurvePoint[]
  readonly metrics: Metrics
}

export const progressQuery = wf.defineQuery<TrainProgress>('progress')
export const metricsQuery = wf.defineQuery<StepMetrics[]>('metrics')
export const pauseSignal = wf.defineSignal('pause')
export const resumeSignal = wf.defineSignal('resume')

export async function train(
  input: unknown,
  state: TrainState = { recent: [], curve: [] },
): Promise<TrainResult> {
  const run = wf.workflowInfo().workflowId
  const recent = [...state.recent]
  const curve = [...state.curve]
  let at: TrainProgress = { phase: 'admitting', step: 0, steps: 0 }
  let paused = false
  wf.setHandler(progressQuery, () => at)
  wf.setHandler(metricsQuery, () => recent)
  wf.setHandler(pauseSignal, () => void (paused = true))
  wf.setHandler(resumeSignal, () => void (paused = false))

  const { spec, attributes, missing } = await light.admitTrain({ spec: input, run })
  const [model, data] = await Promise.all([
    light.intakeModel({ model: spec.model }),
    light.intakeData({ data: spec.data }),
  ])
  const enrolled = await light.enroll({ run, spec, model: model.source, data: data.source })
  upsert(attributes, { Model: spec.model, Seed: spec.seed, Step: enrolled.step })

  const open = new Map<number, Promise<void>>()
  const evaluateAt = (step: number) => {
    if (
      spec.evaluate.benchmarks.length === 0 ||
      !isDue(spec, step) ||
      curve.some((point) => point.step === step)
    )
      return
    const child = wf.executeChild(evaluate, {
      args: [evaluationOf(spec, run, step), { run, step }],
      workflowId: `${run}:evaluate:${step}`,
    })
    open.set(
      step,
      child.then(({ results }) => {
        curve.push(...results.map((result) => ({ step, ...result })))
        open.delete(step)
        upsert(attributes, { Accuracy: results[0]?.accuracy })
      }),
    )
  }
  const show = (phase: TrainProgress['phase'], step: number, reward?: number) => {
    at = { phase, step, steps: spec.steps, ...(reward !== undefined && { reward }) }
    wf.setCurrentDetails(trainDetails(spec, at, recent, curve, missing))
  }

  show('training', enrolled.step)
  // Points of an earlier attempt are in the store: asking for them again costs a look-up each.
  for (let step = 0; step <= enrolled.step; step++) evaluateAt(step)
  let metrics: Metrics = recent.at(-1)?.metrics ?? {}
  for (let step = enrolled.step + 1; step <= spec.steps; step++) {
    if (paused) {
      show('paused', step - 1)
      await wf.condition(() => !paused)
    }
    if (wf.workflowInfo().continueAsNewSuggested) {
      await Promise.all(open.values()) // a child that is still open would be terminated
      await wf.condition(wf.allHandlersFinished)
      return wf.continueAsNew<typeof train>(input, { recent, curve })
    }
    const event = wf.workflowInfo().historyLength
    const shards = Array.from({ length: enrolled.shards }, (_, shard) => ({
      run,
      spec: enrolled.spec,
      step,
      shard,
    }))
    await Promise.all(shards.map(async (shard) => (await compute.sample(shard), light.reward(shard))))
    const stepped = await compute.step({ run, spec: enrolled.spec, step, shards: enrolled.shards })
    metrics = stepped.metrics
    recent.push({ step, event, metrics })
    if (recent.length > limits.metricsInQuery) recent.shift()
    upsert(attributes, { Step: step })
    evaluateAt(step)
    show('training', step, metrics['reward'])
  }
  show('evaluating', spec.steps)
  await Promise.all(open.values())
  curve.sort((a, b) => a.step - b.step)
  show('done', spec.steps)
  const last = await light.checkpointAt({ run, step: spec.steps })
  return { run, steps: spec.steps, checkpoint: last.source, policy: last.policy, curve, metrics }
}

/** Step 0, every n-th, and the last one. `every` 0 evaluates the ends only. */
function isDue({ evaluate: { every }, steps }: ResolvedTrain, step: number): boolean {
  return step === 0 || step === steps || (every > 0 && step % every === 0)
}

function evaluationOf(spec: ResolvedTrain, run: string, step: number) {
  const { every: _every, ...rest } = spec.evaluate
  return { checkpoint: `${run}/${step}`, prompts: [spec.prompt], seed: 0, ...rest }
}
