/**
 * What a Parquet file says of itself (github.com/apache/parquet-format, 2.11): its schema, and where each row group has
 * its column chunks. Every count and offset is compared with the file before a byte of data is read. Leaves out
 * statistics and indexes: whatever is read, is read as it stands.
 */
import {
  parquetMetadata,
  parquetSchema,
  type CompressionCodec,
  type FileMetaData,
  type SchemaTree,
} from 'hyparquet'
import { getTreePath } from 'hyparquet/src/schema.js'
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import type { Fractions } from '../answers.ts'
import type { RegularFile } from '../local.ts'
import { Beyond, Cursor, endOfStruct, Malformed, said } from './bytes.ts'
import { codecs } from './codecs.ts'

/** A leaf column's part of a row group: its pages lie from `start` to `end`. */
export interface Chunk {
  /** From the root to the leaf. */
  readonly path: readonly SchemaTree[]
  readonly codec: CompressionCodec
  /** Values, nulls and empty lists counted. */
  readonly values: number
  readonly start: number
  readonly end: number
}

export interface Group {
  readonly rows: number
  /** One for each leaf of the layout. */
  readonly chunks: readonly Chunk[]
}

export interface Layout {
  readonly rows: number
  /** Names of all columns, whatever is read. */
  readonly names: readonly string[]
  /** The columns that are read. */
  readonly columns: readonly SchemaTree[]
  readonly groups: readonly Group[]
  /** What the file says of itself besides: keys and values. */
  readonly metadata: ReadonlyMap<string, string | undefined>
  /** By the path of a leaf that is read: what its fractions are. */
  readonly fractions: ReadonlyMap<string, Fractions>
}

/** A file of a thousand columns and a hundred row groups has some 10 MiB. */
const mostFooter = 16 * 2 ** 20
const mostFooterValues = 2 ** 22
const deepestSchema = 1024
/** Of a column that is read. */
const deepestColumn = 64
/** Bytes of a decimal number; wider ones cost the square of their width. */
export const widestDecimal = 64

/** `isWanted`: whether a column is read, by its name. */
export async function readLayout(file: RegularFile, isWanted: (name: string) => boolean): Promise<Layout> {
  const metadata = await readFooter(file)
  const root = parquetSchema(metadata)
  const names = root.children.map(({ element }) => element.name)
  const columns = root.children.filter(({ element }) => isWanted(element.name))
  const leaves = columns.flatMap((column) => leavesOf(column, 1))
  const groups = metadata.row_groups.map((group, i) => {
    const at = `row group ${i}`
    const rows = countOf(group.num_rows, `${at}: rows`)
    const byPath = new Map(
      group.columns.map((chunk) => [(chunk.meta_data?.path_in_schema ?? []).join('\0'), chunk]),
    )
    const chunks = leaves.map(({ path }) =>
      chunkOf(
        byPath.get(path.join('\0')),
        getTreePath(root, path),
        rows,
        file,
        `${at}, column ${path.join('.')}`,
      ),
    )
    return { rows, chunks }
  })
  const rows = countOf(metadata.num_rows, 'rows')
  const sum = groups.reduce((total, group) => total + group.rows, 0)
  if (sum !== rows) throw new Malformed(`states ${rows} rows, its row groups have ${sum}`)
  const fractions = leaves.flatMap(({ element, path }) => {
    const own = fractionsOf(element)
    return own === null ? [] : [[path.join('.'), own] as const]
  })
  const pairs = (metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value] as const)
  return { rows, names, columns, groups, metadata: new Map(pairs), fractions: new Map(fractions) }
}

function fractionsOf({ type, converted_type, scale }: SchemaTree['element']): Fractions | null {
  if (converted_type === 'DECIMAL') return { scale: scale ?? 0 }
  return type === 'FLOAT' ? 'single' : null
}

async function readFooter(file: RegularFile): Promise<FileMetaData> {
  const { sizeBytes } = file
  if (sizeBytes < 12) throw new Malformed('has no room for a footer')
  const tail = new Cursor(await file.read(sizeBytes - 8, sizeBytes))
  const length = tail.word()
  if (tail.word() !== magic) throw new Malformed('does not end in PAR1')
  if (length > sizeBytes - 12) throw new Malformed(`states a footer of ${length} bytes`)
  if (length > mostFooter) throw new Beyond(`has a footer of ${length} bytes, at most ${mostFooter} are read`)
  const bytes = await file.read(sizeBytes - 8 - length, sizeBytes)
  endOfStruct(new Cursor(bytes, 0, length), mostFooterValues)
  requireTree(deserializeTCompactProtocol({ view: new DataView(bytes.buffer), offset: 0 }))
  return parquetMetadata(bytes)
}

