import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openOrigin, type Origin } from '../../activities/benchmarks/origin.ts'
import { isRefused, StoreError } from '../../activities/checkpoint/faults.ts'
import type { DataSpec } from '../../activities/contracts.ts'
import { inFolder, load, loadBytes as loadAs, quiet } from './loading.ts'

const source = 'file:///x'
const loadBytes = (bytes: Uint8Array, data: Partial<DataSpec> = {}) => loadAs(bytes, { source, ...data })
/** The bytes that an origin brings. */
const readOf = (origin: Origin) =>
  inFolder(async (folder) => readFile(await origin.bring(() => Promise.resolve(join(folder, 'data')), quiet)))
const lines = (...rows: unknown[]) => Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
const parquet = (columnData: ColumnSource[], codec: 'UNCOMPRESSED' | 'GZIP' | 'LZO' = 'UNCOMPRESSED') =>
  new Uint8Array(
    parquetWriteBuffer({ columnData, codec, compressors: { GZIP: gzipSync, LZO: (bytes) => bytes } }),
  )

const own = { uid: 'a', question: '1+1?', gold: '2', difficulty: 3, tags: ['x'] }
const columns = { problem: 'question', answer: 'gold', id: 'uid' }

describe('a file of JSON Lines', () => {
  it('gives problems under our names; a column is kept if it is named or asked for', async () => {
    const two = lines(own, { ...own, uid: 'b', difficulty: 4 })
    const problem = { id: 'a', problem: '1+1?', answer: '2' }
    expect((await loadBytes(two, { columns })).problems).toEqual([problem, { ...problem, id: 'b' }])
    const kept = { ...columns, level: 'difficulty' }
    expect((await loadBytes(two, { columns: kept, where: { level: 4 } })).problems).toEqual([
      { ...problem, id: 'b', level: 4 },
    ])
    expect((await loadBytes(two, { columns, where: { difficulty: [3] } })).problems).toEqual([
      { ...problem, difficulty: 3 },
    ])
  })

  it('has the numbers of its rows for ids where no column has any', async () => {
    const { problems, places } = await loadBytes(
      Buffer.concat([
        lines({ problem: 'p', answer: 'a' }),
        Buffer.from('\n'),
        lines({ problem: 'q', answer: 'b' }),
      ]),
    )
    expect(problems.map(({ id }) => id)).toEqual(['1', '2'])
    expect([...places]).toEqual([['1', 'file:///x:1'], ['2', 'file:///x:3']]) // prettier-ignore
  })

  it('may answer with whole numbers, and hold its columns in objects', async () => {
    const row = { prompt: [{ content: '1+1?' }], reward_model: { ground_truth: 2 }, extra_info: { index: 7 } }
    const nested = {
      problem: 'prompt.0.content',
      answer: 'reward_model.ground_truth',
      id: 'extra_info.index',
    }
    expect((await loadBytes(lines(row), { columns: nested })).problems).toEqual([
      { id: '7', problem: '1+1?', answer: '2' },
    ])
  })

  it('is shuffled by a seed wherever it lies, then cut', async () => {
    const many = lines(
      ...Array.from({ length: 50 }, (_, i) => ({ id: String(i), problem: 'p', answer: 'a' })),
    )
    const order = async (data: Partial<DataSpec>) =>
      (await loadBytes(many, data)).problems.map(({ id }) => id).join()
    const first = await order({ shuffle: 1, limit: 5 })
    expect(first.split(',')).toHaveLength(5)
    expect(first).not.toBe('0,1,2,3,4')
    expect(await order({ shuffle: 1, limit: 5, source: 's3://elsewhere/y' })).toBe(first)
    expect(await order({ shuffle: 2, limit: 5 })).not.toBe(first)
  })

  const good = { id: '1', problem: 'p', answer: 'a' }
  it.each<[why: string, bytes: Uint8Array, data: Partial<DataSpec>, message: string]>([
    [
      'a missing column',
      lines(good, { id: '2', problem: 'p' }),
      {},
      'x:2: no column "answer", found id, problem',
    ],
    [
      'a column that no row has',
      lines(own),
      { columns: { ...columns, answer: 'solution' } },
      'x:1: no column "solution" (columns.answer), found uid, question, gold, difficulty, tags',
    ],
    [
      'a filter on no column',
      lines(good),
      { where: { levle: 1 } },
      'no column "levle", found id, problem, answer',
    ],
    ['an id twice', lines(good, good), {}, 'x:2: its id is already at file:///x:1'],
    ['an empty answer', lines(good, { ...good, id: '2', answer: ' ' }), {}, 'x:2: column "answer" is empty'],
    [
      'an answer of null',
      lines({ ...good, answer: null }),
      {},
      'x:1: column "answer" is null, expected text',
    ],
    ['a truth value', lines({ ...good, answer: true }), {}, 'x:1: column "answer" is boolean, expected text'],
    [
      'a list for a problem',
      lines({ ...good, problem: ['a'] }),
      {},
      'x:1: column "problem", message 1, has no role',
    ],
    ['no object', lines(good, 7), {}, 'x:2: expected an object, found number'],
    ['broken JSON', Buffer.from(`${JSON.stringify(good)}\n{"id"`), {}, 'x:2: not JSON'],
    ['other bytes', Uint8Array.of(0xff, 0xfe, 0), {}, 'x: is neither Parquet nor JSON Lines in UTF-8'],
    ['nothing', Buffer.from(''), {}, 'x: no problems'],
    ['no match', lines(good), { where: { id: 'z' } }, 'none of 1 problems'],
  ])('with %s is InvalidData by file and line', async (_, bytes, data, message) => {
    const loading = loadBytes(bytes, data)
    await expect(loading).rejects.toMatchObject({ name: 'InvalidData' })
    await expect(loading).rejects.toThrow(message)
  })

  it('names the first five complaints and counts the others', async () => {
    const bad = Array.from({ length: 8 }, (_, i) => ({ ...good, id: String(i), answer: '' }))
    await expect(loadBytes(lines(...bad))).rejects.toThrow(
      /x:5: column "answer" is empty; and 3 more \("badRows": "skip" leaves such rows out\)$/,
    )
  })
})

