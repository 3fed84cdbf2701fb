/** The public sets where there is no network and no folder of them: a run says why it waits, and what would mend it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openStore } from '../../activities/checkpoint/open.ts'
import type { Deps } from '../../activities/deps.ts'
import { intakeActivities } from '../../activities/intake.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { TrainProgress } from '../../workflows/progress.ts'
import type { train } from '../../workflows/train.ts'
import { compute, light, spec, startServer, type Server } from './handmade.ts'

let folder: string
let server: Server
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-offline-'))
  server = await startServer('offline')
})
afterAll(async () => {
  vi.unstubAllGlobals()
  await server.close()
  await rm(folder, { recursive: true })
})

it('a run on math problems says in its progress that their home cannot be reached, and which folder would do', async () => {
  const closed = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed', { cause: closed })))
  const store = await openStore(pathToFileURL(folder).href)
  const deps = { store, dataFolder: null, allow: [], hub: {} } as unknown as Deps
  const { intakeData } = intakeActivities(deps)
  await server.serving({ light: { ...light, intakeData }, compute }, async () => {
    const handle = await server.environment.client.workflow.start<typeof train>('train', {
      taskQueue: taskQueues.light,
      workflowId: 'offline',
      args: [{ ...spec, data: { name: 'deepscaler' } }],
    })
    const lastError = async () => (await handle.query<TrainProgress, []>('progress')).lastError
    await expect
      .poll(lastError, { timeout: 60_000 })
      .toMatch(
        /^Error: https:\/\/\S+: fetch failed \(ECONNREFUSED\); without network access, set PLACEBO_DATA_DIR to a folder with deepscaler-level-1\.jsonl$/,
      )
    // With a network it goes on by itself: what failed passes.
    const { failing } = await handle.query<TrainProgress, []>('progress')
    expect(failing).toMatchObject({ activity: 'intakeData' })
    await handle.terminate('seen')
  })
})
