/**
 * Sweeps of 30, 100 and 300 runs of next to no work, on one stack with one light and two compute workers: what a run
 * costs apart from its computing, and whether that grows with their number. Memory is the light worker's peak over all.
 */
import type { Client } from '@temporalio/client'
import type { Stack } from '../infra/stack.ts'
import { taskQueues } from '../temporal.config.ts'
import type { Benchmark, Measured } from './comparison.ts'
import { usedBy } from './groups.ts'
import { onStack } from './stack.ts'
import { tiny } from './tiny.ts'

const sizes = [30, 100, 300] as const
const one = { PLACEBO_THREADS: '1' }

export const sweep: Benchmark = {
  comparisons({ folder }) {
    const label = 'sweep of tiny runs'
    const less = { better: 'less' } as const
    const figures = sizes.map((runs) => ({
      name: `${label}, ${runs}: time a run`,
      unit: 'ms',
      ours: `msARun${runs}`,
      ...less,
    }))
    const growth = {
      name: `${label}: time a run at 300 over that at 30`,
      unit: 'ratio',
      ours: 'growth',
      target: { of: 'value' as const, bound: 1.1 },
      ...less,
    }
    const memory = {
      name: `${label}: light worker's peak memory`,
      unit: 'MB',
      ours: 'lightMB',
      target: { of: 'value' as const, bound: 600 },
      ...less,
    }
    const comparison = { label, ours: { folder }, peer: null, figures: [...figures, growth, memory] }
    return Promise.resolve({ comparisons: [comparison], missing: [] })
  },

  async measure(args) {
    const { folder } = args as { folder: string }
    const workers = [{ role: 'light' }, { role: 'compute', env: one }, { role: 'compute', env: one }] as const
    return onStack(folder, { workers }, measureOn)
  },
}

async function measureOn(client: Client, stack: Stack): Promise<Measured> {
  const { model: _, ...base } = tiny // a sweep has models of its own
  const models = ['nano/coder', 'nano/talker']
  const times: Record<string, number> = {}
  for (const runs of [4, ...sizes]) {
    // Another seed for each: nothing of one sweep is there already for the next.
    const seeds = Array.from({ length: runs / 2 }, (_, i) => 1000 * runs + i)
    const spec = { base, models, arms: { only: {} }, controls: false, seeds, concurrency: 8 }
    const workflowId = `sweep-${runs}`
    const start = performance.now()
    const { failed } = await client.workflow.execute<(spec: unknown) => Promise<{ failed: number }>>(
      'sweep',
      {
        taskQueue: taskQueues.light,
        workflowId,
        args: [spec],
      },
    )
    if (failed > 0) throw new Error(`bench: ${failed} of ${runs} runs failed`)
    times[`msARun${runs}`] = (performance.now() - start) / runs
  }
  const { peakBytes } = await usedBy(stack.processes.get('light')!.group())
  return { ...times, growth: times['msARun300']! / times['msARun30']!, lightMB: peakBytes / 1e6 }
}
