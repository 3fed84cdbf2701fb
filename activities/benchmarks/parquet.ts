/**
 * Rows from Parquet, read by hyparquet 1.31: the columns that are asked for and no others, under every compression that
 * is in use; LZO is refused by name.
 */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import {
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type Compressors,
  type FileMetaData,
} from 'hyparquet'
import { decompressLz4, decompressLz4Raw, decompressZstd } from 'hyparquet-compressors'
import type { Control } from '../engine/port.ts'
import { InvalidData, type Rows } from './check.ts'
import type { RegularFile } from './local.ts'

/** What a Parquet file begins with. */
export const isParquet = async (file: RegularFile) =>
  Buffer.from(await file.read(0, Math.min(4, file.sizeBytes))).toString('latin1') === 'PAR1'

/** `wanted`: columns by name, or what a name with dots begins with; the file may lack some, the caller says so. */
export async function rowsOfParquet(
  file: RegularFile,
  wanted: readonly string[],
  _control: Control,
): Promise<Rows> {
  const { buffer } = await file.read(0, file.sizeBytes)
  try {
    const metadata = await parquetMetadataAsync(buffer)
    requireCodecs(metadata, file.name)
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name)
    const asked = columns.filter((name) =>
      wanted.some((want) => want === name || want.startsWith(`${name}.`)),
    )
    const read = await parquetReadObjects({ file: buffer, metadata, columns: asked, compressors })
    const rows = read.map((value, i) => ({ number: i + 1, value }))
    return { batches: [rows], place: (row) => `${file.name}, row ${row}`, columns }
  } catch (cause) {
    if (cause instanceof InvalidData) throw cause
    const { message } = cause as Error
    throw new InvalidData(
      `${file.name}: is not a whole Parquet file of ${file.sizeBytes} bytes (${message})`,
      {
        cause,
      },
    )
  }
}

type Decompress = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array

/** No page may become larger than it says. */
const bounded = (decompress: Decompress) => (bytes: Uint8Array, outputLength: number) =>
  decompress(bytes, { maxOutputLength: Math.max(1, outputLength) })

const compressors: Compressors = {
  GZIP: bounded(gunzipSync),
  BROTLI: bounded(brotliDecompressSync),
  ZSTD: (bytes, outputLength) => decompressZstd(bytes, new Uint8Array(outputLength)),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
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
