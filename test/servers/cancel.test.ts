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
  // So many that some end after the first whose end the sweep hears of.
  const runs = [1, 2, 3, 4, 5, 6].map((seed) => ({ run: `s:m:a:${seed}`, model: 'm', arm: 'a', seed }))
  const sampling = new Set<string>()
  const activities = {
    light: {
      ...light,
      admitSweep: async () => ({
        total: 6,
        initial: [],
        labels: [],
        concurrency: 6,
        attributes: [],
        missing: [],
      }),
      planCells: async (): Promise<SweepCell[]> =>
        runs.map((cell) => ({
          ...cell,
          spec: { ...spec, evaluate: { benchmarks: [] } } as never,
          priority: 3,
        })),
    },
    compute: {
      ...compute,
      sample: async ({ run }: { run: string }) => {
        sampling.add(run)
        await Context.current().cancelled
        return { deviceSeconds: 1 }
      },
    },
  }
  await server.serving(activities, async () => {
    const handle = await client.workflow.start('sweep', {
      taskQueue: taskQueues.light,
      workflowId: 's',
      args: [{}],
    })
    const progress = () => handle.query<SweepProgress, []>('progress')
    await expect.poll(() => sampling.size, { timeout: 60_000 }).toBe(6)
    expect((await progress()).running).toEqual(runs.map(({ run }) => run))
    await handle.cancel()
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as Error })
    expect(await progress()).toMatchObject({ running: [], done: 0, total: 6 })
    const { currentDetails } = await handle.query<{ currentDetails: string }, []>(
      '__temporal_workflow_metadata',
    )
    expect(currentDetails).toContain('running: none')
    for (const { run } of runs)
      expect((await client.workflow.getHandle(run).describe()).status.name).toBe('CANCELLED')
    await Worker.runReplayHistory(
      { workflowBundle: await workflowBundle() },
      await handle.fetchHistory(),
      's',
    )
  })
})
