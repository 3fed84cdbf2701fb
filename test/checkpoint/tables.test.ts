import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parquetMetadata } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore } from '../../activities/checkpoint/open.ts'
import { CorruptObject, NotFound, type Store } from '../../activities/checkpoint/store.ts'
import * as tables from '../../activities/checkpoint/tables.ts'
import type { Rollout, Scored } from '../../activities/contracts.ts'
import { stream } from '../../activities/seed.ts'

const { rolloutsTable, rewardsTable, resultsTable } = tables
const rollout = (problem: string, sample: number, tokens: number[]): Rollout => ({
  problem,
  occurrence: 0,
  sample,
  prompt: 'What is 1 + 1?\n',
  completion: `\\boxed{2} é 😀 "${sample}"`,
  promptTokens: [1, 2],
  tokens,
  logprobs: tokens.map((token) => -token / 8), // exact in float32
  stop: 'end',
  policy: 'a'.repeat(64),
  strategy: 'language',
})
const rollouts = [rollout('p1', 0, [5, 6]), rollout('p1', 1, []), rollout('p2', 0, [7])]
const scored: Scored = {
  problem: 'p1',
  occurrence: 0,
  sample: 0,
  value: 0.1,
  verdict: 'correct',
  reason: '',
  components: { format: 1, 'ground-truth': 0.1 },
}

let folder: string
let store: Store
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-tables-'))
  store = await openStore(pathToFileURL(folder).href)
})
afterAll(() => rm(folder, { recursive: true }))

test('rollouts and rewards come back as they went in, empty lists and all', async () => {
  await tables.writeTable(store, 'a', rolloutsTable, rollouts, 'inputs')
  expect((await tables.requireTable(store, 'a', rolloutsTable)).rows).toEqual(rollouts)
  await tables.writeTable(store, 'b', rewardsTable, [scored], 'inputs')
  expect((await tables.requireTable(store, 'b', rewardsTable)).rows).toEqual([scored])
  await tables.writeTable(store, 'c', rolloutsTable, [], 'inputs')
  expect((await tables.requireTable(store, 'c', rolloutsTable)).rows).toEqual([])
})

test('the order in which rows came leaves no trace: same bytes, same digest', () => {
  const [a, b] = [rollouts, rollouts.toReversed()].map((rows) => tables.encode(rolloutsTable, rows, 'inputs'))
  expect(Buffer.compare(a!.bytes, b!.bytes)).toBe(0)
  expect(a!.digest).toBe(b!.digest)
})

test('samples are sorted as numbers, so that the tenth follows the ninth', async () => {
  const rows = [10, 9, 2].map((sample) => rollout('p', sample, [1]))
  await tables.writeTable(store, 'sorted', rolloutsTable, rows, 'inputs')
  const stored = await tables.requireTable(store, 'sorted', rolloutsTable)
  expect(stored.rows.map(({ sample }) => sample)).toEqual([2, 9, 10])
})

test('the digest is SHA-256 over one line of canonical JSON a row', () => {
  const line =
    '{"components":{"format":1,"ground-truth":0.1},"occurrence":0,"problem":"p1","reason":"","sample":0,"value":0.1,"verdict":"correct"}\n'
  const expected = createHash('sha256').update(line).digest('hex')
  expect(tables.encode(rewardsTable, [scored], 'inputs').digest).toBe(expected)
})

test('log-probabilities are stored as float32, and the digest is that of what is stored', async () => {
  const row = { ...rollout('p', 0, [1]), logprobs: [-0.1] }
  const { digest } = await tables.writeTable(store, 'float', rolloutsTable, [row], 'inputs')
  const stored = await tables.requireTable(store, 'float', rolloutsTable)
  expect(stored.rows[0]?.logprobs).toEqual([Math.fround(-0.1)])
  expect(stored.digest).toBe(digest)
})

test('half a surrogate pair, which UTF-8 cannot hold, becomes U+FFFD before the digest is taken', async () => {
  const row = { ...rollout('p', 0, [1]), completion: 'cut 😀'.slice(0, 5) }
  const { digest } = await tables.writeTable(store, 'half', rolloutsTable, [row], 'inputs')
  const stored = await tables.requireTable(store, 'half', rolloutsTable)
  expect(stored).toMatchObject({ digest, rows: [{ completion: 'cut \ufffd' }] })
})

