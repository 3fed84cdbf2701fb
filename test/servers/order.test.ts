/** Whose work is done first when there is more of it than workers: no model waits for all of another's, arms by priority. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { taskQueues } from '../../temporal.config.ts'
import { Fleet, startGrounds, type Grounds } from './fleet.ts'

let grounds: Grounds
beforeAll(async () => void (grounds = await startGrounds('order')))
afterAll(() => grounds.close())

const base = {
  preset: 'demo',
  reward: 'format',
  steps: 1,
  batch: { problems: 1, group: 2, minibatch: 2 },
  sampling: { maxTokens: 2 },
  evaluate: { benchmarks: [] },
}
const seeds = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** Starts a sweep whose runs are all open at once, and waits until each of them waits for a compute worker. */
async function begin(
  workflowId: string,
  given: { models: string[]; seeds: number[]; arms?: object; priorities?: object },
  runs: number,
) {
  const spec = { base, controls: false, arms: { only: {} }, concurrency: runs, ...given }
  const handle = await grounds.client.workflow.start('sweep', {
    taskQueue: taskQueues.light,
    workflowId,
    args: [spec],
  })
  await expect.poll(() => waiting(workflowId), { timeout: 120_000, interval: 500 }).toHaveLength(runs)
  return handle
}

/** Runs of a sweep whose first sampling has been asked for and not begun. */
async function waiting(sweep: string): Promise<string[]> {
  const found: string[] = []
  for await (const { workflowId } of grounds.client.workflow.list({
    query: `WorkflowType = "train" AND ExecutionStatus = "Running" AND Sweep = "${sweep}"`,
  })) {
    const { raw } = await grounds.client.workflow.getHandle(workflowId).describe()
    if (raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'sample'))
      found.push(workflowId)
  }
  return found
}

/** Run ids in the order in which their first samplings began. */
async function orderOf(sweeps: readonly string[]): Promise<string[]> {
  const begun: { run: string; at: number }[] = []
  for await (const { workflowId } of grounds.client.workflow.list({ query: 'WorkflowType = "train"' })) {
    if (!sweeps.some((sweep) => workflowId.startsWith(`${sweep}:`))) continue
    const { events } = await grounds.client.workflow.getHandle(workflowId).fetchHistory()
    const sample = events?.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'sample',
    )
    const started = events?.find(
      (event) =>
        String(event.activityTaskStartedEventAttributes?.scheduledEventId) === String(sample?.eventId),
    )
    const { seconds, nanos } = started?.eventTime ?? {}
    begun.push({ run: workflowId, at: Number(seconds) + (nanos ?? 0) / 1e9 })
  }
  return begun.sort((a, b) => a.at - b.at).map(({ run }) => run)
}

it('a model with two runs does not wait for another’s ten that were asked for before', async () => {
  const fleet = new Fleet(grounds, 'fair')
  try {
    await fleet.add('light')
    const many = await begin('many', { models: ['nano/coder'], seeds: seeds(10) }, 10)
    const few = await begin('few', { models: ['nano/talker'], seeds: seeds(2) }, 2)
    await fleet.add('compute')
    await fleet.orBroken(Promise.all([many.result(), few.result()]))
    const order = (await orderOf(['many', 'few'])).map((run) => run.split(':')[0])
    expect(order).toHaveLength(12)
    // First come, first served would have them at places 11 and 12; taking turns, at 2 and 4 or a little after.
    expect(order.lastIndexOf('few')).toBeLessThan(8)
  } finally {
    await fleet.stop()
  }
})

it('an arm of priority 1 is sampled before one of priority 5 that was asked for first', async () => {
  const fleet = new Fleet(grounds, 'first')
  try {
    await fleet.add('light')
    const arms = { late: {}, early: {} }
    const priorities = { early: 1, late: 5 }
    const sweep = await begin('arms', { models: ['nano/coder'], arms, priorities, seeds: seeds(4) }, 8)
    await fleet.add('compute')
    await fleet.orBroken(sweep.result())
    const order = (await orderOf(['arms'])).map((run) => run.split(':')[2])
    expect(order).toEqual([...Array<string>(4).fill('early'), ...Array<string>(4).fill('late')])
  } finally {
    await fleet.stop()
  }
})

it('a run does not wait for an evaluation that was asked for before', async () => {
  const fleet = new Fleet(grounds, 'beside')
  const start = (type: string, workflowId: string, spec: object) =>
    grounds.client.workflow.start(type, { taskQueue: taskQueues.light, workflowId, args: [spec] })
  const waits = (workflowId: string, activity: string) =>
    expect
      .poll(
        async () => {
          const { raw } = await grounds.client.workflow.getHandle(workflowId).describe()
          return raw.pendingActivities?.map(({ activityType }) => activityType?.name)
        },
        { timeout: 60_000, interval: 200 },
      )
      .toContain(activity)
  try {
    await fleet.add('light')
    const models = { model: 'nano/talker', benchmarks: ['nano'], limit: 8 }
    const evaluation = await start('evaluate', 'asked-before', models)
    await waits('asked-before', 'complete')
    const run = await start('train', 'asked-after', { ...base, model: 'nano/coder' })
    await waits('asked-after', 'sample')
    await fleet.add('compute')
    await fleet.orBroken(Promise.all([evaluation.result(), run.result()]))
    const first = (await fleet.calls()).find((call) => call.includes(' sampled '))
    const sampled = `step 1's rollouts`
    const { policy } = (await fleet.json('runs', 'asked-after', 'checkpoints', '000000.json')) as {
      policy: { digest: string }
    }
    expect(first?.includes(policy.digest) ? sampled : 'the evaluation').toBe(sampled)
  } finally {
    await fleet.stop()
  }
})