describe('a file of Parquet', () => {
  const data: ColumnSource[] = [
    { name: 'uid', data: [1n, 2n], type: 'INT64' },
    { name: 'question', data: ['1+1?', '2+2?'], type: 'STRING' },
    { name: 'gold', data: [2n, 4n], type: 'INT64' },
    { name: 'level', data: [1, 2], type: 'INT32' },
  ]

  it.each(['UNCOMPRESSED', 'GZIP'] as const)(
    'gives the same as its rows in JSON Lines, %s',
    async (codec) => {
      const { problems, places } = await loadBytes(parquet(data, codec), { columns, where: { level: 2 } })
      expect(problems).toEqual([{ id: '2', problem: '2+2?', answer: '4', level: 2 }])
      expect(places.get('2')).toBe('file:///x, row 2')
      const same = lines(
        { uid: 1, question: '1+1?', gold: 2, level: 1 },
        { uid: 2, question: '2+2?', gold: 4, level: 2 },
      )
      expect((await loadBytes(same, { columns, where: { level: 2 } })).problems).toEqual(problems)
    },
  )

  it('of other tools is read under every compression they have', async () => {
    const folder = new URL('../golden/parquet/', import.meta.url)
    const files = await readdir(folder)
    expect(files.length).toBe(7)
    for (const file of files) {
      const bytes = new Uint8Array(await readFile(new URL(file, folder)))
      const { problems } = await loadBytes(bytes, { columns })
      expect(problems.length, file).toBe(100)
      for (const [i, problem] of problems.entries())
        expect(problem, file).toEqual({ id: String(i), problem: `${i}+${i}?`, answer: String(2 * i) })
      await expect(loadBytes(bytes.slice(0, -9), { columns }), file).rejects.toThrow('is not a whole Parquet')
    }
  })

  it.each<[why: string, bytes: Uint8Array, data: Partial<DataSpec>, message: string]>([
    ['a missing column', parquet(data), { columns: { problem: 'question' } }, 'row 1: no column "answer", found uid, question, gold, level'],
    ['an id twice', parquet([{ ...data[0]!, data: [1n, 1n] }, ...data.slice(1)]), { columns }, 'row 2: its id is already at file:///x, row 1'],
    ['an empty answer', parquet([data[0]!, data[1]!, { name: 'gold', data: ['2', ''], type: 'STRING' }]), { columns }, 'row 2: column "gold" is empty'],
    ['a torn end', parquet(data).slice(0, -9), { columns }, 'x: is not a whole Parquet file of '],
    ['pages that nothing here reads', parquet(data, 'LZO'), { columns }, 'x: is compressed with LZO, this worker reads uncompressed, snappy, gzip, brotli, zstd, lz4, lz4_raw'],
  ])('with %s is InvalidData by row', async (_, bytes, given, message) => {
    const loading = loadBytes(bytes, given)
    await expect(loading).rejects.toMatchObject({ name: 'InvalidData' })
    await expect(loading).rejects.toThrow(message)
  }) // prettier-ignore
})

