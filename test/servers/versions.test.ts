/** Workers with build ids: a run stays with the build that began it, and a new one begins with the current build. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { deploymentName, taskQueues } from '../../temporal.config.ts'
import type { TrainProgress } from '../../workflows/progress.ts'
import type { train } from '../../workflows/train.ts'
import { Fleet, startGrounds, type Grounds } from './fleet.ts'

const spec = {
  preset: 'demo',
  model: 'nano/coder',
  reward: 'format',
  steps: 3,
  batch: { problems: 2, group: 4, minibatch: 8 },
  evaluate: { benchmarks: [] },
}

let grounds: Grounds
beforeAll(async () => void (grounds = await startGrounds('versions')))
afterAll(() => grounds.close())

/** The command of the README. The server refuses until a worker of the build has polled: asked again until then. */
async function setCurrent(buildId: string): Promise<void> {
  const version = ['--deployment-name', deploymentName, '--build-id', buildId, '--yes']
  const address = ['--address', grounds.stack.temporalAddress]
  const run = () =>
    promisify(execFile)(grounds.stack.cli, [
      'worker',
      'deployment',
      'set-current-version',
      ...version,
      ...address,
    ])
  await expect.poll(() => run().then(() => 'set', String), { timeout: 60_000, interval: 1000 }).toBe('set')
}

async function buildOf(workflowId: string): Promise<string | null | undefined> {
  const { raw } = await grounds.client.workflow.getHandle(workflowId).describe()
  return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId
}

it('a paused run ends with the build that began it, after the next build has taken over', async () => {
  const fleet = new Fleet(grounds, 'versions')
  const start = { taskQueue: taskQueues.light, args: [spec] as [unknown] }
  const { workflow } = grounds.client
  try {
    const serve = (PLACEBO_BUILD_ID: string) =>
      Promise.all([
        fleet.add('light', [], PLACEBO_BUILD_ID, { PLACEBO_BUILD_ID }),
        fleet.add('compute', [], PLACEBO_BUILD_ID, { PLACEBO_BUILD_ID }),
      ])
    const builds = await serve('one')
    await setCurrent('one')
    const old = await workflow.signalWithStart<typeof train, []>('train', {
      ...start,
      workflowId: 'old',
      signal: 'pause',
    })
    await expect
      .poll(() => old.query<TrainProgress, []>('progress').catch(() => null), { timeout: 60_000 })
      .toMatchObject({ phase: 'paused' })
    await serve('two')
    await setCurrent('two')
    await fleet.orBroken(workflow.execute<typeof train>('train', { ...start, workflowId: 'new' }))
    await old.signal('resume')
    expect(await fleet.orBroken(old.result())).toMatchObject({ steps: 3 })
    expect([await buildOf('old'), await buildOf('new')]).toEqual(['one', 'two'])
    // The old build has nothing left to do: its workers stop, and runs go on.
    expect(await Promise.all(builds.map((worker) => worker.stop()))).toEqual([0, 0])
    await fleet.orBroken(workflow.execute<typeof train>('train', { ...start, workflowId: 'newer' }))
  } finally {
    await fleet.stop()
  }
})
