/**
 * One run: sample → reward → step until its steps are done, with evaluations beside it.
 *
 * Coordinates, references and metrics only; tensors and text stay in the store. A run resumes from its newest
 * committed checkpoint, whoever starts it again and however often. Its steps, and the first shard of each, prefer the
 * worker that did the last step and holds its state; the other shards go to whoever is free.
 */
import * as wf from '@temporalio/workflow'
import type { Stopped } from '../activities/contracts.ts'
import { limits } from '../temporal.config.ts'
import { Curve } from './curve.ts'
import { dataNotes, trainDetails, upsert } from './details.ts'
import { problemsOf } from './label.ts'
import type { StepMetrics, TrainProgress, TrainResult, TrainState } from './progress.ts'
import { light, type Moved } from './proxies.ts'
import { nonFinite, stepOn } from './step.ts'
import { stopping } from './stopping.ts'

export const progressQuery = wf.defineQuery<TrainProgress>('progress')
export const metricsQuery = wf.defineQuery<StepMetrics[]>('metrics')
export const pauseSignal = wf.defineSignal('pause')
export const resumeSignal = wf.defineSignal('resume')
/** The next step to begin stores the optimizer's state with its weights, whether or not it is its turn. */
export const checkpointNowSignal = wf.defineSignal('checkpointNow')

export async function train(input: unknown, state?: TrainState): Promise<TrainResult> {
  const { workflowId: run, runId } = wf.workflowInfo()
  let recent: readonly StepMetrics[] = state?.recent ?? []
  let at: TrainProgress = state?.at ?? { phase: 'admitting', step: 0, steps: 0 }
  let details = state?.details ?? ''
  let { queue = null, paused = false, whole = false, deviceSeconds = 0 } = state ?? {}
  if (details !== '') wf.setCurrentDetails(details)
  wf.setHandler(progressQuery, () => at)
  wf.setHandler(metricsQuery, () => [...recent])
  wf.setHandler(pauseSignal, () => void (paused = true))
  wf.setHandler(resumeSignal, () => void (paused = false))
  wf.setHandler(checkpointNowSignal, () => void (whole = true))

  const { spec, attributes, missing } = await light.admitTrain({ spec: input, run })
  const [model, data] = await Promise.all([
    light.intakeModel({ model: spec.model }),
    light.intakeData({ data: spec.data, run }),
  ])
  const problems = await problemsOf(run, spec, { source: model.source, data: data.source })
  deviceSeconds += problems.deviceSeconds
  const enrolled = await light.enroll({ run, spec, model: model.source, data: problems.source })
  const notes = dataNotes(data.findings, enrolled.overlaps)
  upsert(attributes, { Model: spec.model, Seed: spec.seed, Step: enrolled.step })
  let last = enrolled.step
  let stopped: Stopped | null = null
  const curve = new Curve(run, spec, attributes, state?.curve ?? [])
  const show = (phase: TrainProgress['phase'], step: number) => {
    const reward = recent.at(-1)?.metrics['reward']
    const said = { ...(reward !== undefined && { reward }), ...(stopped && { stopped: stopped.message }) }
    at = { phase, step, steps: spec.steps, ...said }
    details = trainDetails(spec, at, recent, curve.points, missing, notes)
    wf.setCurrentDetails(details)
  }

  if (state === undefined && last === 0) curve.due(0).forEach((step) => curve.begin(step))
  else if (state === undefined) {
    const evaluation = curve.evaluationAt(0)
    const recalled = await light.recall({ run, step: last, due: curve.due(last), evaluation })
    recent = recalled.recent
    curve.points = recalled.curve
    recalled.missing.forEach((step) => curve.begin(step))
  }
  show('training', last)
  stopped = stopping(spec.stop, recent)
  while (last < spec.steps && stopped === null) {
    if (paused) {
      show('paused', last)
      await wf.condition(() => !paused)
    }
    if (wf.workflowInfo().continueAsNewSuggested) {
      await curve.ended()
      await wf.condition(wf.allHandlersFinished)
      deviceSeconds += curve.deviceSeconds
      const carried = { recent, curve: curve.points, at, details, queue, paused, whole, deviceSeconds }
      return wf.continueAsNew<typeof train>(input, carried)
    }
    const event = wf.workflowInfo().historyLength
    const step = last + 1
    const moved = (why: Moved, message: string) => {
      if (why !== 'busy') queue = null
      // `temporal workflow describe` shows it when the attempt that says so is over.
      if (why === 'preempted') wf.upsertMemo({ preempted: `step ${step}: ${message}` })
    }
    const { shards, store } = enrolled
    const evaluated = curve.isDue(step)
    const wanted = { ...(whole && { whole }), ...(evaluated && { evaluated }) }
    const task = { run, spec: enrolled.spec, step, shards, store, ...wanted }
    whole = false
    try {
      const stepped = await stepOn(queue, task, moved)
      queue = stepped.queue
      deviceSeconds += stepped.deviceSeconds
      recent = [...recent, { step, event, runId, metrics: stepped.metrics }].slice(-limits.metricsInQuery)
    } catch (error) {
      if (spec.stop?.nonFinite !== true) throw error
      stopped = nonFinite(error, last)
      break
    }
    last = step
    stopped = stopping(spec.stop, recent)
    upsert(attributes, { Step: step })
    if (evaluated) curve.begin(step)
    show('training', step)
  }
  if (stopped !== null && !curve.points.some(({ step }) => step === last)) curve.begin(last)
  show('evaluating', last)
  await curve.ended()
  show('done', last)
  const end = { run, step: last, ...(stopped && { stopped }) }
  const { source: checkpoint, policy } = await light.conclude({ ...end, spec: enrolled.spec })
  return {
    run,
    steps: last,
    ...(stopped && { stopped }),
    checkpoint,
    policy,
    ...(notes.length > 0 && { notes }),
    curve: curve.points,
    metrics: recent.at(-1)?.metrics ?? {},
    deviceSeconds: deviceSeconds + curve.deviceSeconds,
  }
}
