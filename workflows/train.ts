/**
 * One run: sample → reward → step until its steps are done, with evaluations beside it.
 *
 * Coordinates, references and metrics only; tensors and text stay in the store. A run resumes from its newest
 * committed checkpoint, whoever starts it again and however often. Its steps, and the first shard of each, prefer the
 * worker that did the last step and holds its state; the other shards go to whoever is free.
 */
import * as wf from '@temporalio/workflow'
import type { Accuracy, Metrics, ResolvedTrain } from '../activities/contracts.ts'
import { limits } from '../temporal.config.ts'
import { trainDetails, upsert } from './details.ts'
import { evaluate } from './evaluate.ts'
import { light, near, type Moved } from './proxies.ts'

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
  /** The run id whose history has the event: continue-as-new begins another. Not known of runs from before it was noted. */
  readonly runId?: string
  readonly metrics: Metrics
}
export type CurvePoint = Accuracy & { readonly step: number }
/** What continue-as-new carries; evaluations have ended by then. */
export interface TrainState {
  readonly recent: readonly StepMetrics[]
  readonly curve: readonly CurvePoint[]
  /** What queries and the Web UI show until the new history has got as far. */
  readonly at?: TrainProgress
  readonly details?: string
  /** Of the worker that holds the run's state. */
  readonly queue?: string | null
  readonly paused?: boolean
  readonly whole?: boolean
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
/** The next step to begin stores the optimizer's state with its weights, whether or not it is its turn. */
export const checkpointNowSignal = wf.defineSignal('checkpointNow')

export async function train(
  input: unknown,
  state: TrainState = { recent: [], curve: [] },
): Promise<TrainResult> {
  const { workflowId: run, runId } = wf.workflowInfo()
  const recent = [...state.recent]
  const curve = [...state.curve]
  let at: TrainProgress = state.at ?? { phase: 'admitting', step: 0, steps: 0 }
  let details = state.details ?? ''
  let queue = state.queue ?? null
  let paused = state.paused ?? false
  let whole = state.whole ?? false
  if (details !== '') wf.setCurrentDetails(details)
  wf.setHandler(progressQuery, () => at)
  wf.setHandler(metricsQuery, () => recent)
  wf.setHandler(pauseSignal, () => void (paused = true))
  wf.setHandler(resumeSignal, () => void (paused = false))
  wf.setHandler(checkpointNowSignal, () => void (whole = true))

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
    details = trainDetails(spec, at, recent, curve, missing)
    wf.setCurrentDetails(details)
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
      const carried = { recent, curve, at, details, queue, paused, whole }
      return wf.continueAsNew<typeof train>(input, carried)
    }
    const event = wf.workflowInfo().historyLength
    const moved = (why: Moved, message: string) => {
      if (why !== 'busy') queue = null
      // `temporal workflow describe` shows it when the attempt that says so is over.
      if (why === 'preempted') wf.upsertMemo({ preempted: `step ${step}: ${message}` })
    }
    const task = { run, spec: enrolled.spec, step, ...(enrolled.store && { store: enrolled.store }) }
    const sampleAndReward = async (shard: number) => {
      await near(shard === 0 ? queue : null, (compute) => compute.sample({ ...task, shard }), moved)
      await light.reward({ ...task, shard })
    }
    await Promise.all(Array.from({ length: enrolled.shards }, (_, shard) => sampleAndReward(shard)))
    const saved = { ...task, shards: enrolled.shards, ...(whole && { whole }) }
    whole = false
    const stepped = await near(queue, (compute) => compute.step(saved), moved)
    queue = stepped.queue ?? null
    metrics = stepped.metrics
    recent.push({ step, event, runId, metrics })
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
