/**
 * Rows from Parquet, read by hyparquet 1.31: the columns that are asked for and no others. Pages may be plain, snappy,
 * gzip or brotli, and zstd where Node has it (22.15 and later); others are refused by name.
 */
import * as zlib from 'node:zlib'
import {
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type Compressors,
  type FileMetaData,
} from 'hyparquet'
import { InvalidData, type Row } from './check.ts'

/** What a Parquet file begins with. */
export const isParquet = (bytes: Uint8Array) =>
  Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'PAR1'

/** `wanted`: columns by name, or what a name with dots begins with; the file may lack some, the caller says so. */
export async function rowsOfParquet(
  bytes: Uint8Array,
  file: string,
  wanted: readonly string[],
): Promise<Row[]> {
  const buffer = new Uint8Array(bytes).buffer // a copy: hyparquet wants a buffer that begins where the file does
  try {
    const metadata = await parquetMetadataAsync(buffer)
    requireCodecs(metadata, file)
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name)
    const asked = columns.filter((name) =>
      wanted.some((want) => want === name || want.startsWith(`${name}.`)),
    )
    const read = await parquetReadObjects({ file: buffer, metadata, columns: asked, compressors })
    // Unread columns are named, so that a complaint about a missing one can list what there is.
    const unread = Object.fromEntries(columns.map((name) => [name, undefined]))
    return read.map((value, i) => ({ at: `${file}, row ${i + 1}`, value: { ...unread, ...value } }))
  } catch (cause) {
    if (cause instanceof InvalidData) throw cause
    const { message } = cause as Error
    throw new InvalidData(`${file}: is not a whole Parquet file of ${bytes.length} bytes (${message})`, {
      cause,
    })
  }
}

type Decompress = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array
const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: Decompress }

/** No page may become larger than it says. */
const bounded = (decompress: Decompress) => (bytes: Uint8Array, outputLength: number) =>
  decompress(bytes, { maxOutputLength: Math.max(1, outputLength) })

const compressors: Compressors = {
  GZIP: bounded(zlib.gunzipSync),
  BROTLI: bounded(zlib.brotliDecompressSync),
  ...(zstdDecompressSync !== undefined && { ZSTD: bounded(zstdDecompressSync) }),
}

function requireCodecs({ row_groups }: FileMetaData, file: string): void {
  const readable = ['UNCOMPRESSED', 'SNAPPY', ...Object.keys(compressors)]
  const codecs = row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data?.codec))
  const unknown = codecs.find((codec) => codec !== undefined && !readable.includes(codec))
  if (unknown !== undefined)
    throw new InvalidData(
      `${file}: is compressed with ${unknown}, this worker reads ${readable.join(', ').toLowerCase()}`,
    )
}
