/**
 * Stored tables: Parquet that DuckDB, pandas and polars open, written by hyparquet-writer 0.17, read as users' files are,
 * within what their pages may hold: whatever became of its bytes, a table is decoded in bounded time, or CorruptObject.
 *
 * Rows are sorted by the table's order before they are written, so that the order in which completions finish leaves no
 * trace; the same rows give the same bytes. A table's digest covers its canonical rows, not its bytes, so another
 * encoder could write the same table. The file's key-value metadata says what it is: `format`, `table`, the digest of
 * the `inputs` it was made from, the `digest` of its rows. Ragged columns are three-level lists; what varies by row
 * (reward components) is JSON in a string. Leaves out: tables that do not fit in memory.
 */
import { createHash } from 'node:crypto'
import type { SchemaElement } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { inMemory } from '../benchmarks/local.ts'
import { wholeOfParquet } from '../benchmarks/parquet/rows.ts'
import type { Label, Rollout, Scored, TableRef } from '../contracts.ts'
import type { Control } from '../engine/port.ts'
import { canonical } from './canonical.ts'
import { CorruptObject, NotFound, type Store } from './store.ts'

type Cell = string | number | null
type Kind = 'string' | 'int32' | 'double' | 'json' | 'int32[]' | 'float[]'

/** What a table is: its columns in order, and the order of its rows (none: as given). */
export interface Table<Row> {
  readonly name: string
  readonly format: number
  /** Null where the columns are those of the rows: strings and doubles, each of which may be missing. */
  readonly columns: { readonly [Name in keyof Row]: Kind } | null
  readonly order: readonly (keyof Row & string)[]
}

const coordinates = ['problem', 'occurrence', 'sample'] as const

export const rolloutsTable: Table<Rollout> = {
  name: 'rollouts',
  format: 1,
  columns: {
    problem: 'string',
    occurrence: 'int32',
    sample: 'int32',
    prompt: 'string',
    completion: 'string',
    promptTokens: 'int32[]',
    tokens: 'int32[]',
    logprobs: 'float[]', // natural logarithms at temperature 1, as the engine computes them: float32
    stop: 'string',
    policy: 'string',
    strategy: 'string',
  },
  order: coordinates,
}

export const rewardsTable: Table<Scored> = {
  name: 'rewards',
  format: 1,
  columns: {
    problem: 'string',
    occurrence: 'int32',
    sample: 'int32',
    value: 'double',
    verdict: 'string',
    reason: 'string',
    components: 'json',
  },
  order: coordinates,
}

export const labelsTable: Table<Label> = {
  name: 'labels',
  format: 1,
  columns: {
    problem: 'string',
    label: 'string',
    votes: 'int32',
    answered: 'int32',
    samples: 'int32',
    answers: 'int32',
    verdict: 'string',
  },
  order: ['problem'],
}

/** Flat rows as a report wants them. */
export const resultsTable: Table<Readonly<Record<string, Cell>>> = {
  name: 'results',
  format: 1,
  columns: null,
  order: [],
}

export interface StoredTable<Row> {
  readonly rows: Row[]
  /** SHA-256 over the canonical rows, one a line. */
  readonly digest: string
  /** Digest of what the table was made from. */
  readonly inputs: string
}

/**
 * Stores rows made from `inputs`. The first table committed for the same inputs wins; one of other inputs, or a torn
 * one, is replaced. `replace` replaces whatever is there, for reports.
 */
export async function writeTable<Row extends object>(
  store: Store,
  key: string,
  table: Table<Row>,
  rows: readonly Row[],
  inputs: string,
  { replace = false }: { readonly replace?: boolean } = {},
): Promise<TableRef> {
  const { bytes, digest } = encode(table, rows, inputs)
  const fresh = { key, digest, rows: rows.length }
  if (!replace) {
    if ((await store.create(key, bytes)) === 'created') return fresh
    const first = await believed(store, key, table, inputs)
    if (first !== null) return refOf(key, first)
  }
  await store.replace(key, bytes)
  return fresh
}

/** The reference to a stored table made from these inputs, or null: absent, of other inputs, or not whole. */
export async function tableRef(store: Store, key: string, inputs: string): Promise<TableRef | null> {
  const stored = await believed(store, key, null, inputs)
  return stored && refOf(key, stored)
}

export function refOf(key: string, { digest, rows }: StoredTable<object>): TableRef {
  return { key, digest, rows: rows.length }
}

/** What is known of a table before it is read: the digest of its rows that a manifest names, what it was made from. */
export interface ExpectedTable {
  readonly digest?: string | undefined
  readonly inputs?: string | undefined
}

