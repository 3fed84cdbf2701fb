/** What a run says while nothing happens: standing still does not look like working, and working costs no questions. */
import { Context } from '@temporalio/activity'
import { WorkflowFailedError } from '@temporalio/client'
import { Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Deps } from '../../activities/deps.ts'
import { pendingActivities } from '../../activities/pending.ts'
import { workflowBundle } from '../../infra/bundle.ts'
import { snapshot, textOf } from '../../infra/progress.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { TrainProgress } from '../../workflows/progress.ts'
import type { train } from '../../workflows/train.ts'
import { compute, light, spec, startServer, type Server } from './handmade.ts'

let server: Server
beforeAll(async () => void (server = await startServer('progress')))
afterAll(() => server.close())

const noEvaluation = { ...spec, evaluate: { benchmarks: [] } }
const start = (workflowId: string, input: unknown) =>
  server.environment.client.workflow.start<typeof train>('train', {
    taskQueue: taskQueues.light,
    workflowId,
    args: [input],
  })

it('a run says that it waits for a slot, that it computes, and why an attempt failed; then it says none of it', async () => {
  const { client, nativeConnection: connection } = server.environment
  const asking = { ...light, ...pendingActivities({ client, now: Date.now } as unknown as Deps) }
  await server.serving({ light: asking }, async () => {
    const handle = await start('slow', noEvaluation)
    const progress = () => handle.query<TrainProgress, []>('progress')
    const details = async () =>
      (await handle.query<{ currentDetails: string }, []>('__temporal_workflow_metadata')).currentDetails
    const doing = async () => (await progress()).doing

    // Nobody polls the compute queue: its first sample was scheduled and never started.
    await expect.poll(doing, { timeout: 60_000, interval: 1000 }).toBe('waiting for a compute slot')
    expect(await progress()).toMatchObject({ phase: 'training', step: 0, activity: 'sample', attempt: 1 })
    expect(await details()).toMatch(/^\*\*waiting for a compute slot\*\* \(sample\), no result since 20/)
    const seen = await snapshot(client, 'slow')
    expect(seen.pending).toMatchObject([
      { activity: 'sample', queue: 'compute', state: 'scheduled', attempt: 1 },
    ])
    expect(seen.queues.find(({ name }) => name === taskQueues.compute)).toMatchObject({
      pollers: 0,
      backlog: 1,
    })
    expect(textOf(seen)).toContain(`nobody polls queue ${taskQueues.compute}`)

    // A worker comes: it samples, and then its update takes its time.
    let finish = () => {}
    const finished = new Promise<void>((resolve) => (finish = resolve))
    const slow = {
      ...compute,
      step: async (task: Parameters<typeof compute.step>[0]) => {
        const { heartbeat } = Context.current()
        const beats = setInterval(() => heartbeat({ phase: 'update', done: 3, total: 8 }), 1000)
        await finished
        clearInterval(beats)
        return compute.step(task)
      },
    }
    const worker = await Worker.create({ connection, taskQueue: taskQueues.compute, activities: slow })
    await worker.runUntil(
      (async () => {
        await expect.poll(doing, { timeout: 60_000, interval: 1000 }).toBe('computing: update, 3 of 8')
        expect(await details()).toMatch(/^\*\*computing: update, 3 of 8\*\* \(step\)/)

        // What is no such signal, or is of an activity that has ended, changes nothing.
        const [open] = (await snapshot(client, 'slow')).pending
        const failed = {
          activity: 'step',
          activityId: open!.activityId,
          attempt: 2,
          fault: 'StoreError',
          message: 'no answer',
        }
        for (const other of [null, 7, {}, { ...failed, attempt: '2' }, { ...failed, activityId: '1' }])
          await handle.signal('attemptFailed', other)
        expect(await progress()).not.toHaveProperty('lastError')
        await handle.signal('attemptFailed', failed)
        expect(await progress()).toMatchObject({
          lastError: 'StoreError: no answer',
          failing: { activity: 'step', attempt: 2, since: expect.stringMatching(/^20.*Z$/) as string },
        })
        expect(await details()).toContain('attempt 2: StoreError: no answer')
        finish()
        await handle.result()
      })().finally(() => finish()),
    )
    const last = await progress()
    expect(last).toMatchObject({ phase: 'done', step: 2 })
    for (const gone of ['doing', 'lastError', 'failing', 'since']) expect(last).not.toHaveProperty(gone)
    expect(await details()).toMatch(/^\*\*done\*\*, step 2 of 2/)
    expect(await snapshot(client, 'slow')).toMatchObject({ status: 'COMPLETED', pending: [], queues: [] })
    // A worker that takes the run over finds the watch, its questions and the signals where they were.
    await Worker.runReplayHistory(
      { workflowBundle: await workflowBundle() },
      await handle.fetchHistory(),
      'slow',
    )
  })
})

it('a run to which results come has one timer and asks nothing', async () => {
  await server.serving({ light, compute }, async () => {
    const handle = await start('busy', noEvaluation)
    await handle.result()
    const events = (await handle.fetchHistory()).events ?? []
    const asked = events.filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'pending',
    )
    expect(asked).toEqual([])
    expect(events.filter((event) => event.timerStartedEventAttributes)).toHaveLength(1)
  })
})

it('a workflow of a type that there is not is answered, with the types that there are', async () => {
  const { client } = server.environment
  await server.serving({ light }, async () => {
    const endOf = async (type: string) => {
      const options = { taskQueue: taskQueues.light, workflowId: `of ${type}`, args: [noEvaluation] }
      const error: unknown = await client.workflow.execute(type, options).catch((error: unknown) => error)
      expect(error).toBeInstanceOf(WorkflowFailedError)
      return (error as WorkflowFailedError).cause
    }
    const known = 'estimate, evaluate, export, gc, label, pretrain, probe, score, sweep, train, verify'
    for (const [type, hint] of [['trian', ' (did you mean "train"?)'], ['evaluation', ' (did you mean "evaluate"?)'], ['toString', ''], ['__proto__', ''], ['default', '']] as const)
      expect(await endOf(type)).toMatchObject({
        type: 'UnknownWorkflow',
        nonRetryable: true,
        message: `--type: expected ${known}, found ${JSON.stringify(type)}${hint}`,
      })
  }) // prettier-ignore
})

it('a look at an id that nobody started names it', async () => {
  await expect(snapshot(server.environment.client, 'nobody')).rejects.toThrow(
    'there is no workflow nobody in namespace default',
  )
})
