/** Names of checkpoints as people write them, before they become keys. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Deps } from '../activities/deps.ts'
import { exportActivities } from '../activities/export.ts'
import { checkpointKey } from '../activities/open.ts'

let folder: string
let deps: Deps
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-open-'))
  const store = await openStore(pathToFileURL(join(folder, 'store')).href)
  deps = { store, allow: [pathToFileURL(folder).href] } as unknown as Deps
})
afterEach(() => rm(folder, { recursive: true }))

describe('a checkpoint', () => {
  it.each(['..', '.', '../3', 'a/b/c', ' ', '-a', 'a\u0000', 'x'.repeat(300), 'r/-1', 'r/1e9', ''])(
    'by the name %j is InvalidSpec',
    async (name) => {
      const refused = checkpointKey(deps, name)
      await expect(refused).rejects.toMatchObject({ name: 'InvalidSpec' })
      await expect(refused).rejects.toThrow('checkpoint: expected <run> or <run>/<step>, found ')
    },
  )

  it('of a run that is not there says so', async () => {
    await expect(checkpointKey(deps, 'r/3')).rejects.toThrow('checkpoint r/3: run r has none')
  })

  it.each(['file:///%2F', 'file:///a%00b', 'file:///%ff', 'file://host/share'])(
    'is not exported to %s: NotAllowed',
    async (to) => {
      const everywhere = { ...deps, allow: ['file:///'] }
      const spec = { checkpoint: 'r/3', to }
      const refused = new MockActivityEnvironment().run(exportActivities(everywhere).exportCheckpoint, {
        spec,
      })
      await expect(refused).rejects.toMatchObject({ type: 'NotAllowed', nonRetryable: true })
    },
  )
})
