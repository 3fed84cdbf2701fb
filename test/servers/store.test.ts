import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openStore } from '../../activities/checkpoint/open.ts'
import { S3Store } from '../../activities/checkpoint/s3/store.ts'
import { provision } from '../../infra/provision.ts'
import {
  freePort,
  listening,
  loopback,
  versitygwArguments,
  versitygwEnvironment,
} from '../../infra/servers.ts'
import { MiB, keysOf, pattern, storeContract, unfinishedOf } from '../checkpoint/contract.ts'
import { housekeepingContract } from '../checkpoint/housekeeping.ts'
import { startProxy, type Proxy } from './proxy.ts'

const credentials = { accessKey: 'test-access', secretKey: 'test-secret' }
const versitygw = await provision('versitygw')

let folder: string
let server: ChildProcess
let proxy: Proxy
let direct: string
let stores = 0

/** A bucket is a folder of the server's root. */
async function freshUrl(): Promise<string> {
  const bucket = `bucket-${++stores}`
  await mkdir(join(folder, 'objects', bucket), { recursive: true })
  return `s3://${bucket}/some/prefix`
}

beforeAll(async () => {
  if (versitygw === null) return
  folder = await mkdtemp(join(tmpdir(), 'placebo-s3-'))
  await mkdir(join(folder, 'objects'))
  const port = await freePort(0)
  server = spawn(versitygw, versitygwArguments(join(folder, 'objects'), port), {
    env: versitygwEnvironment(credentials),
    stdio: 'ignore',
  })
  while (!(await listening(loopback, port))) await sleep(20)
  direct = `http://${loopback}:${port}`
  proxy = await startProxy(port)
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL']) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKey)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretKey)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true') // no request leaves this machine
  vi.stubEnv('AWS_REGION', 'us-east-1')
  vi.stubEnv('AWS_ENDPOINT_URL_S3', direct)
})
afterAll(async () => {
  if (versitygw === null) return
  await proxy.close()
  server.kill()
  await once(server, 'exit')
  await rm(folder, { recursive: true })
})

describe.skipIf(versitygw === null)('the store in a bucket', () => {
  storeContract(freshUrl)
})

describe.skipIf(versitygw === null)('housekeeping in a bucket', () => {
  housekeepingContract(freshUrl, (url, key, writtenMs) => {
    const path = join(folder, 'objects', new URL(url).host, 'some/prefix', key)
    return utimes(path, writtenMs / 1000, writtenMs / 1000)
  })
})

