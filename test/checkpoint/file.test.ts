import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../activities/checkpoint/open.ts'
import { housekeepingContract } from './housekeeping.ts'
import { storeContract, unfinishedOf } from './contract.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-file-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('housekeeping in a folder', () => {
  housekeepingContract(
    async () => pathToFileURL(await mkdtemp(join(folder, 'store-'))).href,
    (url, key, writtenMs) => utimes(join(fileURLToPath(url), key), writtenMs / 1000, writtenMs / 1000),
  )
})

describe('the store in a folder', () => {
  storeContract(async () => pathToFileURL(await mkdtemp(join(folder, 'store-'))).href)

  test('an object is a plain file at its key, and nothing temporary is left beside it', async () => {
    const root = join(folder, 'plain')
    const store = await openStore(pathToFileURL(root).href)
    await store.create('runs/a/run.json', new TextEncoder().encode('{}'))
    await store.create('runs/a/run.json', new TextEncoder().encode('{}'))
    expect(await readdir(join(root, 'runs', 'a'))).toEqual(['run.json'])
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  })

  test("another machine's temporary file is an unfinished write, and can be discarded", async () => {
    const root = join(folder, 'unfinished')
    const store = await openStore(pathToFileURL(root).href)
    expect(await unfinishedOf(store)).toEqual([])
    await writeFile(join(root, '.tmp', 'elsewhere~1-object'), 'half')
    const [found] = await unfinishedOf(store)
    expect(found).toMatchObject({ id: 'elsewhere~1-object', key: null })
    await store.discard({ ...found!, id: '../outside' }) // an id is a name, never a path
    await store.discard(found!)
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  })

  test('a URL of another kind, and a folder that is a file, are refused with the reason', async () => {
    await expect(openStore('https://example.org/a')).rejects.toThrow(
      'expected s3://bucket/prefix or file:///folder',
    )
    await expect(openStore('s3://UPPER/a')).rejects.toThrow('expected s3://bucket')
    await writeFile(join(folder, 'file'), '')
    const reason = /store mkdir: (ENOTDIR|EEXIST).*folder=/
    await expect(openStore(pathToFileURL(join(folder, 'file')).href)).rejects.toThrow(reason)
  })
})
