/** Another reward on a run's stored rollouts, step by step: what it would have paid, and where the two agree. */
import * as wf from '@temporalio/workflow'
import { correlationOver } from '../activities/contracts/correlation.ts'
import type { StepScore } from '../activities/score.ts'
import { showTable } from './details.ts'
import { doing } from './doing.ts'
import type { Counted } from './progress.ts'
import { light } from './proxies.ts'

export type ScoreProgress = Counted

export interface ScoreResult {
  readonly run: string
  readonly rollouts: number
  readonly leftOut: number
  /** Over the rollouts of all steps. */
  readonly mean: number | null
  readonly trainedMean: number | null
  /** Null where either reward gives more than 0 and 1: then there is a correlation, null where one gives the same to all. */
  readonly agreement: number | null
  readonly correlation?: number | null
  readonly steps: StepScore[]
}

export const progressQuery = wf.defineQuery<ScoreProgress>('progress')

/** Steps that are scored at the same time. */
const stepsAtOnce = 4

/** `scored` is what continue-as-new carries: the steps that are through. */
export async function score(input: unknown, scored: readonly StepScore[] = []): Promise<ScoreResult> {
  const done = [...scored]
  let total = 0
  wf.setHandler(progressQuery, () => ({ done: done.length, total, ...doing() }))
  const { spec, steps } = await light.admitScore({ spec: input })
  const { run, reward, labels } = spec
  total = steps.length
  const waiting = steps.filter((step) => !done.some((one) => one.step === step))
  const lane = async () => {
    while (!wf.workflowInfo().continueAsNewSuggested) {
      const step = waiting.shift()
      if (step === undefined) return
      done.push(await light.scoreStep({ run, step, reward, ...(labels !== undefined && { labels }) }))
      show(done, total)
    }
  }
  await Promise.all(Array.from({ length: stepsAtOnce }, lane))
  if (waiting.length > 0) return wf.continueAsNew<typeof score>(input, done)
  done.sort((a, b) => a.step - b.step)
  const sum = (of: (step: StepScore) => number) => done.reduce((sum, step) => sum + of(step), 0)
  const rollouts = sum((step) => step.rollouts)
  const isGraded = done.some(({ correlation }) => correlation !== undefined)
  const over = (of: (step: StepScore) => number | null) =>
    rollouts === 0 ? null : sum((step) => (of(step) ?? 0) * step.rollouts) / rollouts
  return {
    run,
    rollouts,
    leftOut: sum((step) => step.leftOut),
    mean: over((step) => step.mean),
    trainedMean: over((step) => step.trainedMean),
    ...(isGraded
      ? { agreement: null, correlation: correlationOver(done) }
      : { agreement: over((step) => step.agreement) }),
    steps: done,
  }
}

function show(done: readonly StepScore[], total: number): void {
  const last = done.toSorted((a, b) => a.step - b.step).slice(-20)
  const isGraded = done.some(({ correlation }) => correlation !== undefined)
  showTable(
    [
      `${done.length} of ${total} steps`,
      'mean',
      'of the reward trained under',
      isGraded ? 'correlation' : 'agreement',
    ],
    last.map(({ step, mean, trainedMean, agreement, correlation }) => [
      step,
      ...[mean, trainedMean, isGraded ? correlation : agreement].map((value) => value?.toFixed(3) ?? ''),
    ]),
  )
}
