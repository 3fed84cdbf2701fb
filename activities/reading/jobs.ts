/**
 * The total table of what a reading process does. Each job's code is loaded when it is first asked for: what renders
 * prompts need not know Parquet.
 */
import type { Progress } from '../engine/port.ts'
import type { JobName, Jobs } from './reader.ts'

/** Where a job says what it reads from now on, and how far it is. */
export interface Steps {
  at(step: string): void
  progress(progress: Progress): void
}

export type Job<J extends JobName> = (
  ask: Jobs[J]['ask'],
  steps: Steps,
) => Promise<Jobs[J]['answer']> | Jobs[J]['answer']

const jobs: { readonly [J in JobName]: () => Promise<Job<J>> } = {
  index: async () => (await import('./model.ts')).readIndex,
  config: async () => (await import('./model.ts')).readConfiguration,
  model: async () => (await import('./model.ts')).readModel,
  canRead: async () => (await import('./prompts.ts')).readable,
  prompts: async () => (await import('./prompts.ts')).promptsOf,
  data: async () => (await import('./data.ts')).readData,
}

export async function answer(name: JobName, ask: unknown, steps: Steps): Promise<unknown> {
  const job = (await jobs[name]()) as (ask: unknown, steps: Steps) => unknown
  return job(ask, steps)
}
