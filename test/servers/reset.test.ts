/** `temporal workflow reset` with the event that the `metrics` query lists for a step: it goes back to that step's beginning. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Deps } from '../../activities/deps.ts'
import { pendingActivities } from '../../activities/pending.ts'
import { provision } from '../../infra/provision.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { StepMetrics } from '../../workflows/progress.ts'
import type { train } from '../../workflows/train.ts'
import { compute, light, spec, startServer, type Server } from './handmade.ts'

let server: Server
let cli: string
beforeAll(async () => {
  // A history of some three steps: what is listed of a run lies in several.
  server = await startServer('reset', 40)
  cli = (await provision('temporal')) ?? ''
})
afterAll(() => server.close())

const steps = 5
/** Longer than a run waits before its watch asks the server what its activities do. */
const quietMs = 12_000

it.each([
  ['none of whose steps is slow', 0],
  ['whose second step is slow, so that its watch asks in between', 2],
])('a run %s repeats a step and those after it, and none before', async (name, slow) => {
  const { client } = server.environment
  const workflowId = `slow-${slow}`
  const done: number[] = []
  let [committed, waited] = [0, false]
  const activities = {
    light: {
      ...light,
      ...pendingActivities({ client, now: Date.now } as unknown as Deps),
      enroll: async () => ({ ...(await light.enroll()), step: committed }),
    },
    compute: {
      ...compute,
      step: async (task: Parameters<typeof compute.step>[0]) => {
        if (task.step === slow && !waited) await new Promise((resolve) => setTimeout(resolve, quietMs))
        waited ||= task.step === slow
        done.push(task.step)
        committed = task.step
        return compute.step(task)
      },
    },
  }
  await server.serving(activities, async () => {
    await client.workflow.execute<typeof train>('train', {
      taskQueue: taskQueues.light,
      workflowId,
      args: [{ ...spec, steps, evaluate: { benchmarks: [] } }],
    })
    const histories = new Set<string | undefined>()
    for (const target of [1, 2, 3, 4, 5, 3]) {
      const handle = client.workflow.getHandle<typeof train>(workflowId)
      const listed = await handle.query<StepMetrics[], []>('metrics')
      expect(
        listed.map(({ step }) => step),
        name,
      ).toEqual([1, 2, 3, 4, 5])
      for (const { runId } of listed) histories.add(runId)
      done.length = 0
      await reset(workflowId, listed, target)
      await handle.result()
      expect(done, `reset to step ${target}`).toEqual(
        Array.from({ length: steps - target + 1 }, (_, i) => target + i),
      )
    }
    expect(histories.size).toBeGreaterThan(6) // of seven chains, several of more than one history
  })
})

/** By what the query lists of the step, as the page on resuming says it. */
async function reset(workflowId: string, listed: readonly StepMetrics[], target: number): Promise<void> {
  const { event, runId } = listed.find(({ step }) => step === target) ?? {}
  await promisify(execFile)(cli, [
    ...['workflow', 'reset', '--workflow-id', workflowId, '--run-id', runId ?? ''],
    ...['--event-id', String(event), '--reason', `as it was at step ${target}`],
    ...['--address', server.environment.address],
  ])
}

it('a run whose evaluations were open where it is reset to has all points of its curve', async () => {
  const { client } = server.environment
  let committed = 0
  const activities = {
    light: { ...light, enroll: async () => ({ ...(await light.enroll()), step: committed }) },
    compute: {
      ...compute,
      step: async (task: Parameters<typeof compute.step>[0]) => {
        committed = task.step
        return compute.step(task)
      },
      complete: async () => {
        await new Promise((resolve) => setTimeout(resolve, 2000)) // longer than the steps
        return { deviceSeconds: 1 }
      },
    },
  }
  await server.serving(activities, async () => {
    const execution = { taskQueue: taskQueues.light, workflowId: 'evaluated' }
    const input = { ...spec, steps: 3, evaluate: { every: 1, benchmarks: ['nano'] } }
    await client.workflow.execute<typeof train>('train', { ...execution, args: [input] })
    const handle = client.workflow.getHandle<typeof train>('evaluated')
    for (const target of [3, 1]) {
      const listed = await handle.query<StepMetrics[], []>('metrics')
      await reset('evaluated', listed, target)
      const { curve } = await handle.result()
      expect(curve.map(({ step }) => step)).toEqual([0, 1, 2, 3])
    }
  })
}, 60_000)
