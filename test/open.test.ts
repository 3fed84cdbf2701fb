/** Names of checkpoints as people write them, before they become keys. */
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { canonical, digestOf } from '../activities/checkpoint/canonical.ts'
import { checksumsOf } from '../activities/checkpoint/checksum.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Deps } from '../activities/deps.ts'
import { policyOf } from '../activities/engine/embedded.ts'
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

describe('an export', () => {
  const text = (name: string) => ({ 'config.json': '{"a":1}', 'model.safetensors': 'weights' })[name] ?? ''
  const files = ['config.json', 'model.safetensors'].map((name) => {
    const { digest, sizeBytes } = checksumsOf(new TextEncoder().encode(text(name)))
    return { name, digest, sizeBytes }
  })
  beforeEach(async () => {
    const document = {
      format: 1, identity: digestOf('identity'), step: 1, policy: policyOf(files), learntFrom: [],
      checkpoint: { lineage: digestOf(1), optimizer: { name: 'adamw', updates: 1, state: null } },
    } // prettier-ignore
    await deps.store.replace(keys.checkpoint('r', 1), new TextEncoder().encode(canonical(document)))
    await mkdir(join(folder, 'blobs'))
    for (const { name, digest } of files) await writeFile(join(folder, 'blobs', digest), text(name))
    const file = ({ digest }: { digest: string }) => Promise.resolve(join(folder, 'blobs', digest))
    deps = { ...deps, blobs: { file } } as unknown as Deps
  })
  const exported = (name: string) =>
    new MockActivityEnvironment().run(exportActivities(deps).exportCheckpoint, {
      spec: { checkpoint: 'r/1', to: `${pathToFileURL(folder).href}/${name}` },
    })
  const there = (name: string) => readdir(join(folder, name))

  it("leaves a user's folder beside it alone, even one that is named after it", async () => {
    await mkdir(join(folder, 'out', 'mine.partial'), { recursive: true })
    await writeFile(join(folder, 'out', 'mine.partial', 'thesis'), '')
    await exported('out/mine')
    expect((await there('out')).sort()).toEqual(['mine', 'mine.partial'])
    expect(await there('out/mine.partial')).toEqual(['thesis'])
    expect((await there('out/mine')).sort()).toEqual(['config.json', 'model.safetensors'])
    expect(JSON.parse(await readFile(join(folder, 'out', 'mine', 'config.json'), 'utf8'))).toEqual({
      a: 1, torch_dtype: 'float32', dtype: 'float32',
    }) // prettier-ignore
    expect((await lstat(join(folder, 'out', 'mine'))).mode).toBe((await lstat(join(folder, 'out'))).mode)
  })

  it('that is there already, whole, is done; with another file or other bytes it is refused', async () => {
    const first = await exported('out/mine//') // slashes at its end are none of the name
    expect(await there('out')).toEqual(['mine'])
    expect(await exported('out/mine//')).toEqual(first)
    await writeFile(join(folder, 'out', 'mine', 'model.safetensors'), 'WEIGHTS')
    await expect(exported('out/mine')).rejects.toMatchObject({ type: 'NotAllowed' })
    await writeFile(join(folder, 'out', 'mine', 'model.safetensors'), 'weights')
    await writeFile(join(folder, 'out', 'mine', 'notes'), '')
    await expect(exported('out/mine')).rejects.toThrow('something is there already')
  })

  it('of two at once to one place, both are done and nothing else is left', async () => {
    expect(await Promise.all([exported('out/mine'), exported('out/mine')])).toHaveLength(2)
    expect(await there('out')).toEqual(['mine'])
  })

  it('through a link is written where that leads, within what is allowed; elsewhere it is NotAllowed', async () => {
    deps = { ...deps, allow: [`${pathToFileURL(folder).href}/out`] }
    await mkdir(join(folder, 'out', 'real'), { recursive: true })
    await mkdir(join(folder, 'elsewhere'))
    await symlink(join(folder, 'out', 'real'), join(folder, 'out', 'link'))
    await symlink(join(folder, 'elsewhere'), join(folder, 'out', 'away'))
    await symlink(join(folder, 'elsewhere', 'none'), join(folder, 'out', 'mine'))
    await exported('out/link/mine')
    expect(await there('out/real')).toEqual(['mine'])
    for (const name of ['out/away/mine', 'out/away/a/b/mine', 'out/mine'])
      await expect(exported(name)).rejects.toMatchObject({ type: 'NotAllowed', nonRetryable: true })
    expect(await there('elsewhere')).toEqual([])
  })

  it.each(['file/in', 'file', `out/${'x'.repeat(256)}`])('to %s is NotAllowed, for good', async (name) => {
    await writeFile(join(folder, 'file'), '')
    await expect(exported(name)).rejects.toMatchObject({ type: 'NotAllowed', nonRetryable: true })
  })
})
