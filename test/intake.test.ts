/** What a user's data becomes in the store, and what a run is told of it. */
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openBlobs } from '../activities/checkpoint/cache.ts'
import { digestOf } from '../activities/checkpoint/canonical.ts'
import { commit, readDocument, requireDocument } from '../activities/checkpoint/documents.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import { checkStore, openStore } from '../activities/checkpoint/open.ts'
import type { Store } from '../activities/checkpoint/store.ts'
import { DataDocument, DataSpec, ModelDocument, OverlapDocument } from '../activities/contracts.ts'
import type { Deps } from '../activities/deps.ts'
import { policyOf } from '../activities/engine/embedded.ts'
import { enrollActivities } from '../activities/enroll.ts'
import { intakeActivities } from '../activities/intake.ts'
import { openData } from '../activities/open.ts'
import type { Reader } from '../activities/reading/reader.ts'
import { resolveTrain } from '../activities/spec/resolve.ts'
import { dataNotes } from '../workflows/notes.ts'
import { edited, nanoFolder } from './reading/folder.ts'
import { reader } from './reading/shared.ts'

let folder: string
let store: Store
let deps: Deps
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-intake-'))
  store = await openStore(pathToFileURL(join(folder, 'store')).href)
  const blobs = openBlobs(store, join(folder, 'cache'))
  const storeId = await checkStore(store)
  const own = { allow: [pathToFileURL(folder).href], hub: {}, dataFolder: folder }
  const client = { options: { namespace: 'n' } }
  deps = { store, storeId, blobs, client, reader, ...own } as unknown as Deps
})
afterEach(() => rm(folder, { recursive: true }))

