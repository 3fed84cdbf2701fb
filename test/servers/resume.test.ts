/** Closed workflows started again by a query: with what their first execution was given, and a child by its parent. */
import { ApplicationFailure } from '@temporalio/common'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Cell, StepTask } from '../../activities/contracts.ts'
import { firstStart, resume } from '../../infra/resume.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { train } from '../../workflows/train.ts'
import { compute, light, spec, startServer, type Server } from './handmade.ts'

let server: Server
beforeAll(async () => void (server = await startServer('resume', 60)))
afterAll(() => server.close())

const noEvaluation = { ...spec, evaluate: { benchmarks: [] } }
/** Runs whose steps fail for good, by id and step. */
const failing = new Set<string>()
const done = new Map<string, number>()
const cells = [1, 2].map((seed) => ({ run: `x:${seed}`, model: 'm', arm: 'a', seed }))
const activities = {
  light: {
    ...light,
    enroll: async ({ run }: { run: string }) => ({ ...(await light.enroll()), step: done.get(run) ?? 0 }),
    admitSweep: async () => ({ total: 2, initial: [], labels: [], concurrency: 2, attributes: ['Sweep'], missing: [] }), // prettier-ignore
    planCells: async ({ from }: { from: number }) =>
      cells.slice(from).map((cell) => ({ ...cell, spec: { ...noEvaluation, steps: 1 }, priority: 3 })),
    report: async ({ cells }: { cells: Cell[] }) => cells.map(({ run, status }) => `${run} ${status}`),
  },
  compute: {
    ...compute,
    step: async (task: StepTask) => {
      if (failing.has(`${task.run}/${task.step}`))
        throw ApplicationFailure.nonRetryable('by hand', 'InvalidData')
      done.set(task.run, task.step)
      return compute.step(task)
    },
  },
}

/** Visibility hears of an end a moment later. */
const visible = (query: string, count: number) =>
  expect.poll(async () => (await server.environment.client.workflow.count(query)).count, { timeout: 30_000 }).toBe(count) // prettier-ignore

it('a run that continued as new begins with its first input, its queue, memo, attributes and priority again', async () => {
  failing.add('long/9')
  await server.serving(activities, async () => {
    const { client } = server.environment
    const given = {
      taskQueue: taskQueues.light,
      workflowId: 'long',
      args: [{ ...noEvaluation, steps: 10 }] as [unknown],
      memo: { why: 'a test' },
      searchAttributes: { Sweep: ['by hand'] },
      priority: { priorityKey: 2, fairnessKey: 'm' },
      staticSummary: 'a long one',
    }
    const first = await client.workflow.start<typeof train>('train', given)
    await expect(first.result()).rejects.toThrow()
    const query = 'Sweep = "by hand" AND ExecutionStatus = "Failed"'
    await visible(query, 1)
    const failedRun = (await client.workflow.getHandle('long').describe()).runId
    expect(failedRun).not.toBe(first.firstExecutionRunId) // its history began anew

    const row = {
      workflowId: 'long',
      type: 'train',
      taskQueue: taskQueues.light,
      why: 'failed: InvalidData: by hand',
    }
    expect(await resume(client, query, false)).toEqual([{ ...row, action: 'start' }])
    expect((await client.workflow.getHandle('long').describe()).runId).toBe(failedRun) // a dry run starts nothing

    failing.clear()
    const before = (await firstStart(client, 'long')).started
    expect(await resume(client, query, true)).toEqual([{ ...row, action: 'started' }])
    const { event, started } = await firstStart(client, 'long')
    expect(started.input?.payloads).toHaveLength(1) // the spec, and no state of continue-as-new
    for (const kept of [
      'input',
      'memo',
      'searchAttributes',
      'priority',
      'taskQueue',
      'workflowType',
    ] as const)
      expect(started[kept]).toEqual(before[kept])
    expect(event.userMetadata?.summary).toBeDefined()
    expect(await client.workflow.getHandle<typeof train>('long').result()).toMatchObject({ steps: 10 })
    expect(await resume(client, query, true)).toEqual([
      { action: 'skip', workflowId: 'long', type: '', taskQueue: '', why: 'has completed since' },
    ])
  })
})

it('runs of a sweep are started by the sweep, once for all that failed, and what completed since is left alone', async () => {
  failing.add('x:1/1').add('x:2/1')
  await server.serving(activities, async () => {
    const { client } = server.environment
    const handle = await client.workflow.start('sweep', {
      taskQueue: taskQueues.light,
      workflowId: 'x',
      args: [{ seeds: [1, 2] }],
    })
    expect(await handle.result()).toEqual(['x:1 failed', 'x:2 failed'])
    const query = 'Sweep = "x" AND ExecutionStatus = "Failed"'
    await visible(query, 2)
    failing.clear()
    const outcomes = await resume(client, query, true)
    expect(outcomes).toMatchObject([{ action: 'started', workflowId: 'x', type: 'sweep' }])
    expect(outcomes[0]?.why).toMatch(/^for x:\d, x:\d: InvalidData: by hand$/)
    expect(await client.workflow.getHandle('x').result()).toEqual(['x:1 completed', 'x:2 completed'])
    expect((await resume(client, query, true)).map(({ action, why }) => [action, why])).toEqual([
      ['skip', 'has completed since'],
      ['skip', 'has completed since'],
    ])
  })
})
