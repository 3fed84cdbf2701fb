/**
 * A long run against activities by hand: its history begins anew at step boundaries, and nobody who asks can tell.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Cell, ResolvedTrain, ShardTask, StepTask } from '../../activities/contracts.ts'
import { resolveTrain } from '../../activities/spec/resolve.ts'
import { workflowBundle } from '../../infra/bundle.ts'
import { provision } from '../../infra/provision.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { label } from '../../workflows/label.ts'
import type { score } from '../../workflows/score.ts'
import type { StepMetrics, TrainProgress } from '../../workflows/progress.ts'
import type { train } from '../../workflows/train.ts'

const steps = 40
/** Events after which the server suggests to continue as new; its own limit is 4096. */
const suggestAt = 100

let environment: TestWorkflowEnvironment
let folder: string
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const path = await provision('temporal')
  if (path === null) throw new Error('the Temporal CLI is needed')
  folder = await mkdtemp(join(tmpdir(), 'placebo-continue-'))
  const extraArgs = ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${suggestAt}`]
  environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path }, dbFilename: join(folder, 'db'), extraArgs },
  })
})
afterAll(async () => {
  await environment.teardown()
  await rm(folder, { recursive: true, force: true })
})

const done: number[] = []
/** The run ids of the workflow's histories, and what its queries answered while each of them was being admitted. */
const histories: string[] = []
const seen: { progress: TrainProgress; details: string }[] = []

const handle = () => environment.client.workflow.getHandle<typeof train>('long')
const light = {
  admitTrain: async ({ spec }: { spec: unknown }) => {
    const { runId } = (await handle().describe()) as { runId: string }
    histories.push(runId)
    if (histories.length > 1) {
      const metadata = await handle().query<{ currentDetails?: string }, []>('__temporal_workflow_metadata')
      seen.push({ progress: await handle().query('progress'), details: metadata.currentDetails ?? '' })
    }
    return { spec: resolveTrain(spec), attributes: [], missing: [] }
  },
  intakeModel: async () => ({ source: 'models/m.json', policy: 'p' }),
  intakeData: async () => ({ source: 'data/d.json', count: 8 }),
  enroll: async (_: { spec: ResolvedTrain }) => ({ spec: 'specs/s.json', step: done.length, shards: 1 }),
  conclude: async ({ run, step }: { run: string; step: number }) => ({
    source: `${run}/${step}`,
    policy: `p${step}`,
  }),
  reward: async (_: ShardTask) => ({ digest: 'rewards' }),
  admitSweep: async () => ({
    total: cells.length,
    initial: [],
    labels: [],
    concurrency: 3,
    attributes: [],
    missing: [],
  }),
  planCells: async ({ from }: { from: number }) =>
    cells.slice(from, from + 7).map((cell) => ({ ...cell, spec: { ...spec, steps: 0 }, priority: 3 })),
  report: async ({ cells }: { cells: Cell[] }) => cells,
}
/** The runs of a sweep, in the order of its plan. */
const cells = Array.from({ length: 16 }, (_, seed) => ({ run: `wide-${seed}`, model: 'm', arm: 'a', seed }))
const spec = {
  preset: 'demo', model: 'nano/coder', reward: 'ground-truth', evaluate: { benchmarks: [] },
} // prettier-ignore
const compute = {
  sample: async (_: ShardTask) => ({ deviceSeconds: 1 }),
  step: async ({ step }: StepTask) => {
    done.push(step)
    return { policy: `p${step}`, metrics: { reward: step }, queue: null, deviceSeconds: 2 }
  },
}

async function serving<T>(
  body: () => Promise<T>,
  activities: { readonly light: object; readonly compute: object } = { light, compute },
): Promise<T> {
  const { nativeConnection: connection } = environment
  const bundle = await workflowBundle()
  const [first, second] = await Promise.all([
    Worker.create({
      connection,
      taskQueue: taskQueues.light,
      workflowBundle: bundle,
      activities: activities.light,
    }),
    Worker.create({ connection, taskQueue: taskQueues.compute, activities: activities.compute }),
  ])
  return first.runUntil(second.runUntil(body()))
}

/** Lengths of a workflow's histories, first to last. */
async function lengthsOf(workflowId: string): Promise<number[]> {
  const lengths: number[] = []
  const { workflow } = environment.client
  for (let runId: string | undefined = await firstRunOf(workflowId); runId !== undefined;) {
    const { events } = await workflow.getHandle(workflowId, runId).fetchHistory()
    lengths.push(events?.length ?? 0)
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined
  }
  return lengths
}

async function firstRunOf(workflowId: string): Promise<string> {
  const { events } = await environment.client.workflow.getHandle(workflowId).fetchHistory()
  return events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? ''
}

it('a run of many steps keeps its histories small; queries and details survive each new one', async () => {
  const execution = {
    taskQueue: taskQueues.light,
    workflowId: 'long',
    args: [{ ...spec, steps }] as [unknown],
  }
  let recent: StepMetrics[] = []
  const body = async () => {
    const result = await environment.client.workflow.execute<typeof train>('train', execution)
    recent = await handle().query<StepMetrics[], []>('metrics')
    return result
  }
  const result = await serving(body)

  expect(result).toMatchObject({
    steps,
    policy: `p${steps}`,
    metrics: { reward: steps },
    deviceSeconds: 3 * steps,
  })
  expect(done).toEqual(Array.from({ length: steps }, (_, i) => i + 1)) // each once, in order
  // A step is at least 9 events: 3 activities of three events each.
  expect(histories.length).toBeGreaterThanOrEqual(Math.floor((steps * 9) / (suggestAt + 60)))
  expect(histories.length).toBeGreaterThan(1)
  for (const runId of histories) {
    const { raw } = await environment.client.workflow.getHandle('long', runId).describe()
    // What is suggested is done at the next boundary: a step is at most 60 events away.
    expect(Number(raw.workflowExecutionInfo?.historyLength)).toBeLessThan(suggestAt + 60)
  }
  for (const { progress, details } of seen) {
    expect(progress).toMatchObject({ phase: 'training', steps })
    expect(progress.step).toBeGreaterThan(0)
    expect(details).toContain(`step ${progress.step} of ${steps}`)
  }
  expect(recent.map(({ step }) => step)).toEqual(done.slice(-100))
  expect(recent.every(({ runId }) => histories.includes(runId ?? ''))).toBe(true)
})

it('a sweep of many runs drains its window before its history begins anew, and runs each once', async () => {
  done.length = 0
  const result: unknown = await serving(() =>
    environment.client.workflow.execute('sweep', {
      taskQueue: taskQueues.light,
      workflowId: 'wide',
      args: [{}],
    }),
  )
  expect((result as Cell[]).map(({ run, status }) => [run, status])).toEqual(
    cells.map(({ run }) => [run, 'completed']),
  )
  const lengths = await lengthsOf('wide')
  expect(lengths.length).toBeGreaterThan(1)
  // Three runs may be open when it is suggested; each adds at most 10 events until it has ended.
  for (const length of lengths) expect(length).toBeLessThan(suggestAt + 3 * 10 + 10)
  for (const { run } of cells) {
    const { raw } = await environment.client.workflow.getHandle(run).describe()
    expect(raw.workflowExecutionInfo?.firstRunId).toBe(raw.workflowExecutionInfo?.execution?.runId)
  }
})

it('labels of many parts: every shard is sampled once and every part voted on once, over several histories', async () => {
  const parts = Array.from({ length: 30 }, (_, i) => ({ from: 2 * i, to: 2 * i + 2 }))
  const [shards, voted]: [number[], number[]] = [[], []]
  const result = { problems: 60, samples: 4, labelled: 60, wrong: 6, labelledShare: { value: 1, low: 0.9, high: 1 }, wrongShare: null, agreement: null } // prettier-ignore
  const light = {
    admitLabel: async ({ spec }: { spec: object }) => ({ spec, model: 'nano/coder' }),
    intakeModel: async () => ({ source: 'models/m.json', policy: 'p' }),
    intakeData: async () => ({ source: 'data/d.json', count: 60 }),
    labelTask: async () => ({}),
    planLabels: async () => ({ parts, labels: 'labels/l.json', result: null }),
    votes: async ({ part }: { part: number }) => {
      // Its shards are through before a part is voted on.
      expect(shards).toEqual(expect.arrayContaining([2 * part, 2 * part + 1]))
      voted.push(part)
    },
    countVotes: async () => {
      expect(voted).toHaveLength(parts.length)
      return { labels: 'labels/l.json', result }
    },
  }
  const compute = {
    sampleVotes: async ({ shard }: { shard: number }) => (shards.push(shard), { deviceSeconds: 0.5 }),
  }
  const execution = { taskQueue: taskQueues.light, workflowId: 'labels', args: [{}] as [unknown] }
  const labels = await serving(() => environment.client.workflow.execute<typeof label>('label', execution), {
    light,
    compute,
  })

  const inOrder = (numbers: number[]) => numbers.toSorted((a, b) => a - b)
  expect(inOrder(shards)).toEqual(Array.from({ length: 60 }, (_, i) => i))
  expect(inOrder(voted)).toEqual(parts.map((_, i) => i))
  expect(labels).toEqual({ labels: 'labels/l.json', table: 'labels/l.parquet', ...result, deviceSeconds: 30 })
  expect((await lengthsOf('labels')).length).toBeGreaterThan(1)
})

it('another reward on many steps: each is scored once, in order in the result, over several histories', async () => {
  const scored: number[] = []
  const all = Array.from({ length: 50 }, (_, i) => i + 1)
  const light = {
    admitScore: async () => ({ spec: { run: 'r', reward: 'format' }, steps: all }),
    scoreStep: async ({ step }: { step: number }) => {
      scored.push(step)
      const rollouts = step === 1 ? 30 : 10 // weights: a mean is over rollouts, not over steps
      return { step, table: `scores/${step}`, leftOut: 1, rollouts, mean: step === 1 ? 1 : 0, trainedMean: 0.5, agreement: 1, components: {} } // prettier-ignore
    },
  }
  const execution = { taskQueue: taskQueues.light, workflowId: 'scores', args: [{}] as [unknown] }
  const result = await serving(() => environment.client.workflow.execute<typeof score>('score', execution), {
    light,
    compute,
  })

  expect(scored.toSorted((a, b) => a - b)).toEqual(all)
  expect(result.steps.map(({ step }) => step)).toEqual(all)
  // 30 of 30 + 49 x 10 rollouts are worth 1
  expect(result).toMatchObject({ rollouts: 520, leftOut: 50, mean: 30 / 520, trainedMean: 0.5, agreement: 1 })
  expect((await lengthsOf('scores')).length).toBeGreaterThan(1)
})
