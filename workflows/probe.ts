/** Contamination: one policy x benchmarks x shares of each statement, and how often it restores the rest. */
import * as wf from '@temporalio/workflow'
import type { Probed, ProbeTask } from '../activities/contracts.ts'
import { shown, showTable } from './details.ts'
import { doing } from './doing.ts'
import { modelOf } from './evaluate.ts'
import type { Counted } from './progress.ts'
import { beside, light } from './proxies.ts'

export interface ProbeResult {
  readonly results: Probed[]
  /** What this start of it computed: results that the store had cost nothing. */
  readonly deviceSeconds: number
  /** What a person should know of the model. */
  readonly notes?: readonly string[]
}

export const progressQuery = wf.defineQuery<Counted>('progress')

export async function probe(input: unknown): Promise<ProbeResult> {
  const results: (Probed | null)[] = []
  let deviceSeconds = 0
  const done = () => results.filter((result) => result !== null)
  wf.setHandler(progressQuery, () => ({ done: done().length, total: results.length, ...doing() }))
  const { spec, model } = await light.admitProbe({ spec: input })
  const { source, notes } = await modelOf(model)
  await Promise.all(spec.benchmarks.map((name) => light.intakeData({ data: { name, split: 'test' } })))
  const tasks = await light.probeTasks({ spec, ...(source !== undefined && { source }) })
  results.push(...tasks.map(() => null))
  await Promise.all(
    tasks.map(async (task, i) => {
      results[i] = await probeTask(task, (seconds) => (deviceSeconds += seconds))
      show(done(), tasks.length, notes)
    }),
  )
  return { results: done(), deviceSeconds, ...(notes && { notes }) }
}

async function probeTask(task: ProbeTask, spent: (seconds: number) => void): Promise<Probed> {
  const { shards, result } = await light.planProbe(task)
  if (result !== null) return result
  const continued = await Promise.all(
    Array.from({ length: shards }, (_, shard) => beside.continueStatements({ task, shard })),
  )
  for (const one of continued) spent(one.deviceSeconds)
  return light.judgeProbe({ task, shards })
}

function show(results: readonly Probed[], tasks: number, notes?: readonly string[]): void {
  showTable(
    [
      `${results.length} of ${tasks} probes`,
      'given',
      'restored, % [95%]',
      'ROUGE-L, %',
      'answered, %',
      'problems',
    ],
    results.map(({ benchmark, share, exact, rougeL, correct, problems }) => [
      benchmark,
      `${Math.round(100 * share)}%`,
      ...[exact, rougeL, correct].map(shown),
      problems,
    ]),
    notes,
  )
}
