/** A sweep that is cancelled: its runs end as it does, each at its own safe point, and none is said to be running. */
import { CancelledFailure } from '@temporalio/common'
import { Context } from '@temporalio/activity'
import { Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SweepCell } from '../../activities/admit.ts'
import { workflowBundle } from '../../infra/bundle.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { SweepProgress } from '../../workflows/progress.ts'
import { compute, light, spec, startServer, type Server } from './handmade.ts'

let server: Server
beforeAll(async () => void (server = await startServer('cancel')))
afterAll(() => server.close())

it('waits until its runs have ended, and lists none of them as running', async () => {
  const { client } = server.environment
  const runs = [1, 2, 3].map((seed) => ({ run: `s:m:a:${seed}`, model: 'm', arm: 'a', seed }))
  // The last has done its steps and waits for an evaluation, whose end it hears of before its own.
  const isLast = (run: string) => run.endsWith('3')
  const computing = new Set<string>()
  const untilCancelled = async (what: string) => {
    computing.add(what)
    await Context.current().cancelled
    return { deviceSeconds: 1 }
  }
  const activities = {
    light: {
      ...light,
      admitSweep: async () => ({
        total: 3,
        initial: [],
        labels: [],
        concurrency: 3,
        attributes: [],
        missing: [],
      }),
      planCells: async (): Promise<SweepCell[]> =>
        runs.map((cell) => {
          const benchmarks = isLast(cell.run) ? ['nano'] : []
          return { ...cell, spec: { ...spec, evaluate: { every: 0, benchmarks } } as never, priority: 3 }
        }),
      enroll: async ({ run }: { run: string }) => ({
        ...(await light.enroll()),
        step: isLast(run) ? spec.steps : 0,
      }),
      recall: async () => ({ ...(await light.recall()), missing: [spec.steps] }),
    },
    compute: {
      ...compute,
      sample: ({ run }: { run: string }) => untilCancelled(run),
      complete: () => untilCancelled('evaluation'),
    },
  }
  await server.serving(activities, async () => {
    const handle = await client.workflow.start('sweep', {
      taskQueue: taskQueues.light,
      workflowId: 's',
      args: [{}],
    })
    const progress = () => handle.query<SweepProgress, []>('progress')
    await expect.poll(() => computing.size, { timeout: 60_000 }).toBe(3)
    expect((await progress()).running).toEqual(runs.map(({ run }) => run))
    await handle.cancel()
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as Error })
    expect(await progress()).toMatchObject({ running: [], done: 0, total: 3 })
    const { currentDetails } = await handle.query<{ currentDetails: string }, []>(
      '__temporal_workflow_metadata',
    )
    expect(currentDetails).toContain('running: none')
    const { closeTime: end } = await handle.describe()
    for (const { run } of runs) {
      const { status, closeTime } = await client.workflow.getHandle(run).describe()
      expect(status.name).toBe('CANCELLED')
      expect(closeTime?.getTime()).toBeLessThanOrEqual(end?.getTime() ?? 0)
    }
    await Worker.runReplayHistory(
      { workflowBundle: await workflowBundle() },
      await handle.fetchHistory(),
      's',
    )
  })
})
