/** Labels of a problem set by majority vote of one policy: samples in shards, votes in parts, one table. */
import * as wf from '@temporalio/workflow'
import type { Labelled, ResolvedTrain } from '../activities/contracts.ts'
import { shown, showTable } from './details.ts'
import { compute, light } from './proxies.ts'

export interface LabelProgress {
  /** Of the problem set, parts that have been voted on. */
  readonly parts: number
  readonly total: number
}

export interface LabelResult extends Labelled {
  /** Key of what describes the labels, and of their table. */
  readonly labels: string
  readonly table: string
  /** What this start of it computed: labels that the store had cost nothing. */
  readonly deviceSeconds: number
}

export const progressQuery = wf.defineQuery<LabelProgress>('progress')

/** Parts whose shards are in the queue at the same time. */
const partsAtOnce = 4

/** `done` and `spent` are what continue-as-new carries: parts that have been voted on, and what they cost. */
export async function label(input: unknown, done = 0, spent = 0): Promise<LabelResult> {
  let deviceSeconds = spent
  let at: LabelProgress = { parts: done, total: 0 }
  wf.setHandler(progressQuery, () => at)
  const { spec, model } = await light.admitLabel({ spec: input })
  const source = model === null ? undefined : (await light.intakeModel({ model })).source
  // Of a run that goes on when its file is gone, what it began with is labelled.
  const run = wf.workflowInfo().parent?.workflowId
  const data = (await light.intakeData({ data: spec.data, ...(run !== undefined && { run }) })).source
  const task = await light.labelTask({ spec, data, ...(source !== undefined && { source }) })
  const { parts, labels, result } = await light.planLabels(task)
  const reached = (parts: number, result: Labelled | null = null) => {
    at = { ...at, parts }
    show(at, result)
  }
  at = { parts: done, total: parts.length }
  if (result !== null) {
    reached(parts.length, result)
    return resultOf(labels, result, deviceSeconds)
  }

  let next = done
  const lane = async () => {
    while (next < parts.length && !wf.workflowInfo().continueAsNewSuggested) {
      const part = next++
      const { from, to } = parts[part]!
      const shards = Array.from({ length: to - from }, (_, i) => from + i)
      const sampled = await Promise.all(shards.map((shard) => compute.sampleVotes({ task, shard })))
      for (const one of sampled) deviceSeconds += one.deviceSeconds
      await light.votes({ task, part })
      reached(at.parts + 1)
    }
  }
  await Promise.all(Array.from({ length: partsAtOnce }, lane))
  // The lanes are drained, so all parts before the next are through.
  if (next < parts.length) return wf.continueAsNew<typeof label>(input, next, deviceSeconds)
  const counted = await light.countVotes(task)
  reached(parts.length, counted.result)
  return resultOf(labels, counted.result, deviceSeconds)
}

const resultOf = (labels: string, result: Labelled, deviceSeconds: number): LabelResult => ({
  labels,
  table: labels.replace(/\.json$/, '.parquet'),
  ...result,
  deviceSeconds,
})

function show(at: LabelProgress, result: Labelled | null): void {
  const { wrongShare = null, agreement = null } = result ?? {}
  showTable(
    ['', ''],
    [
      ['parts voted on', `${at.parts} of ${at.total}`],
      ...(result === null ? [] : [['problems with a label, % [95%]', shown(result.labelledShare)]]),
      ...(wrongShare === null ? [] : [['labels that are wrong, %', shown(wrongShare)]]),
      ...(agreement === null ? [] : [['samples that agree, %', shown(agreement)]]),
    ],
  )
}

/** The problems a run learns from: labelled by its initial policy where its reward compares with labels. */
export async function problemsOf(
  run: string,
  spec: ResolvedTrain,
  data: string,
): Promise<{ source: string; deviceSeconds: number }> {
  if (spec.labels === undefined) return { source: data, deviceSeconds: 0 }
  const { unlabelled, ...rule } = spec.labels
  const own = { model: spec.model, data: spec.data, ...rule }
  const { labels, deviceSeconds } = await wf.executeChild(label, { args: [own], workflowId: `${run}:label` })
  const { source } = await light.relabel({ data, labels, reward: spec.reward, unlabelled })
  return { source, deviceSeconds }
}