describe('where a file lies', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'placebo-files-'))
    await writeFile(join(folder, 'x.jsonl'), lines(own))
  })
  afterAll(() => rm(folder, { recursive: true }))
  const url = (name: string) => `${pathToFileURL(folder).href}/${name}`
  const open = (source: string, allow = [pathToFileURL(folder).href]) =>
    openOrigin(source, { allow, hub: {} })

  it('is a folder that the worker allows; a file may change, so its name pins nothing', async () => {
    const origin = await open(url('x.jsonl'))
    expect(origin.pinned).toBeNull()
    expect(await readOf(origin)).toEqual(lines(own))
  })

  it.each([
    ['not allowed at all', () => url('x.jsonl'), []],
    ['beside what is allowed', () => `${pathToFileURL(folder).href}-other/x.jsonl`, undefined],
    ['back up', () => url('../x.jsonl'), undefined],
    ['back up by another name', () => url('%2e%2e/x.jsonl'), undefined],
    ['a bucket that is not allowed', () => 's3://other/x.jsonl', undefined],
  ])('is NotAllowed: %s', async (_, source, allow) => {
    await expect(open(source(), allow)).rejects.toMatchObject({ name: 'NotAllowed' })
  })

  it('is InvalidData where nothing is, or where nothing can be', async () => {
    const gone = readOf(await open(url('gone.jsonl')))
    await expect(gone).rejects.toMatchObject({ name: 'InvalidData' })
    await expect(gone).rejects.toThrow(/gone\.jsonl: cannot be read \(ENOENT/)
    await expect(open('/x.jsonl')).rejects.toThrow('expected file:///…, s3://… or hf://datasets/')
    await expect(open('hf://o/d/x.jsonl')).rejects.toThrow('expected hf://datasets/owner/name@revision/path')
  })
})

