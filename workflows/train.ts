/**
 * One run: sample → reward → step until its steps are done, with evaluations beside it.
 *
 * Coordinates, references and metrics only; tensors and text stay in the store. A run resumes from its newest
 * committed checkpoint, whoever starts it again and however often. Its steps, and the first shard of each, prefer the
 * worker that did the last step and holds its state; the other shards go to whoever is free.
 */
import * as wf from '@temporalio/workflow'
import { admitted, recalled } from './begin.ts'
import { Curve } from './curve.ts'
import { upsert } from './details.ts'
import type { TrainResult, TrainState } from './progress.ts'
import { light } from './proxies.ts'
import { Standing } from './standing.ts'
import { nonFinite, stepOn } from './step.ts'
import { stopping } from './stopping.ts'

/** An evaluation that failed and is required ends its run at once, whatever the run is doing. */
export async function train(input: unknown, state?: TrainState): Promise<TrainResult> {
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<never>((_, reject) => (fail = reject))
  return Promise.race([stepByStep(input, state, fail), failed])
}

async function stepByStep(
  input: unknown,
  state: TrainState | undefined,
  fail: (error: Error) => void,
): Promise<TrainResult> {
  const run = wf.workflowInfo().workflowId
  const standing = new Standing(state)
  const { spec, attributes, enrolled, describe, notes, ...labelled } = await admitted(run, input)
  let { queue = null, deviceSeconds = 0 } = state ?? {}
  deviceSeconds += labelled.deviceSeconds
  const curve = new Curve(run, spec, attributes, state, fail)
  standing.notes = () => [...notes, ...standing.rewarded.notes(), ...curve.notes]
  standing.describe = (at) => describe(at, standing, curve)
  if (state === undefined) await recalled(run, enrolled.step, standing, curve)

  let last = enrolled.step
  if (state === undefined) standing.begin()
  standing.show('training', last, spec.steps)
  standing.stopped = stopping(spec.stop, standing.recent)
  while (last < spec.steps && standing.stopped === null) {
    await standing.going(last, spec.steps)
    if (wf.workflowInfo().continueAsNewSuggested) {
      await curve.ended()
      await wf.condition(wf.allHandlersFinished)
      deviceSeconds += curve.deviceSeconds
      const ofCurve = { curve: curve.points, ...(curve.notes.length > 0 && { notes: curve.notes }) }
      const carried = { ...standing.carried(), ...ofCurve, queue, deviceSeconds }
      return wf.continueAsNew<typeof train>(input, carried)
    }
    const { historyLength: event, runId } = wf.workflowInfo()
    const step = last + 1
    const [evaluated, whole] = [curve.isDue(step), standing.takeWhole()]
    const wanted = { ...(whole && { whole }), ...(evaluated && { evaluated }) }
    try {
      const stepped = await stepOn(queue, { run, ...enrolled, step, ...wanted })
      queue = stepped.queue
      deviceSeconds += stepped.deviceSeconds
      standing.add({ step, event, runId, metrics: stepped.metrics }, stepped.rewarded)
    } catch (error) {
      if (spec.stop?.nonFinite !== true) throw error
      standing.stopped = nonFinite(error, last)
      last = standing.stopped.step
      break
    }
    last = step
    standing.stopped = stopping(spec.stop, standing.recent)
    upsert(attributes, { Step: step })
    if (evaluated) curve.begin(step)
    standing.show('training', step, spec.steps)
  }

  standing.show('evaluating', last, spec.steps)
  if (standing.stopped === null) {
    await curve.ended()
    standing.stopped = curve.unsound
    last = curve.unsound?.step ?? last
  }
  const { stopped } = standing
  if (stopped !== null && !curve.points.some(({ step }) => step === last)) curve.begin(last)
  standing.show('evaluating', last, spec.steps)
  await curve.ended()
  standing.show('done', last, spec.steps)
  const end = { run, step: last, ...(stopped && { stopped }) }
  const { source: checkpoint, policy } = await light.conclude({ ...end, spec: enrolled.spec })
  return {
    run,
    steps: last,
    ...(stopped && { stopped }),
    checkpoint,
    policy,
    ...(standing.notes().length > 0 && { notes: standing.notes() }),
    curve: curve.points,
    metrics: standing.recent.at(-1)?.metrics ?? {},
    deviceSeconds: deviceSeconds + curve.deviceSeconds,
  }
}
