/** Eviction by hand: a clock that ticks when told, a disk that has as much room as told. Blobs are 100 bytes. */
import { execFileSync } from 'node:child_process'
import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { believedForMs, openBlobs } from '../../activities/checkpoint/cache.ts'
import * as keys from '../../activities/checkpoint/keys.ts'
import { openStore } from '../../activities/checkpoint/open.ts'
import { pinned } from '../../activities/checkpoint/pins.ts'
import { CacheFull } from '../../activities/checkpoint/room.ts'
import type { BlobRef, Blobs, Store } from '../../activities/checkpoint/store.ts'

let folder: string
let store: Store
let now: number
/** The disk: what fits on it besides the cache, in bytes; null: as much as you like. */
let diskBytes: number | null
let refs: BlobRef[]
const sizeBytes = 100

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-room-'))
  store = await openStore(pathToFileURL(join(folder, 'store')).href)
  now = 1_000_000
  diskBytes = null
  refs = []
  const writer = openBlobs(store, join(folder, 'writer'))
  for (let i = 0; i < 12; i++) refs.push(await writer.put(new Uint8Array(sizeBytes).fill(i)))
})
afterEach(() => rm(folder, { recursive: true }))

const cacheFolder = () => join(folder, 'cache')
const open = (limitBytes: number, floorBytes = 0): Blobs =>
  openBlobs(store, cacheFolder(), { limitBytes, floorBytes, freeBytes, now: () => (now += 1000) })

async function freeBytes(): Promise<number> {
  return diskBytes === null ? Infinity : diskBytes - (await cached()).length * sizeBytes
}
/** Indices of the blobs that the cache holds under their own names. */
async function cached(): Promise<number[]> {
  const names = (await readdir(cacheFolder(), { recursive: true })).filter((name) => /^..\/.{64}$/.test(name))
  return names.map((name) => refs.findIndex(({ digest }) => digest === name.slice(3))).sort((a, b) => a - b)
}
const use = async (blobs: Blobs, ...indices: number[]) => {
  for (const i of indices) await blobs.bytes(refs[i]!)
}

test('above its limit the cache lets go of what was used longest ago, and keeps a sixteenth empty', async () => {
  const blobs = open(500) // a sixteenth is 31: no more than 4 of them fit into 469
  await use(blobs, 0, 1, 2, 3)
  expect(await cached()).toEqual([0, 1, 2, 3])
  await use(blobs, 0, 4) // 0 was used again, so 1 is the oldest
  expect(await cached()).toEqual([0, 2, 3, 4])
  await use(blobs, 5)
  expect(await cached()).toEqual([0, 3, 4, 5])
})

test('what was evicted is brought again, whole', async () => {
  const blobs = open(250)
  for (const i of [0, 1, 2, 3, 0, 1, 2, 3])
    expect(await blobs.bytes(refs[i]!)).toEqual(Buffer.alloc(sizeBytes, i))
  expect(await cached()).toEqual([2, 3])
})

test('a limit smaller than one blob holds one at a time', async () => {
  const blobs = open(10)
  await use(blobs, 0, 1)
  expect(await cached()).toEqual([1])
})

test('what a body uses stays until the body ends, however much comes', async () => {
  const blobs = open(250)
  await pinned(async () => {
    const paths = [await blobs.file(refs[0]!), await blobs.file(refs[1]!)]
    await use(blobs, 2, 3, 4, 5)
    expect(await cached()).toEqual([0, 1, 5]) // more than the limit: what is in use comes first
    expect(await readFile(paths[0]!)).toEqual(Buffer.alloc(sizeBytes, 0))
    expect(await readFile(paths[1]!)).toEqual(Buffer.alloc(sizeBytes, 1))
  })
  await use(blobs, 6)
  expect(await cached()).toEqual([5, 6])
})

test('a file that two bodies use stays for the longer one', async () => {
  const blobs = open(250)
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => (end = resolve))
  const longer = pinned(async () => {
    const path = await blobs.file(refs[0]!)
    await ended
    return readFile(path)
  })
  await pinned(() => blobs.file(refs[0]!))
  await use(blobs, 1, 2, 3)
  expect(await cached()).toContain(0)
  end()
  expect(await longer).toEqual(Buffer.alloc(sizeBytes, 0))
  await use(blobs, 4, 5)
  expect(await cached()).not.toContain(0)
})