describe.skipIf(versitygw === null)('a connection to the bucket that fails', () => {
  beforeAll(() => void vi.stubEnv('AWS_ENDPOINT_URL_S3', proxy.url))
  afterAll(() => void vi.stubEnv('AWS_ENDPOINT_URL_S3', direct))
  afterEach(() => proxy.reset())

  const parts = () =>
    proxy.seen
      .filter((request) => /^PUT .*partNumber=/.test(request))
      .map(partOf)
      .sort()
  const partOf = (request: string) => Number(/partNumber=(\d+)/.exec(request)?.[1])

  test('an upload of 40 MiB that was cut off goes on with the parts that are missing', async () => {
    const store = await openStore(await freshUrl())
    const path = join(folder, 'resumed')
    await writeFile(path, pattern(40 * MiB))
    // 40 MiB are parts of 16, 16 and 8 MiB. The third does not arrive, ever.
    proxy.answer = (request) => (partOf(request) === 3 ? { status: 403 } : null)
    await expect(store.upload('a/large', path)).rejects.toThrow(
      /UploadPart.*bucket=.*key=some\/prefix\/a\/large/,
    )
    expect(await keysOf(store, '')).toEqual([])
    expect(parts()).toEqual([1, 2, 3])
    proxy.reset()
    await store.close()

    const another = await openStore(store.url) // as a worker does that starts after a kill
    expect(await another.upload('a/large', path)).toBe('created')
    expect(parts()).toEqual([3])
    expect(Buffer.compare(await another.get('a/large'), pattern(40 * MiB))).toBe(0)
    await another.close()
  })

  test('parts of other bytes are not taken over from an upload that was cut off', async () => {
    const store = await openStore(await freshUrl())
    const path = join(folder, 'changed')
    await writeFile(path, pattern(40 * MiB))
    proxy.answer = (request) => (partOf(request) === 3 ? { status: 403 } : null)
    await expect(store.upload('a/large', path)).rejects.toThrow('UploadPart')
    proxy.reset()
    await writeFile(path, pattern(40 * MiB, 1))
    expect(await store.upload('a/large', path)).toBe('created')
    expect(parts()).toEqual([1, 2, 3])
    expect(Buffer.compare(await store.get('a/large'), pattern(40 * MiB, 1))).toBe(0)
    await store.close()
  })

  test('an upload that nobody goes on with is listed, and discarded: its next writer begins anew', async () => {
    const store = await openStore(await freshUrl())
    const path = join(folder, 'abandoned')
    await writeFile(path, pattern(40 * MiB))
    proxy.answer = (request) => (partOf(request) === 3 ? { status: 403 } : null)
    for (const key of ['a/one', 'a/two']) await expect(store.upload(key, path)).rejects.toThrow('UploadPart')
    proxy.reset()
    const found = await unfinishedOf(store)
    expect(found.map(({ key }) => key).sort()).toEqual(['a/one', 'a/two'])
    const { modifiedMs } = (await (await store.create('a/now', pattern(1)), store.head('a/now')))!
    for (const { startedMs } of found) expect(Math.abs(modifiedMs - startedMs)).toBeLessThan(3_600_000)
    await store.discard(found[0]!)
    await store.discard(found[0]!) // twice is once
    expect(await unfinishedOf(store)).toEqual(found.slice(1))
    proxy.reset()
    await store.upload(found[0]!.key!, path)
    expect(parts()).toEqual([1, 2, 3])
    proxy.reset()
    await store.upload(found[1]!.key!, path)
    expect(parts()).toEqual([3])
    expect(await unfinishedOf(store)).toEqual([])
    await store.close()
  })

  test('an answer that is lost after the write is found out by looking: small, and in parts', async () => {
    const store = await openStore(await freshUrl())
    const path = join(folder, 'lost')
    await writeFile(path, pattern(17 * MiB))
    // The server does the work, its answer is dropped once; the SDK asks again and gets 412 or 404.
    proxy.loseAnswerOnce = /^PUT .*small|^POST .*uploadId=/
    expect(await store.create('a/small', new TextEncoder().encode('small'))).toBe('exists')
    expect(new TextDecoder().decode(await store.get('a/small'))).toBe('small')
    proxy.reset()
    proxy.loseAnswerOnce = /^POST .*uploadId=/
    expect(['created', 'exists']).toContain(await store.upload('a/large', path))
    expect(proxy.lost).toBe(1)
    expect(Buffer.compare(await store.get('a/large'), pattern(17 * MiB))).toBe(0)
    await store.close()
  })

  test('500, 503 and 409 are tried again', async () => {
    const store = await openStore(await freshUrl())
    for (const [status, code] of [
      [500, 'InternalError'],
      [503, 'SlowDown'],
      [409, 'ConditionalRequestConflict'],
    ] as const) {
      let failures = 2
      proxy.answer = (request) => (request.startsWith('PUT') && failures-- > 0 ? { status, code } : null)
      expect(await store.create(`a/${status}`, new TextEncoder().encode(code))).toBe('created')
      expect(failures).toBeLessThan(1)
    }
    await store.close()
  })

  test('a read whose connection breaks goes on where it was, and every byte arrives once', async () => {
    const store = await openStore(await freshUrl())
    await store.create('a/b', pattern(5 * MiB))
    proxy.seen.length = 0
    proxy.cutBodyAfter = MiB // of every answer: five of them are needed, the last whole
    expect(Buffer.compare(await store.get('a/b'), pattern(5 * MiB))).toBe(0)
    expect(proxy.seen.filter((request) => request.startsWith('GET')).length).toBeGreaterThanOrEqual(5)
    await store.close()
  })

  test('a read on which nothing moves any more is given up and goes on where it was', async () => {
    const store = await S3Store.open(await freshUrl(), { idleMs: 500 })
    await store.create('a/b', pattern(5 * MiB))
    proxy.seen.length = 0
    proxy.stallBodyAfterOnce = MiB
    expect(Buffer.compare(await store.get('a/b'), pattern(5 * MiB))).toBe(0)
    expect(proxy.seen.filter((request) => request.startsWith('GET'))).toHaveLength(2)
    await store.close()
  })

  test('bytes that rotted in the store do not pass for the object', async () => {
    const url = await freshUrl()
    const store = await openStore(url)
    await store.create('a/b', pattern(1 * MiB))
    const path = join(folder, 'objects', new URL(url).host, 'some/prefix/a/b')
    await writeFile(path, pattern(1 * MiB, 1), { flag: 'r+' }) // the recorded checksum stays
    expect((await stat(path)).size).toBe(MiB)
    await expect(store.get('a/b')).rejects.toThrow(/expected CRC32 .* found .*key=some\/prefix\/a\/b/)
    await truncate(path, 10)
    await expect(store.get('a/b')).rejects.toThrow('expected CRC32')
    await store.close()
  })
})

describe.skipIf(versitygw === null)('a bucket that cannot be used', () => {
  test('a bucket that is missing is named, with the call that failed', async () => {
    await expect(openStore('s3://no-such-bucket/p')).rejects.toThrow(
      /store ListObjectsV2: NoSuchBucket: .*\(the bucket must exist\).*\[bucket=no-such-bucket\]/,
    )
  })

  test('wrong credentials are said to be refused, and the variables to look at are named', async () => {
    const url = await freshUrl()
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong')
    await expect(openStore(url)).rejects.toThrow(
      /ListObjectsV2: SignatureDoesNotMatch.*AWS_SECRET_ACCESS_KEY.*bucket=/,
    )
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'wrong')
    await expect(openStore(url)).rejects.toThrow(
      /ListObjectsV2: (InvalidAccessKeyId|XAdminUserNotFound).*AWS_ACCESS_KEY_ID/,
    )
    vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKey)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretKey)
  })

  test('an address where nobody answers is said to be unreachable', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_S3', `http://${loopback}:${await freePort(0)}`)
    await expect(openStore('s3://bucket/p')).rejects.toThrow(
      /ListObjectsV2: ECONNREFUSED.*AWS_ENDPOINT_URL_S3/,
    )
    vi.stubEnv('AWS_ENDPOINT_URL_S3', direct)
  })
})
