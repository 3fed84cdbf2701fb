import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openBlobs } from '../../activities/checkpoint/cache.ts'
import { openStore } from '../../activities/checkpoint/open.ts'
import type { Store } from '../../activities/checkpoint/store.ts'

let folder: string
let store: Store
let reads: number
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-cache-'))
  const opened = await openStore(pathToFileURL(join(folder, 'store')).href)
  reads = 0
  store = new Proxy(opened, {
    get: (target, name: keyof Store) => {
      if (name === 'read') reads += 1
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
})
afterEach(() => rm(folder, { recursive: true }))
const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

test('a blob is brought once, however many ask for it at once', async () => {
  const ref = await openBlobs(store, join(folder, 'a')).put(bytesOf('weights'))
  const blobs = openBlobs(store, join(folder, 'b'))
  const paths = await Promise.all(Array.from({ length: 8 }, () => blobs.file(ref)))
  expect(new Set(paths).size).toBe(1)
  expect(reads).toBe(1)
})

test('two workers that share a folder can bring the same blob at once', async () => {
  const ref = await openBlobs(store, join(folder, 'a')).put(bytesOf('weights'))
  const shared = [openBlobs(store, join(folder, 'b')), openBlobs(store, join(folder, 'b'))]
  const texts = await Promise.all(shared.map(async (blobs) => textOf(await blobs.bytes(ref))))
  expect(texts).toEqual(['weights', 'weights'])
  expect(await readdir(join(folder, 'b', 'tmp'))).toEqual([])
})

test('a cached file that was damaged while nobody ran is not read: it is brought again', async () => {
  const ref = await openBlobs(store, join(folder, 'a')).put(bytesOf('weights'))
  const path = await openBlobs(store, join(folder, 'b')).file(ref)
  const { mtime } = await stat(path)
  for (const damaged of ['weighty', 'weigh']) {
    await writeFile(path, damaged)
    await utimes(path, mtime, mtime)
    expect(textOf(await openBlobs(store, join(folder, 'b')).bytes(ref))).toBe('weights')
  }
  expect(reads).toBe(3)
})

test('one who waits for a download that is cancelled starts its own', async () => {
  const ref = await openBlobs(store, join(folder, 'a')).put(bytesOf('weights'))
  const blobs = openBlobs(store, join(folder, 'b'))
  const cancelled = blobs.file(ref, { signal: AbortSignal.abort(new Error('told to stop')) })
  const waiting = blobs.bytes(ref)
  await expect(cancelled).rejects.toThrow('told to stop')
  expect(textOf(await waiting)).toBe('weights')
})

test('a scratch file has room for its name, however long its source’s is: 255 bytes are as many as a name has', async () => {
  const blobs = openBlobs(store, join(folder, 'a'))
  for (const name of [`${'x'.repeat(243)}.safetensors`, `${'\u4f60'.repeat(81)}.safetensors`]) {
    const path = await blobs.scratch(name)
    await writeFile(path, 'weights')
    expect(path.endsWith('.safetensors')).toBe(true)
    expect(await blobs.scratch(name)).not.toBe(path)
  }
})

test('what killed processes left behind is removed, what running ones write is not', async () => {
  const temporary = join(folder, 'b', 'tmp')
  await mkdir(temporary, { recursive: true })
  const names = [
    `${hostname()}~${2 ** 22 + 1}-gone`,
    `${hostname()}~${process.pid}-mine`,
    'elsewhere~1-other',
  ]
  for (const name of names) await writeFile(join(temporary, name), '')
  const scratch = await openBlobs(store, join(folder, 'b')).scratch('sub/model.safetensors')
  expect(scratch).toMatch(/-model\.safetensors$/)
  expect(scratch.startsWith(temporary)).toBe(true)
  expect((await readdir(temporary)).sort()).toEqual(names.slice(1).sort())
})
