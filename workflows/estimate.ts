/** What a spec of any kind would take: the input of `train`, `sweep`, `evaluate`, `label` or `probe` as it would be started. */
import type { Estimate } from '../activities/estimate.ts'
import { showTable } from './details.ts'
import { light } from './proxies.ts'

export async function estimate(input: unknown): Promise<Omit<Estimate, 'table'>> {
  const { table, ...result } = await light.estimate({ spec: input })
  const notes = result.notes.map((note) => ['', note, '', ''])
  showTable([result.type, '', 'value', 'source'], [...table, ...notes])
  return result
}