const file = () => pathToFileURL(join(folder, 'own.jsonl')).href
const write = (...rows: object[]) =>
  writeFile(join(folder, 'own.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
const row = { question: 'What is 1 + 1?', answer: '2' }
const columns = { problem: 'question' }
const run = <I, T>(activity: (input: I) => Promise<T>, input: I): Promise<T> =>
  new MockActivityEnvironment().run<[I], T, (input: I) => Promise<T>>(activity, input)
const takeIn = (data: DataSpec, of?: string) =>
  run(intakeActivities(deps).intakeData, { data, ...(of && { run: of }) })

describe('keys that were given before files could be named', () => {
  it.each([
    [{ name: 'nano' }, 'b0efe0bd281c50892672b26d3893544a70e7b1ae328e17153ed56791a469f66c'],
    [{ name: 'deepscaler', where: { level: [1, 2] }, limit: 1000 }, 'bf5d94b8d23e3251aa56b5f9bae664e2fdd7783e802dc567b26c6c9fb4d7e590'],
    [{ name: 'math-500', split: 'test' }, '5f92c23779219a1308b5aed06c07a0ea2a659461233e59d132a04aaca392d40b'],
    [{ name: 'arithmetic', only: ['a'] }, 'e5f5b79c63f011acfee448f1a9b95f3066fcecec335230e74db0dec5fbbfb467'],
  ])('of %j are as they were', (data, digest) => expect(digestOf(DataSpec.parse(data))).toBe(digest)) // prettier-ignore
})

describe('a file of problems', () => {
  it('is stored once by what is in it; another content is another data set, what is said of it included', async () => {
    const data = { source: file(), columns }
    await write(row, { ...row, question: 'what is $1 + 1$', answer: '\\div' })
    const first = await takeIn(data)
    expect(first).toMatchObject({ count: 2 })
    expect(first.findings).toEqual({
      duplicates: { count: 1, first: [`${file()}:2: as ${file()}:1, with another answer`] },
      unreadable: { count: 1, first: [`${file()}:2: "\\\\div"`] },
    })
    expect(await takeIn(data)).toEqual(first)
    expect((await openData(deps, first.source)).problems[0]).toEqual({
      id: '1',
      problem: row.question,
      answer: '2',
    })
    await write(row)
    const second = await takeIn(data)
    expect(second.source).not.toBe(first.source)
    expect((await requireDocument(store, first.source, DataDocument)).count).toBe(2)
  })

  it('that is broken is InvalidData for good, by file and line; one that is not allowed is NotAllowed', async () => {
    await write(row, { question: 'x' })
    const broken = takeIn({ source: file(), columns })
    await expect(broken).rejects.toMatchObject({ type: 'InvalidData', nonRetryable: true })
    await expect(broken).rejects.toThrow('own.jsonl:2: no column "answer", found question')
    const forbidden = takeIn({ source: 'file:///etc/passwd' })
    await expect(forbidden).rejects.toMatchObject({ type: 'NotAllowed', nonRetryable: true })
  })
})

describe('problems that an older program would pass over in part', () => {
  it.each([
    ['several answers', { answer: ['2', 'two'] }, 2],
    [
      'earlier messages',
      {
        question: [
          { role: 'system', content: 's' },
          { role: 'user', content: 'q' },
        ],
      },
      2,
    ],
    ['one answer in a list', { answer: ['2'] }, 1],
  ])('have a document of another format: %s', async (_, more, format) => {
    await write({ ...row, ...more })
    const { source } = await takeIn({ source: file(), columns })
    expect((await requireDocument(store, source, DataDocument)).format).toBe(format)
  })
})

describe('a model', () => {
  const layers = edited((json) => Object.assign(json, { num_hidden_layers: 1e9 }))
  const index = '{"weight_map": {"model.norm.weight": "model-0'
  it.each([
    ['says that it has 1e9 layers', { 'config.json': layers }, 'model.safetensors', 'num_hidden_layers'],
    [
      'has a torn index',
      { 'model.safetensors.index.json': index },
      'model-1.safetensors',
      'index.json: expected JSON',
    ],
  ] as const)('that %s is refused for good', async (_, changes, weights, message) => {
    const hostile = nanoFolder(changes)
    await rename(join(hostile, 'model.safetensors'), join(hostile, weights))
    const allowed = { ...deps, allow: [pathToFileURL(hostile).href] }
    const taken = run(intakeActivities(allowed).intakeModel, { model: pathToFileURL(hostile).href })
    await expect(taken).rejects.toMatchObject({ type: 'CorruptModel', nonRetryable: true })
    await expect(taken).rejects.toThrow(message)
    await rm(hostile, { recursive: true })
  })
})

const nano = (name: string) => readFile(join(import.meta.dirname, '..', 'models', 'nano', 'coder', name))

/** A run of a user's file that is evaluated on AMC. */
async function enrolled() {
  const bytes = (text: string) => deps.blobs.put(new TextEncoder().encode(text))
  const policy = policyOf([
    { name: 'config.json', ...(await deps.blobs.put(await nano('config.json'))) },
    { name: 'tokenizer.json', ...(await deps.blobs.put(await nano('tokenizer.json'))) },
    { name: 'model.safetensors', ...(await bytes('weights')) },
  ])
  const model = keys.model(policy.digest)
  await commit(store, model, ModelDocument, { format: 1, source: 'by hand', policy })
  const data = { source: file(), columns }
  const taken = await takeIn(data)
  const given = { preset: 'demo', model: 'nano/coder', reward: 'format', steps: 1, data }
  const spec = resolveTrain({ ...given, evaluate: { benchmarks: ['amc', 'aime-2024'] } })
  const task = { run: 'r', spec, model, data: taken.source }
  return { data, taken, overlaps: (await run(enrollActivities(deps).enroll, task)).overlaps }
}

describe('a run', () => {
  it('is told what its problems share with its benchmarks, and which one it cannot have', async () => {
    await write(row, { question: 'x', answer: 'y' })
    await writeFile(join(folder, 'amc.jsonl'), '{"id":"0","problem":"what is $1+1$","answer":"2"}\n')
    await writeFile(join(folder, 'aime-2024.jsonl'), '{}')
    const { overlaps } = await enrolled()
    const shared = {
      benchmark: 'amc',
      problems: 1,
      same: { benchmark: 1, training: 1 },
      words: { benchmark: 0, training: 0 },
      first: [{ training: '1', benchmark: '0', how: 'same' }],
    }
    expect(overlaps).toMatchObject([
      shared,
      {
        benchmark: 'aime-2024',
        problems: 0,
        first: [],
        missing: expect.stringContaining('no column "id"') as string,
      },
    ])
    expect(dataNotes(undefined, overlaps)[1]).toMatch(
      /^Benchmark aime-2024: it cannot be had, and its evaluations cannot go on: .*aime-2024.jsonl:1: no column "id"/,
    )
    expect((await readDocument(store, keys.overlap('r'), OverlapDocument))?.overlaps).toEqual([shared])
  })

  it('that began before marks were seen goes on with whole answers; another run has what stands behind them', async () => {
    await write({ ...row, answer: '1+1=2\n#### 2' })
    const plain = deps
    const ask: Reader['ask'] = (job, what, asked, control) =>
      reader.ask(job, what, { ...asked, whole: true }, control)
    deps = { ...plain, reader: { ...reader, ask } }
    const { data, taken } = await enrolled()
    deps = plain
    const answersOf = async (source: string) =>
      (await openData(deps, source)).problems.map(({ answer }) => answer)
    expect(await takeIn(data, 'r')).toEqual(taken)
    expect(await answersOf(taken.source)).toEqual(['1+1=2\n#### 2'])
    const other = await takeIn(data, 'other')
    expect(await answersOf(other.source)).toEqual(['2'])
    expect(other.findings?.after).toEqual({ mark: '####', count: 1 })
  })

  it('goes on with what it began with when its file is gone; another run, or another spec, does not', async () => {
    await write(row)
    const { data, taken } = await enrolled()
    await rm(join(folder, 'own.jsonl'))
    expect(await takeIn(data, 'r')).toEqual(taken)
    for (const [other, of] of [[data, 'other'], [{ ...data, limit: 1 }, 'r'], [data, undefined]] as const)
      await expect(takeIn(other, of)).rejects.toMatchObject({ type: 'InvalidData' }) // prettier-ignore
  })
})
