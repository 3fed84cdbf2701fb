/** Labels of a problem set by majority vote of one policy: samples in shards, votes in parts, one table. */
import * as wf from '@temporalio/workflow'
import type { Labelled, LabelTask } from '../activities/contracts.ts'
import { shown, showTable } from './details.ts'
import { doing } from './doing.ts'
import { modelOf } from './evaluate.ts'
import type { Doing } from './progress.ts'
import { compute, light } from './proxies.ts'

export interface LabelProgress extends Doing {
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
  /** What a person should know of the model. */
  readonly notes?: readonly string[]
}

export const progressQuery = wf.defineQuery<LabelProgress>('progress')

/** Parts whose shards are in the queue at the same time. */
const partsAtOnce = 4

/** What continue-as-new carries, and what a run that asks for labels has at hand. */
export interface LabelState {
  /** Parts that have been voted on, and what they cost. */
  readonly done?: number
  readonly deviceSeconds?: number
  /** Keys of the model and of the problems, where they have been taken in. */
  readonly taken?: { readonly source: string; readonly data: string }
  /** Resolved once: a run's newest checkpoint may be another when the history begins anew. */
  readonly task?: LabelTask
  readonly notes?: readonly string[]
}

export async function label(input: unknown, state: LabelState = {}): Promise<LabelResult> {
  let { deviceSeconds = 0 } = state
  let at: LabelProgress = { parts: state.done ?? 0, total: 0 }
  wf.setHandler(progressQuery, () => ({ ...at, ...doing() }))
  const { task, notes } =
    state.task === undefined ? await taskOf(input, state.taken) : { ...state, task: state.task }
  const { parts, labels, result } = await light.planLabels(task)
  const reached = (parts: number, result: Labelled | null = null) => {
    at = { ...at, parts }
    show(at, result, notes)
  }
  at = { ...at, total: parts.length }
  if (result !== null) {
    reached(parts.length, result)
    return resultOf(labels, result, deviceSeconds, notes)
  }

  let next = at.parts
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
  if (next < parts.length)
    return wf.continueAsNew<typeof label>(input, { done: next, deviceSeconds, task, ...(notes && { notes }) })
  const counted = await light.countVotes(task)
  reached(parts.length, counted.result)
  return resultOf(labels, counted.result, deviceSeconds, notes)
}

async function taskOf(
  input: unknown,
  taken: LabelState['taken'],
): Promise<{ task: LabelTask; notes?: readonly string[] }> {
  const { spec, model } = await light.admitLabel({ spec: input })
  if (taken !== undefined) return { task: await light.labelTask({ spec, ...taken }) }
  const { source, notes } = await modelOf(model)
  const data = (await light.intakeData({ data: spec.data })).source
  const task = await light.labelTask({ spec, data, ...(source !== undefined && { source }) })
  return { task, ...(notes && { notes }) }
}

const resultOf = (
  labels: string,
  result: Labelled,
  deviceSeconds: number,
  notes?: readonly string[],
): LabelResult => ({
  labels,
  table: labels.replace(/\.json$/, '.parquet'),
  ...result,
  deviceSeconds,
  ...(notes && { notes }),
})

function show(at: LabelProgress, result: Labelled | null, notes?: readonly string[]): void {
  const { wrongShare = null, agreement = null } = result ?? {}
  showTable(
    ['', ''],
    [
      ['parts voted on', `${at.parts} of ${at.total}`],
      ...(result === null ? [] : [['problems with a label, % [95%]', shown(result.labelledShare)]]),
      ...(wrongShare === null ? [] : [['labels that are wrong, %', shown(wrongShare)]]),
      ...(agreement === null ? [] : [['samples that agree, %', shown(agreement)]]),
    ],
    notes,
  )
}
