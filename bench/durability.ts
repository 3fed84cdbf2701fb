/**
 * What durability costs a step: one run on the whole stack (Temporal, S3, a light and a compute worker), beside what its
 * device computed.
 *
 * Latency is the time of a step in which the device waits: wall time between two steps' ends less device-seconds. The
 * share is 1 - device-seconds / (wall x slots). CPU is that of each process, the compute worker's less its computing,
 * which is as many threads as it has. The first steps, in which models are loaded, are left out.
 */
import { pathToFileURL } from 'node:url'
import type { Client } from '@temporalio/client'
import { defaultPayloadConverter } from '@temporalio/common'
import type { Stack } from '../infra/stack.ts'
import { taskQueues } from '../temporal.config.ts'
import type { Benchmark, Comparison, Measured } from './comparison.ts'
import { usedBy } from './groups.ts'
import { onStack } from './stack.ts'

interface Work {
  readonly folder: string
  readonly spec: Readonly<Record<string, unknown>>
  readonly steps: number
  readonly warmUp: number
  /** Folders that the spec may name. */
  readonly allow: string
}

export const durability: Benchmark = {
  async comparisons({ folder, model }) {
    const shared = { preset: 'demo', reward: 'ground-truth', evaluate: { benchmarks: [] } }
    const nano = { ...shared, model: 'nano/coder', batch: { problems: 8, group: 8, minibatch: 64 } }
    const comparisons = [
      row('nano', { folder, spec: nano, steps: 120, warmUp: 20, allow: '' }, [
        { name: 'latency a step', unit: 'ms', ours: 'latencyMs', target: { of: 'value', bound: 120 } },
      ]),
    ]
    if (model !== null) {
      const source = pathToFileURL(model).href
      const spec = {
        ...shared,
        model: source,
        prompt: 'default',
        reward: { random: 0.5 },
        data: { name: 'arithmetic', split: 'train', limit: 64 },
        batch: { problems: 8, group: 8, minibatch: 64, microbatchTokens: 2048 },
        sampling: { temperature: 1, maxTokens: 64 },
        optimizer: { name: 'adamw', learningRate: 1e-6 },
        checkpoint: { every: 100 },
      }
      comparisons.push(
        // Ten steps, the last of them stored whole: a run that does so at every tenth, as the `paper` preset has it.
        row('135M', { folder, spec, steps: 11, warmUp: 1, allow: source }, [
          { name: 'share that is not computing', unit: '%', ours: 'overheadPercent', target: { of: 'value', bound: 5 } },
        ]),
      ) // prettier-ignore
    }
    return { comparisons, missing: model === null ? ['--model FOLDER: nothing is measured at 135M'] : [] }
  },

  async measure(args) {
    const work = args as Work
    const env = { PLACEBO_ALLOW: work.allow }
    const workers = (['light', 'compute'] as const).map((role) => ({ role, env }))
    return onStack(work.folder, { workers }, (client, stack) => measureOn(client, stack, work))
  },
}

function row(
  size: string,
  work: Work,
  goals: readonly Omit<Comparison['figures'][number], 'better'>[],
): Comparison {
  const label = `durability, ${size}`
  const figures = [
    ...goals,
    { name: 'wall a step', unit: 'ms', ours: 'wallMs' },
    { name: 'computed a step', unit: 'ms', ours: 'busyMs' },
    { name: 'CPU a step: light worker', unit: 'ms', ours: 'cpuLightMs' },
    { name: 'compute worker, all of it', unit: 'ms', ours: 'cpuComputeMs' },
    { name: 'Temporal server', unit: 'ms', ours: 'cpuTemporalMs' },
    { name: 'S3 server', unit: 'ms', ours: 'cpuS3Ms' },
  ]
  return {
    label,
    ours: work,
    peer: null,
    figures: figures.map((figure) => ({
      ...figure,
      name: `${label}: ${figure.name}`,
      better: 'less' as const,
    })),
  }
}

async function measureOn(client: Client, stack: Stack, { spec, steps, warmUp }: Work): Promise<Measured> {
  const names = ['light', 'compute', 'temporal', 's3'] as const
  const used = () =>
    Promise.all(names.map(async (name) => (await usedBy(stack.processes.get(name)!.group())).cpuSeconds))
  const run = (workflowId: string, to: number) =>
    client.workflow.execute('train', {
      taskQueue: taskQueues.light,
      workflowId,
      args: [{ ...spec, steps: to }],
    })
  await run('warm', warmUp)
  const before = await used()
  await run('measured', steps)
  const after = await used()
  const { wallSeconds, busySeconds, counted } = await timesOf(client, 'measured', warmUp)
  const each = (seconds: number, of: number) => (1000 * seconds) / of
  const cpu = names.map((_, i) => each(after[i]! - before[i]!, steps))
  return {
    latencyMs: each(wallSeconds - busySeconds, counted),
    wallMs: each(wallSeconds, counted),
    busyMs: each(busySeconds, counted),
    overheadPercent: 100 * (1 - busySeconds / wallSeconds),
    cpuLightMs: cpu[0],
    cpuComputeMs: cpu[1],
    cpuTemporalMs: cpu[2],
    cpuS3Ms: cpu[3],
  }
}

/** From the end of step `from` to the end of the last: what passed, and what the device computed in it. */
async function timesOf(client: Client, workflowId: string, from: number) {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory()
  const types = new Map<string, string>()
  const ended: { type: string; atSeconds: number; deviceSeconds: number }[] = []
  for (const event of events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes
    if (scheduled) types.set(String(event.eventId), scheduled.activityType?.name ?? '')
    const completed = event.activityTaskCompletedEventAttributes
    const payload = completed?.result?.payloads?.[0]
    if (!completed || !payload) continue
    const { deviceSeconds = 0 } =
      defaultPayloadConverter.fromPayload<{ deviceSeconds?: number } | null>(payload) ?? {}
    const { seconds, nanos } = event.eventTime ?? {}
    const atSeconds = Number(seconds ?? 0) + (nanos ?? 0) / 1e9
    ended.push({ type: types.get(String(completed.scheduledEventId)) ?? '', atSeconds, deviceSeconds })
  }
  const steps = ended.filter(({ type }) => type === 'step')
  const [first, last] = [steps[from - 1], steps.at(-1)]
  if (first === undefined || last === undefined)
    throw new Error(`bench: expected more than ${from} steps in one history, found ${steps.length}`)
  const between = ended.filter(({ atSeconds }) => atSeconds > first.atSeconds && atSeconds <= last.atSeconds)
  return {
    counted: steps.length - from,
    wallSeconds: last.atSeconds - first.atSeconds,
    busySeconds: between.reduce((sum, { deviceSeconds }) => sum + deviceSeconds, 0),
  }
}