/** The table, or null where there is none. Throws CorruptObject. */
export async function readTable<Row extends object>(
  store: Store,
  key: string,
  table: Table<Row>,
  expected?: ExpectedTable,
): Promise<StoredTable<Row> | null> {
  try {
    return await requireTable(store, key, table, expected)
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

/** The table, its digest checked, and that it is the one expected. Throws NotFound, CorruptObject. */
export async function requireTable<Row extends object>(
  store: Store,
  key: string,
  table: Table<Row>,
  expected: ExpectedTable = {},
): Promise<StoredTable<Row>> {
  const place = `${store.url}: ${key}`
  const found = await decode(place, await store.get(key), table)
  const whats = { digest: 'rows of digest', inputs: 'a table made from' } as const
  for (const name of ['digest', 'inputs'] as const)
    if (expected[name] !== undefined && found[name] !== expected[name])
      throw new CorruptObject(`${place}: expected ${whats[name]} ${expected[name]}, found ${found[name]}`)
  return found
}

/** The table that is stored, if it was made from these inputs and is whole; null otherwise. */
export async function believed<Row extends object>(
  store: Store,
  key: string,
  table: Table<Row> | null,
  inputs: string,
): Promise<StoredTable<Row> | null> {
  try {
    const stored = await decode(`${store.url}: ${key}`, await store.get(key), table)
    return stored.inputs === inputs ? stored : null
  } catch (error) {
    if (error instanceof NotFound || error instanceof CorruptObject) return null
    throw error
  }
}

// ── Bytes ───────────────────────────────────────────────────────────────────────────────────────────────────────

type Columns = readonly (readonly [name: string, kind: Kind])[]
type CellRow = Readonly<Record<string, unknown>>

/** The Parquet file of some rows: a function of the rows as a set, and of `inputs`. */
export function encode<Row extends object>(
  table: Table<Row>,
  rows: readonly Row[],
  inputs: string,
): { bytes: Uint8Array; digest: string } {
  const given = rows.toSorted(inOrderOf(table)) as readonly object[] as readonly CellRow[]
  const columns = table.columns === null ? columnsOf(given) : Object.entries<Kind>(table.columns)
  const sorted = given.map((row) => storable(row, columns))
  const digest = digestOfRows(sorted)
  const metadata = { format: String(table.format), table: table.name, inputs, digest }
  const buffer = parquetWriteBuffer({
    schema: [
      { name: 'root', num_children: columns.length },
      ...columns.flatMap(([name, kind]) => schemaOf(name, kind, table.columns === null)),
    ],
    columnData: columns.map(([name, kind]) => ({
      name,
      data: sorted.map((row) => (kind === 'json' ? canonical(row[name]) : row[name])),
    })),
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    createdBy: 'placebo',
  })
  return { bytes: new Uint8Array(buffer), digest }
}

/** Rows of a Parquet file of this program; `table` null takes any. Throws CorruptObject, beginning with `place`. */
export async function decode<Row extends object>(
  place: string,
  bytes: Uint8Array,
  table: Table<Row> | null,
): Promise<StoredTable<Row>> {
  const corrupt = (what: string, cause?: unknown) => new CorruptObject(`${place}: ${what}`, { cause })
  const file = inMemory(bytes, 'it')
  const { metadata, rows: read } = await wholeOfParquet(file, portion, unheard).catch((cause: Error) => {
    const why = cause.cause instanceof Error ? cause.cause.message : cause.message
    throw corrupt(`is not a whole Parquet file of ${bytes.length} bytes (${why})`, cause)
  })
  const own = ownTables.find(({ name }) => name === metadata.get('table'))
  if (own === undefined || (table !== null && own.name !== table.name))
    throw corrupt(
      `expected a table of ${table?.name ?? 'this program'}, found ${metadata.get('table') ?? 'another'}`,
    )
  if (metadata.get('format') !== String(own.format))
    throw corrupt(`expected format ${own.format} of ${own.name}, found ${metadata.get('format')}`)
  const json = Object.entries(own.columns ?? {}).flatMap(([name, kind]) => (kind === 'json' ? [name] : []))
  let digest: string
  try {
    for (const row of read) for (const name of json) row[name] = JSON.parse(String(row[name]))
    digest = digestOfRows(read)
  } catch (cause) {
    throw corrupt(`holds what no row can, ${(cause as Error).message}`, cause)
  }
  if (digest !== metadata.get('digest'))
    throw corrupt(`expected rows of digest ${metadata.get('digest')}, found ${digest}`)
  return { rows: read as Row[], digest, inputs: metadata.get('inputs') ?? '' }
}

/** Rows that are decoded at once, and their values: twice what so many of the longest completions have. */
const portion = { rows: 64, values: 2 ** 24 }
const unheard: Control = { signal: new AbortController().signal, progress: () => {} }

const ownTables: readonly Table<never>[] = [rolloutsTable, rewardsTable, labelsTable, resultsTable] as never

function digestOfRows(rows: readonly CellRow[]): string {
  const hash = createHash('sha256')
  for (const row of rows) hash.update(`${canonical(row)}\n`)
  return hash.digest('hex')
}

/** The row as reading it back gives it: columns only, strings well-formed, log-probabilities on the float32 grid. */
function storable(row: CellRow, columns: Columns): CellRow {
  return Object.fromEntries(columns.map(([name, kind]) => [name, storableCell(row[name], kind)]))
}

function storableCell(cell: unknown, kind: Kind): unknown {
  if (kind === 'float[]') return Array.from(Float32Array.from(cell as number[]))
  // UTF-8 has no lone surrogates: half a character that a stop string cut off becomes U+FFFD here, not on the way.
  if (kind === 'string' && typeof cell === 'string') return Buffer.from(cell, 'utf8').toString('utf8')
  return cell ?? null
}

function inOrderOf<Row>(table: Table<Row>): (a: Row, b: Row) => number {
  return (a, b) => {
    for (const name of table.order) if (a[name] !== b[name]) return a[name] < b[name] ? -1 : 1
    return 0
  }
}

/** Every name that occurs, in order of first appearance; a column with any text is text. */
function columnsOf(rows: readonly CellRow[]): Columns {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return names.map((name) => [name, rows.some((row) => typeof row[name] === 'string') ? 'string' : 'double'])
}

const physical: Record<Kind, Pick<SchemaElement, 'type' | 'converted_type'>> = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  json: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  int32: { type: 'INT32' },
  double: { type: 'DOUBLE' },
  'int32[]': { type: 'INT32' },
  'float[]': { type: 'FLOAT' },
}

function schemaOf(name: string, kind: Kind, nullable: boolean): SchemaElement[] {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED'
  if (!kind.endsWith('[]')) return [{ name, repetition_type, ...physical[kind] }]
  return [
    { name, repetition_type, converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', ...physical[kind] },
  ]
}