test('the file says what it is in its key-value metadata, and its columns in Parquet types', () => {
  const { bytes, digest } = tables.encode(rolloutsTable, rollouts, 'the inputs')
  const { key_value_metadata, schema } = parquetMetadata(bytes.slice().buffer)
  expect(Object.fromEntries(key_value_metadata!.map(({ key, value }) => [key, value]))).toEqual({
    format: '1',
    table: 'rollouts',
    inputs: 'the inputs',
    digest,
  })
  const at = schema.findIndex(({ name }) => name === 'logprobs')
  expect(schema.slice(at, at + 3)).toMatchObject([
    { name: 'logprobs', converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED' },
    { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
  ])
})

test('results have the columns of their rows; what was not measured is null', async () => {
  const rows = [
    { arm: 'null', gain: null, seeds: 3 },
    { arm: 'random', gain: 0.25, seeds: 3 },
  ]
  await tables.writeTable(store, 'results', resultsTable, rows, 'inputs')
  expect((await tables.requireTable(store, 'results', resultsTable)).rows).toEqual(rows)
})

test('of the same inputs the first table stays; of other inputs it is replaced', async () => {
  const other = [{ ...scored, value: 0 }]
  const first = await tables.writeTable(store, 'd', rewardsTable, [scored], 'one')
  expect(await tables.writeTable(store, 'd', rewardsTable, other, 'one')).toEqual(first)
  expect(await tables.tableRef(store, 'd', 'one')).toEqual(first)
  expect(await tables.tableRef(store, 'd', 'two')).toBeNull()
  const second = await tables.writeTable(store, 'd', rewardsTable, other, 'two')
  expect(second.digest).not.toBe(first.digest)
  expect(await tables.tableRef(store, 'd', 'two')).toEqual(second)
})

test('a torn table is no table to go on with, CorruptObject to a reader, and written again', async () => {
  const whole = tables.encode(rewardsTable, [scored], 'one')
  await store.replace('e', whole.bytes.subarray(0, -20))
  await expect(tables.readTable(store, 'e', rewardsTable)).rejects.toThrow(CorruptObject)
  expect(await tables.tableRef(store, 'e', 'one')).toBeNull()
  await tables.writeTable(store, 'e', rewardsTable, [scored], 'one')
  expect(Buffer.compare(await store.get('e'), whole.bytes)).toBe(0)
})

test('rows that do not match the digest in the file are not read', async () => {
  const { bytes } = tables.encode(rewardsTable, [{ ...scored, reason: 'aaaaaaaaaaaa' }], 'one')
  const at = Buffer.from(bytes).indexOf('aaaaaaaaaaaa')
  bytes[at] = 'b'.charCodeAt(0)
  await store.replace('f', bytes)
  await expect(tables.readTable(store, 'f', rewardsTable)).rejects.toThrow(CorruptObject)
})

test('a table of another name is not taken for one of this', async () => {
  await tables.writeTable(store, 'g', rewardsTable, [scored], 'one')
  await expect(tables.requireTable(store, 'g', rolloutsTable)).rejects.toThrow(
    'expected a table of rollouts, found rewards',
  )
  await expect(tables.requireTable(store, 'absent', rolloutsTable)).rejects.toThrow(NotFound)
  expect(await tables.readTable(store, 'absent', rolloutsTable)).toBeNull()
})

test('a table that was put under another’s key is refused by the digest that a manifest names, or by what it was made from', async () => {
  const one = await tables.writeTable(store, 'known', rolloutsTable, rollouts, 'its inputs')
  const { digest } = one
  expect(
    (await tables.requireTable(store, 'known', rolloutsTable, { digest, inputs: 'its inputs' })).rows,
  ).toEqual(rollouts)
  const other = await tables.writeTable(store, 'known', rolloutsTable, rollouts.slice(1), 'others', {
    replace: true,
  })
  const reading = tables.requireTable(store, 'known', rolloutsTable, { digest })
  await expect(reading).rejects.toThrow(CorruptObject)
  await expect(reading).rejects.toThrow(`known: expected rows of digest ${digest}, found ${other.digest}`)
  const made = tables.readTable(store, 'known', rolloutsTable, { digest: other.digest, inputs: 'its inputs' })
  await expect(made).rejects.toThrow('known: expected a table made from its inputs, found others')
})

test('a table whose bytes were turned over is CorruptObject or its own rows, whatever was: 400 of two tables', async () => {
  const rows = Array.from({ length: 70 }, (_, i) => rollout(`p${i % 9}`, i, [i, i, 7, i % 3]))
  const whole = [
    tables.encode(rolloutsTable, rows, 'inputs'),
    tables.encode(rewardsTable, [scored, { ...scored, sample: 1 }], 'inputs'),
  ]
  const ends = { rows: 0, CorruptObject: 0 }
  for (let sample = 0; sample < 400; sample++) {
    const { bytes, digest } = whole[sample % 2]!
    const s = stream({ seed: 14, purpose: 'fault', problem: 'tables', sample })
    const damaged = bytes.slice()
    for (let i = 0; i <= s.below(3, 0); i++)
      damaged[s.below(bytes.length, 3 * i + 1)]! ^= 1 << s.below(8, 3 * i + 2)
    // Stored under its own digest: nothing but the decoder can find what is wrong.
    const found = await tables.decode('t', damaged, null).catch((error: unknown) => error)
    if (found instanceof CorruptObject) ends.CorruptObject += 1
    else expect({ sample, digest: (found as { digest: unknown }).digest }).toEqual({ sample, digest })
    if (!(found instanceof Error)) ends.rows += 1
  }
  expect(ends.CorruptObject).toBeGreaterThan(200)
  expect(ends.rows).toBeGreaterThan(20) // statistics, and names that nobody reads
})

test('a stored table whose pages do not say how much they hold ends in CorruptObject by key', async () => {
  await store.replace('hang', await readFile(new URL('../golden/layouts/hang.parquet', import.meta.url)))
  const reading = tables.requireTable(store, 'hang', rolloutsTable)
  await expect(reading).rejects.toThrow(CorruptObject)
  await expect(reading).rejects.toThrow(
    /hang: is not a whole Parquet file of 2633 bytes \(a page whose header does not say how many values it has\)$/,
  )
  expect(await tables.tableRef(store, 'hang', 'inputs')).toBeNull()
})

test('a row that says NaN is refused when it is written', () => {
  const row = { ...rollouts[0]!, logprobs: [-1, NaN] }
  expect(() => tables.encode(rolloutsTable, [row], 'inputs')).toThrow('$.logprobs[1] is NaN')
})