test('another process that shares the folder evicts nothing that is in use here', async () => {
  const here = openBlobs(store, cacheFolder())
  const there = open(250)
  await pinned(async () => {
    const path = await here.file(refs[0]!)
    await use(there, 1, 2, 3, 4)
    expect(await cached()).toContain(0)
    // Even one that removes the file by hand takes nothing from its user.
    await rm(join(cacheFolder(), refs[0]!.digest.slice(0, 2), refs[0]!.digest))
    expect(await readFile(path)).toEqual(Buffer.alloc(sizeBytes, 0))
  })
})

test('pins of a process that was killed hold nothing', async () => {
  const dead = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim()
  const blobs = open(250)
  await use(blobs, 0)
  const pins = join(cacheFolder(), 'tmp', `${hostname()}~${dead}-x-pins`)
  await mkdir(pins)
  await link(join(cacheFolder(), refs[0]!.digest.slice(0, 2), refs[0]!.digest), join(pins, 'x'))
  await use(blobs, 1, 2)
  expect(await cached()).toEqual([1, 2])
})

test('below the floor of free space files go although the limit has room', async () => {
  diskBytes = 1000
  const blobs = open(Infinity, 650)
  await use(blobs, 0, 1, 2)
  expect(await freeBytes()).toBe(700)
  await use(blobs, 3) // 600 would be left
  expect(await cached()).toEqual([1, 2, 3])
  diskBytes = 800 // somebody else fills the disk: there must be 650 besides what comes
  await use(blobs, 4)
  expect(await cached()).toEqual([4])
})

test('where the floor cannot be kept nothing is brought, and the error says what is missing', async () => {
  diskBytes = 1000
  const blobs = open(Infinity, 750)
  await pinned(async () => {
    await use(blobs, 0)
    const path = await blobs.file(refs[1]!)
    diskBytes = 800
    const bringing = blobs.file(refs[2]!)
    await expect(bringing).rejects.toThrow(CacheFull)
    await expect(bringing).rejects.toThrow(
      /expected room for 100 bytes above a floor of 750, found 700 bytes free, 100 of the cache in use/,
    )
    await expect(blobs.scratch('weights')).rejects.toThrow(CacheFull)
    expect(await cached()).toEqual([1])
    expect(await readFile(path)).toHaveLength(sizeBytes)
  })
  diskBytes = 2000
  await use(blobs, 2)
})

test('of blobs that come at once only those with room for all before them are brought', async () => {
  diskBytes = 1000
  const blobs = open(Infinity, 850) // room for one
  const outcomes = await pinned(() => Promise.allSettled([0, 1, 2].map((i) => blobs.file(refs[i]!))))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('an adopted file counts, and is not what goes', async () => {
  const blobs = open(250)
  await use(blobs, 0, 1)
  const path = await blobs.scratch('weights')
  await writeFile(path, Buffer.alloc(sizeBytes, 99))
  const ref = await blobs.adopt(path)
  expect((await cached()).filter((i) => i >= 0)).toEqual([1])
  expect((await stat(join(cacheFolder(), ref.digest.slice(0, 2), ref.digest))).size).toBe(sizeBytes)
})

test('a kept file is there until the end of the body that kept it, whatever the limit', async () => {
  const blobs = open(1)
  await pinned(async () => {
    const path = await blobs.scratch('weights')
    await writeFile(path, Buffer.alloc(sizeBytes, 99))
    const ref = await blobs.keep(path)
    await use(blobs, 0)
    expect(await blobs.bytes(ref)).toHaveLength(sizeBytes)
  })
})

test('a blob that lay unnamed in the store for long is written again, for a collector goes by its age', async () => {
  const blobs = open(Infinity)
  const bytes = new Uint8Array(sizeBytes).fill(0)
  const key = keys.blob(refs[0]!.digest)
  const writtenMs = 1_000_000_000
  const age = () => utimes(join(folder, 'store', key), writtenMs / 1000, writtenMs / 1000)
  const modifiedMs = async () => (await store.head(key))?.modifiedMs
  await age()
  now = writtenMs + believedForMs - 10_000
  await blobs.put(bytes)
  expect(await modifiedMs()).toBe(writtenMs)
  now = writtenMs + believedForMs + 10_000
  await blobs.put(bytes)
  expect(await modifiedMs()).toBeGreaterThan(writtenMs)
  await age()
  const path = await blobs.scratch('same')
  await writeFile(path, bytes)
  await blobs.adopt(path)
  expect(await modifiedMs()).toBeGreaterThan(writtenMs)
})
