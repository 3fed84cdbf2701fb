/**
 * A long run of next to no work: whether its histories stay small, and a step's time and the light worker's memory stay
 * what they were. `--limit 10000` steps; the time of a step is that of the first tenth beside that of the last.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Client } from '@temporalio/client'
import type { Stack } from '../infra/stack.ts'
import { taskQueues } from '../temporal.config.ts'
import type { Benchmark, Measured } from './comparison.ts'
import { usedBy } from './groups.ts'
import { onStack } from './stack.ts'

interface Work {
  readonly folder: string
  readonly steps: number
}

export const long: Benchmark = {
  comparisons({ folder, limit }) {
    const label = `run of ${limit} tiny steps`
    const less = { better: 'less' } as const
    const figures = [
      { name: `${label}: histories`, unit: 'count', ours: 'histories', ...less },
      { name: `${label}: longest history`, unit: 'events', ours: 'longest', target: { of: 'value' as const, bound: 10_240 }, ...less },
      { name: `${label}: a step of the first tenth`, unit: 'ms', ours: 'firstMs', ...less },
      { name: `${label}: a step of the last tenth`, unit: 'ms', ours: 'lastMs', ...less },
      { name: `${label}: light worker's peak memory`, unit: 'MB', ours: 'lightMB', target: { of: 'value' as const, bound: 600 }, ...less },
    ] // prettier-ignore
    return Promise.resolve({
      comparisons: [{ label, ours: { folder, steps: limit } satisfies Work, peer: null, figures }],
      missing: [],
    })
  },

  async measure(args) {
    const work = args as Work
    const workers = [{ role: 'light' }, { role: 'compute', env: { PLACEBO_THREADS: '1' } }] as const
    const store = (folder: string) => pathToFileURL(join(folder, 'store')).href
    return onStack(work.folder, { workers, store }, (client, stack) => measureOn(client, stack, work.steps))
  },
}

async function measureOn(client: Client, stack: Stack, steps: number): Promise<Measured> {
  const { workflow } = client
  const spec = {
    preset: 'demo',
    model: 'nano/coder',
    reward: 'format',
    steps,
    data: { name: 'nano', limit: 8 },
    batch: { problems: 1, group: 2, minibatch: 2 },
    sampling: { maxTokens: 2 },
    evaluate: { benchmarks: [] },
  }
  const handle = await workflow.start('train', {
    taskQueue: taskQueues.light,
    workflowId: 'long',
    args: [spec],
  })
  /** When these steps were through; looked at every so often, since a run must not notice. */
  const reached: { step: number; atMs: number }[] = []
  const done = handle.result().then(
    () => true,
    (error: unknown) => Promise.reject(error as Error),
  )
  while (!(await Promise.race([done, sleep(2000, false)]))) {
    const at = await handle.query<{ step: number }, []>('progress').catch(() => null)
    if (at !== null) reached.push({ step: at.step, atMs: performance.now() })
  }
  reached.push({ step: steps, atMs: performance.now() })
  const lengths = await lengthsOf(workflow)
  const between = (from: number, to: number) => {
    const [a, b] = [from, to].map((step) => reached.find((at) => at.step >= step))
    return a === undefined || b === undefined ? NaN : (b.atMs - a.atMs) / (b.step - a.step)
  }
  const { peakBytes } = await usedBy(stack.processes.get('light')!.group())
  return {
    histories: lengths.length,
    longest: Math.max(...lengths),
    firstMs: between(1, steps / 10),
    lastMs: between(0.9 * steps, steps),
    lightMB: peakBytes / 1e6,
  }
}

/** Events of each history of the run, first to last. */
async function lengthsOf(workflow: Client['workflow']): Promise<number[]> {
  const lengths: number[] = []
  let runId = (await workflow.getHandle('long').fetchHistory()).events?.[0]
    ?.workflowExecutionStartedEventAttributes?.firstExecutionRunId
  while (runId) {
    const { events } = await workflow.getHandle('long', runId).fetchHistory()
    lengths.push(events?.length ?? 0)
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId
  }
  return lengths
}