describe('a file in a bucket', () => {
  let server: Server
  /** What the server answers about an object; a bucket's list is always empty. */
  let status: number
  beforeEach(async () => {
    server = createServer((request, response) =>
      request.method === 'HEAD' ? response.writeHead(status).end() : response.end('<ListBucketResult/>'),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    vi.stubEnv('AWS_ENDPOINT_URL_S3', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    server.closeAllConnections()
    server.close()
  })

  it.each([
    ['s3://bbb/\ud800', 200],
    ['s3://b/x', 200],
    ['s3://bbb/.x', 200],
    ['s3://bbb/x\\y', 200],
    ['s3://bbb/x', 301],
    ['s3://bbb/x', 400],
    ['s3://bbb/x', 403],
  ])('%j that cannot be named, or is refused (%i), is InvalidData', async (source, answer) => {
    status = answer
    const origin = await openOrigin(source, { allow: ['s3://bbb/', 's3://b/'], hub: {} })
    await expect(readOf(origin)).rejects.toMatchObject({ name: 'InvalidData' })
  })

  it.each([
    [404, 'NoSuchKey', true],
    [429, 'TooManyRequests', false],
    [400, 'RequestTimeout', false],
    [503, 'SlowDown', false],
  ])('is asked for again after what passes: %i %s', (httpStatusCode, name, refused) => {
    const cause = Object.assign(new Error(name), { name, $metadata: { httpStatusCode } })
    expect(isRefused(new StoreError('store HeadObject', { cause }))).toBe(refused)
  })
})

describe('a data set on the Hub', () => {
  const sha = '0123456789abcdef0123456789abcdef01234567'
  let server: Server
  let asked: { path: string; authorization: string | undefined }[]
  let refuse: number | null
  beforeEach(async () => {
    asked = []
    refuse = null
    const file = lines(own)
    server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? '')
      asked.push({ path, authorization: request.headers.authorization })
      if (refuse !== null) return response.writeHead(refuse).end()
      if (path.includes('/api/datasets/o/d/revision/'))
        return response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ id: 'o/d', _id: '1', sha, lastModified: '2026-01-01' }))
      if (!path.includes(`/datasets/o/d/resolve/${sha}/train/x.jsonl`)) return response.writeHead(404).end()
      response.writeHead(206, {
        etag: '"e"',
        'content-range': `bytes 0-${file.length - 1}/${file.length}`,
        'content-length': file.length,
      })
      return response.end(file)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))
  const open = (source: string) => {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return openOrigin(source, { allow: [], hub: { endpoint, token: 'hf_secret' } })
  }

  it('is read at the commit that its revision stands for, with the token', async () => {
    const origin = await open('hf://datasets/o/d@refs%2Fconvert%2Fparquet/train/x.jsonl')
    expect(origin.pinned).toBe(`hf://datasets/o/d@${sha}/train/x.jsonl`)
    expect(asked[0]?.path).toContain('/revision/refs/convert/parquet')
    expect(Buffer.from(await readOf(origin)).toString()).toBe(lines(own).toString())
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer hf_secret']))
  })

  it('is known by its commit without asking the Hub', async () => {
    expect((await open(`hf://datasets/o/d@${sha}/train/x.jsonl`)).pinned).toContain(sha)
    expect(asked).toEqual([])
  })

  it('is InvalidData where the Hub refuses or has no such file; a fault of the Hub is worth a retry', async () => {
    const absent = await open(`hf://datasets/o/d@${sha}/train/y.jsonl`)
    await expect(readOf(absent)).rejects.toMatchObject({ name: 'InvalidData' })
    for (const [status, name] of [
      [401, 'InvalidData'],
      [403, 'InvalidData'],
      [404, 'InvalidData'],
      [429, 'HubUnavailable'],
      [503, 'HubUnavailable'],
    ] as const) {
      refuse = status
      const opening = open('hf://datasets/o/d@main/train/x.jsonl')
      await expect(opening).rejects.toMatchObject({ name })
      await expect(opening).rejects.toThrow(`the Hub says Api error with status ${status}`)
    }
  })
})

const real = process.env['PLACEBO_DATA_DIR'] ?? ''
describe.runIf(existsSync(join(real, 'amc.jsonl')))('a set of the paper', () => {
  it('is the same by its name and by its file', async () => {
    const folder = { folder: real, fetch: () => Promise.reject(new Error('no network')) }
    const origin = await openOrigin(pathToFileURL(join(real, 'amc.jsonl')).href, {
      allow: [pathToFileURL(real).href],
      hub: {},
    })
    const byFile = await loadBytes(await readOf(origin))
    const byName = await load({ name: 'amc' }, folder)
    const three = ({ id, problem, answer }: { id: string; problem: string; answer: string }) => ({
      id,
      problem,
      answer,
    })
    expect(byFile.problems).toEqual(byName.problems.map(three))
  })
})
