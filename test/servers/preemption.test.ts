/** Workers that are told to stop, and runs that are cancelled, terminated, reset: what is left, and what goes on. */
import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { taskQueues } from '../../temporal.config.ts'
import type { CheckpointDocument } from '../../activities/contracts.ts'
import type { train } from '../../workflows/train.ts'
import type { Place } from './doomed.ts'
import { Fleet, startGrounds, type Grounds } from './fleet.ts'

const spec = {
  preset: 'demo',
  model: 'nano/coder',
  reward: 'ground-truth',
  seed: 7,
  steps: 5,
  batch: { problems: 4, group: 4, minibatch: 8 },
  optimizer: { name: 'adamw', learningRate: 1e-4 },
  evaluate: { every: 2, limit: 4, samples: 2, temperature: 1 },
  checkpoint: { every: 2 },
}

let grounds: Grounds
let unbroken: Map<string, string>
beforeAll(async () => {
  grounds = await startGrounds('preemption')
  unbroken = await within('unbroken', [], async (fleet) => {
    await fleet.orBroken((await start('unbroken')).result())
    return fleet.documentsOf('unbroken')
  })
})
afterAll(() => grounds.close())

async function within<T>(
  name: string,
  plan: readonly Place[],
  body: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  const fleet = new Fleet(grounds, name)
  try {
    await Promise.all([fleet.add('light'), fleet.add('compute', plan)])
    return await body(fleet)
  } finally {
    await fleet.stop()
  }
}

const start = (workflowId: string) =>
  grounds.client.workflow.start<typeof train>('train', {
    taskQueue: taskQueues.light,
    workflowId,
    args: [spec],
  })

async function temporal(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(grounds.stack.cli, args, {
    env: grounds.stack.env,
    maxBuffer: 2 ** 24,
  })
  return stdout
}
const describeRun = (id: string) => temporal('workflow', 'describe', '--workflow-id', id)

/** Resolves once the run has done this step. */
const reached = (id: string, step: number) =>
  expect
    .poll(
      async () => (await grounds.client.workflow.getHandle(id).query<{ step: number }, []>('progress')).step,
      { timeout: 120_000, interval: 50 },
    )
    .toBeGreaterThanOrEqual(step)

