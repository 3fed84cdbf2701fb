/** The problems a run learns from: labelled by its initial policy where its reward compares with labels. */
import * as wf from '@temporalio/workflow'
import type { ResolvedTrain } from '../activities/contracts.ts'
import { labelFailed, onceFree } from './failures.ts'
import { label, type LabelResult } from './label.ts'
import { light } from './proxies.ts'
import { tagged } from './tags.ts'

export async function problemsOf(
  run: string,
  spec: ResolvedTrain,
  taken: { readonly source: string; readonly data: string },
): Promise<{ source: string; deviceSeconds: number; notes: readonly string[] }> {
  if (spec.labels === undefined) return { source: taken.data, deviceSeconds: 0, notes: [] }
  const { unlabelled, ...rule } = spec.labels
  const asked = { ...rule, ...(spec.date !== undefined && { date: spec.date }) }
  const args: Parameters<typeof label> = [{ model: spec.model, data: spec.data, ...asked }, { taken }]
  const { labels, deviceSeconds } = await labelled(`${run}:label`, args)
  const task = { data: taken.data, labels, reward: spec.reward, unlabelled }
  const { source, notes = [] } = await light.relabel(task)
  return { source, deviceSeconds, notes }
}

async function labelled(workflowId: string, args: Parameters<typeof label>): Promise<LabelResult> {
  const child = () => wf.executeChild(label, { args, workflowId, ...tagged() })
  try {
    return await child().catch((error: unknown) => onceFree(error, child))
  } catch (error) {
    if (wf.CancellationScope.current().consideredCancelled) throw error
    throw labelFailed(workflowId, error)
  }
}
