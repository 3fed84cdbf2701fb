/** The problems a run learns from: labelled by its initial policy where its reward compares with labels. */
import * as wf from '@temporalio/workflow'
import type { ResolvedTrain } from '../activities/contracts.ts'
import { label } from './label.ts'
import { light } from './proxies.ts'

export async function problemsOf(
  run: string,
  spec: ResolvedTrain,
  taken: { readonly source: string; readonly data: string },
): Promise<{ source: string; deviceSeconds: number }> {
  if (spec.labels === undefined) return { source: taken.data, deviceSeconds: 0 }
  const { unlabelled, ...rule } = spec.labels
  const { labels, deviceSeconds } = await wf.executeChild(label, {
    args: [{ model: spec.model, data: spec.data, ...rule }, { taken }],
    workflowId: `${run}:label`,
  })
  const { source } = await light.relabel({ data: taken.data, labels, reward: spec.reward, unlabelled })
  return { source, deviceSeconds }
}