describe('a worker that is told to stop', () => {
  it('stores the completions it has finished, and nothing is sampled twice', async () => {
    const fleet = new Fleet(grounds, 'sampling')
    try {
      await fleet.add('light')
      const leaving = await fleet.add('compute', [{ name: 'leave', sampled: 5, signal: 'SIGTERM' }])
      const handle = await start('sampling')
      await expect.poll(() => leaving.ends.length, { timeout: 60_000, interval: 50 }).toBe(1)
      expect(leaving.ends).toEqual([0])
      await fleet.orBroken(handle.result())
      const sampled = (await fleet.calls()).filter((call) => call.includes(' sampled '))
      const each = sampled.map((call) => call.replace(/^\d+ /, ''))
      expect(new Set(each).size).toBe(each.length)
      expect([...(await fleet.documentsOf('sampling'))]).toEqual([...unbroken])
      const files = await readdir(join(fleet.home, 'store'), { recursive: true })
      expect(files.filter((name) => name.includes('unfinished'))).toEqual([])
    } finally {
      await fleet.stop()
    }
  })

  it('is seen in `temporal workflow describe` as preempted, and the next attempt does not back off', async () => {
    const fleet = new Fleet(grounds, 'pending')
    try {
      await fleet.add('light')
      const leaving = await fleet.add('compute', [{ name: 'leave', sampled: 5, signal: 'SIGTERM' }])
      const handle = await start('pending')
      expect(await leaving.last()).toBe(0)
      expect(await describeRun('pending')).toContain('preempted: the worker was told to stop')
      const { pendingActivities } = (await handle.describe()).raw
      expect(pendingActivities?.map(({ attempt }) => attempt)).toContain(2)
      const { events } = await handle.fetchHistory()
      const sampling = events?.find(
        (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'sample',
      )
      expect(sampling?.activityTaskScheduledEventAttributes?.retryPolicy?.backoffCoefficient).toBe(1)
      await fleet.add('compute', [])
      await fleet.orBroken(handle.result())
      expect([...(await fleet.documentsOf('pending'))]).toEqual([...unbroken])
    } finally {
      await fleet.stop()
    }
  })

  it('in an update, with the state on its own queue, leaves word in the memo; the update is done again', async () => {
    const plan: Place[] = [{ name: 'leave', update: 3, signal: 'SIGTERM' }]
    await within('updating', plan, async (fleet) => {
      await fleet.orBroken((await start('updating')).result())
      expect(await describeRun('updating')).toMatch(
        /preempted.*step 3: preempted: the worker was told to stop/,
      )
      expect([...(await fleet.documentsOf('updating'))]).toEqual([...unbroken])
    })
  })
})

describe('a run that is ended from outside', () => {
  it.each(['cancel', 'terminate'] as const)(
    'by %s has a committed checkpoint, and started again it ends in the same digests',
    async (how) => {
      await within(how, [], async (fleet) => {
        await start(how)
        await reached(how, 2)
        await temporal('workflow', how, '--workflow-id', how)
        await expect(fleet.orBroken(grounds.client.workflow.getHandle(how).result())).rejects.toThrow()
        const checkpoint = (await fleet.json('runs', how, 'checkpoints', '000002.json')) as CheckpointDocument
        expect(checkpoint.step).toBe(2)
        await fleet.orBroken((await start(how)).result())
        expect([...(await fleet.documentsOf(how))]).toEqual([...unbroken])
      })
    },
  )

  it('by reset to a step boundary, named by `metrics`, repeats what follows from what is stored', async () => {
    await within('reset', [], async (fleet) => {
      const handle = await start('reset')
      await fleet.orBroken(handle.result())
      const metrics = await handle.query<{ step: number; event: number; runId: string }[], []>('metrics')
      const third = metrics.find(({ step }) => step === 3)!
      const before = await fleet.calls()
      const where = ['--run-id', third.runId, '--event-id', String(third.event)]
      await temporal('workflow', 'reset', '--workflow-id', 'reset', ...where, '--reason', 'a test')
      const result = await fleet.orBroken(grounds.client.workflow.getHandle<typeof train>('reset').result())
      expect(result.steps).toBe(5)
      expect(await fleet.calls()).toEqual(before) // nothing is computed that is there
      expect([...(await fleet.documentsOf('reset'))]).toEqual([...unbroken])
      const { events } = await grounds.client.workflow.getHandle('reset').fetchHistory()
      const steps = events?.filter(
        (e) => e.activityTaskScheduledEventAttributes?.activityType?.name === 'step',
      )
      expect(steps).toHaveLength(5) // two before the boundary, three after it
    })
  })

  it('by reset, and with a checkpoint of other inputs in its way, computes that one again and replaces it', async () => {
    await within('stale', [], async (fleet) => {
      const handle = await start('stale')
      await fleet.orBroken(handle.result())
      const path = join(fleet.home, 'store', 'runs', 'stale', 'checkpoints', '000004.json')
      const { checkpoint, ...rest } = JSON.parse(await readFile(path, 'utf8')) as CheckpointDocument
      const other = { ...rest, checkpoint: { ...checkpoint, lineage: '0'.repeat(64) } }
      await writeFile(path, JSON.stringify(other))
      const metrics = await handle.query<{ step: number; event: number; runId: string }[], []>('metrics')
      const third = metrics.find(({ step }) => step === 3)!
      const before = await fleet.calls()
      const where = ['--run-id', third.runId, '--event-id', String(third.event)]
      await temporal('workflow', 'reset', '--workflow-id', 'stale', ...where, '--reason', 'a test')
      await fleet.orBroken(grounds.client.workflow.getHandle('stale').result())
      const since = (await fleet.calls())
        .slice(before.length)
        .map((call) => call.split(' ').slice(1, 3).join(' '))
      expect(since).toContain('begin update')
      expect(since.filter((call) => call.startsWith('sampled'))).toEqual([])
      expect([...(await fleet.documentsOf('stale'))]).toEqual([...unbroken])
    })
  })

  it('checkpointNow stores the optimizer’s state with the next step', async () => {
    await within('now', [], async (fleet) => {
      const handle = await grounds.client.workflow.signalWithStart<typeof train, []>('train', {
        taskQueue: taskQueues.light,
        workflowId: 'now',
        args: [{ ...spec, checkpoint: { every: 100 }, evaluate: { benchmarks: [] } }],
        signal: 'checkpointNow',
      })
      await fleet.orBroken(handle.result())
      const states = await Promise.all(
        [0, 1, 2, 3, 4, 5].map(async (step) => {
          const document = await fleet.json('runs', 'now', 'checkpoints', `00000${step}.json`)
          return (document as CheckpointDocument).checkpoint.optimizer.state !== null
        }),
      )
      expect(states).toEqual([true, true, false, false, false, true]) // the first, the asked one, the last
    })
  })
})