/** PAR1 */
const magic = 0x31524150

interface RawElement {
  readonly field_1?: unknown
  readonly field_5?: unknown
  readonly field_6?: unknown
}

/** The schema is a list in which an element is followed by as many children as it states. */
function requireTree({ field_2: schema, field_4: groups }: Record<string, unknown>): void {
  if (!Array.isArray(schema) || schema.length === 0) throw new Malformed('has no schema')
  const open: number[] = []
  for (const [i, element] of (schema as RawElement[]).entries()) {
    const children = element.field_5 ?? 0
    if (typeof children !== 'number' || children < 0)
      throw new Malformed('a column has no number of children')
    if (i > 0 && open.length === 0) throw new Malformed(`has ${schema.length} columns, and a tree of ${i}`)
    if (open.length > 0) open.push(open.pop()! - 1)
    open.push(children)
    while (open.at(-1) === 0) open.pop()
    if (open.length > deepestSchema) throw new Malformed(`columns are nested more than ${deepestSchema} deep`)
  }
  if (open.length > 0) throw new Malformed('the schema ends within a column')
  requireNarrow(schema as RawElement[], groups)
}

/** Statistics of decimal numbers, which are read with the footer. */
function requireNarrow(schema: readonly RawElement[], groups: unknown): void {
  const leaves = schema.filter(({ field_1 }) => field_1 !== undefined)
  const decimals = leaves.flatMap(({ field_6 }, i) => (field_6 === 5 ? [i] : []))
  for (const { field_1: chunks } of groups as { field_1: { field_3?: { field_12?: object } }[] }[])
    for (const i of decimals)
      for (const value of Object.values(chunks[i]?.field_3?.field_12 ?? {}))
        if (value instanceof Uint8Array && value.length > widestDecimal)
          throw new Beyond(`has a decimal number of ${value.length} bytes, at most ${widestDecimal} are read`)
}

function leavesOf(tree: SchemaTree, depth: number): SchemaTree[] {
  if (depth > deepestColumn)
    throw new Beyond(`has column ${tree.path[0]} nested more than ${deepestColumn} deep, which is not read`)
  return tree.children.length === 0 ? [tree] : tree.children.flatMap((child) => leavesOf(child, depth + 1))
}

type Stated = FileMetaData['row_groups'][number]['columns'][number]

function chunkOf(
  stated: Stated | undefined,
  path: readonly SchemaTree[],
  rows: number,
  file: RegularFile,
  at: string,
): Chunk {
  const meta = stated?.meta_data
  if (meta === undefined) throw new Malformed(`${at}: is not there`)
  if (stated?.file_path !== undefined) throw new Beyond(`has ${at} in another file, which is not read`)
  const { codec } = meta
  if (!Object.hasOwn(codecs, codec))
    throw new Beyond(
      `is compressed with ${said(codec)}, this worker reads ${Object.keys(codecs).join(', ').toLowerCase()}`,
    )
  const leaf = path.at(-1)?.element
  if (leaf?.type === undefined || leaf.type !== meta.type)
    throw new Malformed(`${at}: is ${said(meta.type)}, the schema says ${said(leaf?.type)}`)
  const start = countOf(meta.dictionary_page_offset || meta.data_page_offset, `${at}: offset`)
  const end = start + countOf(meta.total_compressed_size, `${at}: bytes`)
  if (start < 4 || end > file.sizeBytes - 8) throw new Malformed(`${at}: lies at ${start} to ${end}`)
  const values = countOf(meta.num_values, `${at}: values`)
  const isRepeated = path.some(({ element }) => element.repetition_type === 'REPEATED')
  if (isRepeated ? values < rows : values !== rows)
    throw new Malformed(`${at}: has ${values} values for ${rows} rows`)
  return { path, codec, values, start, end }
}

function countOf(value: unknown, what: string): number {
  const count = typeof value === 'bigint' ? Number(value) : value
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0)
    throw new Malformed(`${what}: expected a count, found ${said(value)}`)
  return count
}
