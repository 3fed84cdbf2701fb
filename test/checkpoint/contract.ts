/** What every store promises, as one suite: `file.test.ts` runs it on a folder, `store.test.ts` on an S3 server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { openBlobs } from '../../activities/checkpoint/cache.ts'
import { checksumsOf } from '../../activities/checkpoint/checksum.ts'
import { commit, readDocument } from '../../activities/checkpoint/documents.ts'
import * as keys from '../../activities/checkpoint/keys.ts'
import { checkStore, openStore } from '../../activities/checkpoint/open.ts'
import { CorruptObject, NotFound, type Store, type Unfinished } from '../../activities/checkpoint/store.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
export const MiB = 1024 * 1024

/** Bytes that differ from part to part and from position to position. */
export function pattern(sizeBytes: number, salt = 0): Uint8Array {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4))
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + salt + 1, 2654435761)
  return new Uint8Array(words.buffer, 0, sizeBytes)
}

/** `freshUrl` gives the URL of an empty store each time. */
export function storeContract(freshUrl: () => Promise<string>): void {
  let url: string
  let store: Store
  let folder: string
  beforeAll(async () => {
    url = await freshUrl()
    store = await openStore(url)
    folder = await mkdtemp(join(tmpdir(), 'placebo-contract-'))
  })
  afterAll(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })
  const fileOf = async (name: string, bytes: Uint8Array) => {
    await writeFile(join(folder, name), bytes)
    return join(folder, name)
  }

  test('an object that is not there has no head, and reading it is NotFound', async () => {
    expect(await store.head('absent/a.json')).toBeNull()
    await expect(store.get('absent/a.json')).rejects.toThrow(NotFound)
    await expect(store.read('absent/a.json')[Symbol.asyncIterator]().next()).rejects.toThrow(
      /absent\/a\.json/,
    )
    expect(await keysOf(store, 'absent/')).toEqual([])
    await store.remove('absent/a.json')
  })

  test('create writes once: a second one changes nothing and says so', async () => {
    expect(await store.create('create/a', bytesOf('first'))).toBe('created')
    expect(await store.create('create/a', bytesOf('second'))).toBe('exists')
    expect(textOf(await store.get('create/a'))).toBe('first')
  })

  test('replace writes whatever was there', async () => {
    await store.replace('replace/a', bytesOf('long first text'))
    await store.replace('replace/a', bytesOf('second'))
    expect(textOf(await store.get('replace/a'))).toBe('second')
    expect((await store.head('replace/a'))?.sizeBytes).toBe(6)
  })

  test('head gives the size and the CRC32 of an object', async () => {
    // The check value of CRC-32/ISO-HDLC: 123456789 gives cbf43926, in base64 y/Q5Jg==.
    await store.create('head/a', bytesOf('123456789'))
    expect(await store.head('head/a')).toMatchObject({ sizeBytes: 9, crc32: 'y/Q5Jg==' })
    await store.create('head/empty', new Uint8Array())
    expect(await store.head('head/empty')).toMatchObject({ sizeBytes: 0, crc32: 'AAAAAA==' })
    expect(await store.get('head/empty')).toHaveLength(0)
  })

  test('list gives the keys under a prefix in byte order, deeper ones included', async () => {
    for (const key of ['list/b', 'list/a/c', 'list/a-b', 'list/a/b', 'list/é', 'other/a'])
      await store.create(key, bytesOf(key))
    // '-' is 2d, '/' is 2f, 'b' is 62, 'é' begins with c3.
    expect(await keysOf(store, 'list/')).toEqual(['list/a-b', 'list/a/b', 'list/a/c', 'list/b', 'list/é'])
    expect(await keysOf(store, 'list/a/')).toEqual(['list/a/b', 'list/a/c'])
    expect(await keysOf(store, 'list/a')).toEqual(['list/a-b', 'list/a/b', 'list/a/c'])
    for await (const { key, sizeBytes } of store.list('list/é')) expect(sizeBytes).toBe(bytesOf(key).length)
  })

  test('list goes on behind any key, whether that one is there or not', async () => {
    for (const key of ['after/a', 'after/b/c', 'after/b/d', 'after/b-a', 'after/c'])
      await store.create(key, bytesOf(key))
    const all = ['after/a', 'after/b-a', 'after/b/c', 'after/b/d', 'after/c']
    for (const [i, key] of all.entries()) expect(await keysOf(store, 'after/', key)).toEqual(all.slice(i + 1))
    expect(await keysOf(store, 'after/', 'after/b')).toEqual(all.slice(1))
    expect(await keysOf(store, 'after/', 'after/b/')).toEqual(all.slice(2))
    expect(await keysOf(store, 'after/', 'after/b/cc')).toEqual(all.slice(3))
    expect(await keysOf(store, 'after/b/', 'after/a')).toEqual(all.slice(2, 4))
    expect(await keysOf(store, 'after/', 'after/c')).toEqual([])
  })

  test('head and list agree on when an object was written, and writing it again makes it younger', async () => {
    await store.create('age/a', bytesOf('a'))
    const first = (await store.head('age/a'))?.modifiedMs ?? NaN
    for await (const { modifiedMs } of store.list('age/')) expect(seconds(modifiedMs)).toBe(seconds(first))
    await expect
      .poll(async () => {
        await store.replace('age/a', bytesOf('a'))
        return (await store.head('age/a'))?.modifiedMs
      })
      .toBeGreaterThan(first) // a store may count in seconds
  })

  test('an object is removed by its age only while it is as old', async () => {
    await store.create('older/a', bytesOf('a'))
    const { modifiedMs } = (await store.head('older/a'))!
    expect(await store.removeOlder('older/a', modifiedMs)).toBe(false)
    expect(textOf(await store.get('older/a'))).toBe('a')
    expect(await store.removeOlder('older/a', modifiedMs + 1000)).toBe(true)
    expect(await store.head('older/a')).toBeNull()
    expect(await store.removeOlder('older/a', modifiedMs + 1000)).toBe(false)
  })

  test('an upload writes the right bytes again where they were written too long ago', async () => {
    const path = await fileOf('fresh', bytesOf('the same text'))
    await store.upload('fresh/a', path)
    const { modifiedMs } = (await store.head('fresh/a'))!
    expect(await store.upload('fresh/a', path, { freshSinceMs: modifiedMs })).toBe('exists')
    expect(await store.upload('fresh/a', path, { freshSinceMs: modifiedMs + 1 })).toBe('created')
    expect(textOf(await store.get('fresh/a'))).toBe('the same text')
  })

  test('a removed object is gone', async () => {
    await store.create('remove/a', bytesOf('a'))
    await store.remove('remove/a')
    expect(await store.head('remove/a')).toBeNull()
    expect(await store.create('remove/a', bytesOf('b'))).toBe('created')
  })

  test('40 MiB from a file go in and come out, in order, with every byte reported', async () => {
    const bytes = pattern(40 * MiB)
    const path = await fileOf('large', bytes)
    const up: number[] = []
    const progress = (done: number, total: number) => void up.push(done, total)
    expect(await store.upload('upload/large', path, { progress })).toBe('created')
    expect(up.at(-2)).toBe(40 * MiB)
    expect(new Set(up.filter((_, i) => i % 2 === 1))).toEqual(new Set([40 * MiB]))
    const { crc32 } = checksumsOf(bytes)
    expect(await store.head('upload/large')).toMatchObject({ sizeBytes: 40 * MiB, crc32 })
    let doneBytes = 0
    for await (const chunk of store.read('upload/large')) {
      expect(Buffer.compare(chunk, bytes.subarray(doneBytes, doneBytes + chunk.length))).toBe(0)
      doneBytes += chunk.length
    }
    expect(doneBytes).toBe(40 * MiB)
    const again: number[] = []
    expect(await store.upload('upload/large', path, { progress: (done) => again.push(done) })).toBe('exists')
    expect(again).toEqual([]) // nothing was sent
  })

  test('an upload replaces a torn object of its key: too short, or as long with other bytes', async () => {
    const path = await fileOf('whole', bytesOf('whole text'))
    for (const torn of ['whole', 'whole tex_']) {
      await store.replace('upload/torn', bytesOf(torn))
      expect(await store.upload('upload/torn', path)).toBe('created')
      expect(textOf(await store.get('upload/torn'))).toBe('whole text')
    }
  })

  test('a reader that stops early leaves the store usable', async () => {
    await store.create('early/a', pattern(3 * MiB))
    for (let i = 0; i < 80; i++) for await (const _ of store.read('early/a')) break // more than there are sockets
    expect(await store.get('early/a')).toHaveLength(3 * MiB)
  })

  test('a cancelled transfer stops with its reason and leaves nothing visible', async () => {
    const path = await fileOf('cancelled', pattern(40 * MiB, 7))
    const controller = new AbortController()
    const progress = () => controller.abort(new Error('told to stop'))
    const transfer = { signal: controller.signal, progress }
    await expect(store.upload('cancel/a', path, transfer)).rejects.toThrow('told to stop')
    for await (const { key } of store.unfinished()) expect(['cancel/a', null]).toContain(key)
    await expect(store.create('cancel/b', bytesOf('b'), transfer)).rejects.toThrow('told to stop')
    expect(await keysOf(store, 'cancel/')).toEqual([])
    expect(await store.upload('cancel/a', path)).toBe('created')
    expect(Buffer.compare(await store.get('cancel/a'), pattern(40 * MiB, 7))).toBe(0)
  })

  test('keys that leave the store, hide or end in a slash are refused before anything is written', async () => {
    for (const key of [
      '',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/../b',
      'a/./b',
      '.tmp/a',
      'a\\b',
      'a\nb',
      'a'.repeat(901),
    ])
      await expect(store.create(key, bytesOf('a'))).rejects.toThrow(RangeError)
  })

  test('of many writers of one key one wins, and all of them go on with its document', async () => {
    const schema = z.strictObject({ format: z.literal(1), writer: z.int() })
    const stores = await Promise.all([url, url, url].map((url) => openStore(url)))
    const write = (writer: number) =>
      commit(stores[writer % 3]!, 'race/a.json', schema, { format: 1, writer })
    const seen = await Promise.all(Array.from({ length: 12 }, (_, writer) => write(writer)))
    await Promise.all(stores.map((store) => store.close()))
    const winner = await readDocument(store, 'race/a.json', schema)
    expect(winner).not.toBeNull()
    for (const document of seen) expect(document).toEqual(winner)
  })

  test('two writers of one large object at once both succeed', async () => {
    const path = await fileOf('twice', pattern(34 * MiB, 3))
    const other = await openStore(url)
    await Promise.all([store.upload('twice/a', path), other.upload('twice/a', path)])
    await other.close()
    expect(Buffer.compare(await store.get('twice/a'), pattern(34 * MiB, 3))).toBe(0)
  })

  test('the id of a store is made once and stays', async () => {
    const [first, second] = await Promise.all([checkStore(store), checkStore(store)])
    expect(second).toBe(first)
    expect(await checkStore(store, first)).toBe(first)
    await expect(checkStore(store, '00000000-0000-4000-8000-000000000000')).rejects.toThrow(
      `expected store 00000000-0000-4000-8000-000000000000, found ${first}`,
    )
  })

  test('a blob is stored under its digest, and read back from the cache of another worker', async () => {
    const [one, two] = [openBlobs(store, join(folder, 'one')), openBlobs(store, join(folder, 'two'))]
    const small = await one.put(bytesOf('abc'))
    // FIPS 180-4: SHA-256("abc").
    expect(small.digest).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    const scratch = await one.scratch('weights.safetensors')
    await writeFile(scratch, pattern(20 * MiB))
    const large = await one.adopt(scratch)
    await expect(readFile(scratch)).rejects.toThrow('ENOENT') // moved, not copied
    expect(await one.file(large)).toBe(join(one.folder, large.digest.slice(0, 2), large.digest))
    expect(Buffer.compare(await two.bytes(large), pattern(20 * MiB))).toBe(0)
    expect(textOf(await two.bytes(small))).toBe('abc')
    expect(await keysOf(store, 'blobs/')).toEqual(
      [small, large].map(({ digest }) => keys.blob(digest)).sort(),
    )
  })

  test('a blob that is kept is in one cache only, until it is shared', async () => {
    const [one, two] = [openBlobs(store, join(folder, 'one')), openBlobs(store, join(folder, 'two'))]
    const scratch = await one.scratch('weights.safetensors')
    await writeFile(scratch, 'kept here')
    const ref = await one.keep(scratch)
    expect(textOf(await one.bytes(ref))).toBe('kept here')
    await expect(two.bytes(ref)).rejects.toMatchObject({ name: 'NotFound' })
    await one.share(ref)
    expect(textOf(await two.bytes(ref))).toBe('kept here')
    await expect(one.share({ ...ref, digest: '0'.repeat(64) })).rejects.toMatchObject({ name: 'NotFound' })
  })

  test('a torn blob is written again, never believed', async () => {
    const blobs = openBlobs(store, join(folder, 'torn'))
    const { digest } = checksumsOf(bytesOf('a whole blob'))
    for (const torn of ['a whole', 'a whole_blob']) {
      await store.replace(keys.blob(digest), bytesOf(torn))
      expect(await blobs.put(bytesOf('a whole blob'))).toEqual({ digest, sizeBytes: 12 })
      expect(textOf(await store.get(keys.blob(digest)))).toBe('a whole blob')
    }
  })

  test('a blob that does not match its digest is CorruptObject, with what was expected and found', async () => {
    const blobs = openBlobs(store, join(folder, 'corrupt'))
    const { digest } = checksumsOf(bytesOf('a blob to be cut'))
    await store.replace(keys.blob(digest), bytesOf('a blob'))
    const reading = blobs.file({ digest, sizeBytes: 16 })
    await expect(reading).rejects.toThrow(CorruptObject)
    await expect(reading).rejects.toThrow(new RegExp(`${digest}.*expected 16 bytes.*found 6 bytes`))
    await store.replace(keys.blob(digest), bytesOf('a blob to be CUT'))
    await expect(blobs.bytes({ digest, sizeBytes: 16 })).rejects.toThrow(
      /expected 16 bytes.*found 16 bytes of /,
    )
    await store.remove(keys.blob(digest))
    await expect(blobs.file({ digest, sizeBytes: 16 })).rejects.toThrow(NotFound)
  })

  test('a writer that is killed leaves no half blob and no manifest, and the next one finishes its work', async () => {
    const bytes = pattern(20 * MiB, 11)
    const { digest } = checksumsOf(bytes)
    const write = async (place: string) => {
      const args = [url, join(folder, 'doomed'), await fileOf('doomed-blob', bytes), place]
      const script = join(import.meta.dirname, 'doomed.ts')
      const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [said] = (await once(child.stdout, 'data')) as [Buffer]
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      return said.toString()
    }
    expect(await write('in the blob')).toContain('in the blob')
    expect(await store.head(keys.blob(digest))).toBeNull()
    expect(await write('before the manifest')).toContain('before the manifest')
    expect((await store.head(keys.blob(digest)))?.sizeBytes).toBe(20 * MiB)
    expect(await store.head('manifest.json')).toBeNull()
    expect(await write('nowhere')).toContain('done')
    expect(JSON.parse(textOf(await store.get('manifest.json')))).toEqual({ format: 1, digest })
  })
}

const seconds = (ms: number) => Math.floor(ms / 1000)

export async function keysOf(store: Store, prefix: string, after?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix, after)) keys.push(key)
  return keys
}

export async function unfinishedOf(store: Store): Promise<Unfinished[]> {
  const found: Unfinished[] = []
  for await (const unfinished of store.unfinished()) found.push(unfinished)
  return found
}
