/**
 * Pages as they were before they were compressed, by every codec that is in use (LZO is not). None writes more than the
 * page states, however much there is: what inflates further is refused when it does. Snappy and LZ4 are read here
 * (google/snappy, format_description.txt; lz4/lz4, doc/lz4_Block_format.md), for their readers in hyparquet trust lengths.
 */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { CompressionCodec } from 'hyparquet'
import { decompressZstd } from 'hyparquet-compressors'
import { Cursor, Malformed } from './bytes.ts'

/** From a page's bytes to as many as it states. */
type Decompress = (bytes: Uint8Array, size: number) => Uint8Array

const byNode =
  (
    decompress: (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array,
  ): Decompress =>
  (bytes, size) => {
    try {
      return decompress(bytes, { maxOutputLength: Math.max(1, size) })
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      throw code === 'ERR_BUFFER_TOO_LARGE' ? tooLong(size) : new Malformed(`a page: ${message}`, { cause })
    }
  }

const tooLong = (size: number) => new Malformed(`a page inflates beyond the ${size} bytes that it states`)

export const codecs: Readonly<Partial<Record<CompressionCodec, Decompress>>> = {
  UNCOMPRESSED: (bytes) => bytes,
  SNAPPY: snappy,
  GZIP: byNode(gunzipSync),
  BROTLI: byNode(brotliDecompressSync),
  ZSTD: (bytes, size) => decompressZstd(bytes, new Uint8Array(size)),
  LZ4: lz4OfHadoop,
  LZ4_RAW: (bytes, size) => {
    const output = new Output(size)
    lz4(new Cursor(bytes), output)
    return output.whole()
  },
}

/** The page, in a buffer of its own: whoever reads behind its end meets an end. */
export function decompressed(
  bytes: Uint8Array,
  codec: CompressionCodec,
  size: number,
): Uint8Array<ArrayBuffer> {
  const page = size === 0 ? new Uint8Array(0) : codecs[codec]?.(bytes, size)
  if (page?.length !== size) throw new Malformed(`a page of ${page?.length} bytes states ${size}`)
  return page.buffer.byteLength === size && page.buffer instanceof ArrayBuffer
    ? (page as Uint8Array<ArrayBuffer>)
    : new Uint8Array(page)
}

/** Bytes as they are written, never more than `size`. */
class Output {
  readonly bytes: Uint8Array
  at = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  literal(cursor: Cursor, length: number): void {
    this.#require(length)
    const from = cursor.at
    cursor.skip(length)
    this.bytes.set(cursor.bytes.subarray(from, cursor.at), this.at)
    this.at += length
  }

  /** What was written `back` bytes before, which may run into what it writes. */
  copy(back: number, length: number): void {
    this.#require(length)
    if (back === 0 || back > this.at)
      throw new Malformed(`a copy from ${back} bytes before byte ${this.at} of a page`)
    if (back >= length) this.bytes.copyWithin(this.at, this.at - back, this.at - back + length)
    else for (let i = this.at; i < this.at + length; i++) this.bytes[i] = this.bytes[i - back]!
    this.at += length
  }

  whole(): Uint8Array {
    if (this.at !== this.bytes.length)
      throw new Malformed(`a page inflates to ${this.at} bytes and states ${this.bytes.length}`)
    return this.bytes
  }

  #require(length: number): void {
    if (length > this.bytes.length - this.at) throw tooLong(this.bytes.length)
  }
}

function snappy(bytes: Uint8Array, size: number): Uint8Array {
  const cursor = new Cursor(bytes)
  const stated = cursor.number()
  if (stated !== size) throw new Malformed(`a page inflates to ${stated} bytes and states ${size}`)
  const output = new Output(size)
  const short = (count: number) => {
    let value = 0
    for (let i = 0; i < count; i++) value += cursor.byte() * 2 ** (8 * i)
    return value
  }
  while (cursor.at < cursor.end) {
    const tag = cursor.byte()
    const high = tag >> 2
    if ((tag & 3) === 0) output.literal(cursor, (high < 60 ? high : short(high - 59)) + 1)
    else if ((tag & 3) === 1) output.copy((tag >> 5) * 256 + cursor.byte(), (high & 7) + 4)
    else output.copy(short((tag & 3) === 2 ? 2 : 4), high + 1)
  }
  return output.whole()
}

function lz4(cursor: Cursor, output: Output): void {
  const lengthOf = (nibble: number) => {
    if (nibble < 15) return nibble
    let length = nibble
    for (let byte = 255; byte === 255; length += byte) byte = cursor.byte()
    return length
  }
  while (cursor.at < cursor.end) {
    const token = cursor.byte()
    output.literal(cursor, lengthOf(token >> 4))
    if (cursor.at >= cursor.end) return // a block ends in literals
    const back = cursor.byte() + cursor.byte() * 256
    output.copy(back, lengthOf(token & 15) + 4)
  }
}

/** Hadoop's framing, big-endian lengths before each block; other writers give the block alone under the same name. */
function lz4OfHadoop(bytes: Uint8Array, size: number): Uint8Array {
  const output = new Output(size)
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at < bytes.length;) {
      const to = output.at + view.getUint32(at)
      const end = at + 8 + view.getUint32(at + 4)
      lz4(new Cursor(bytes, at + 8, end), output)
      if (output.at !== to) throw new Malformed('not framed')
      at = end
    }
    if (output.at === size) return output.bytes
  } catch (error) {
    if (!(error instanceof Malformed || error instanceof RangeError)) throw error
  }
  const alone = new Output(size)
  lz4(new Cursor(bytes), alone)
  return alone.whole()
}
