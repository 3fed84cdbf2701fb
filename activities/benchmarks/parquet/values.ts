/**
 * The values of a page (parquet-format, Encodings.md). Runs, dictionary indices and byte arrays are read here, within
 * what they are given; hyparquet reads plain and delta values once their counts and widths have been looked at.
 */
import type { ColumnDecoder, DecodedArray, Encoding } from 'hyparquet/src/types.js'
import { convert } from 'hyparquet/src/convert.js'
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js'
import { byteStreamSplit } from 'hyparquet/src/encoding.js'
import { readPlain } from 'hyparquet/src/plain.js'
import { Beyond, Cursor, Malformed, said } from './bytes.ts'
import { widestDecimal } from './footer.ts'

/** Bytes of a page, and of all its texts once they are written out. */
export const mostPage = 128 * 2 ** 20

/** The values of `page` from `at` on, nulls left out: `count` of them, as what the schema says they are. */
export function valuesOf(
  page: Uint8Array<ArrayBuffer>,
  at: number,
  count: number,
  encoding: Encoding | undefined,
  column: ColumnDecoder,
  dictionary: DecodedArray | null,
): DecodedArray {
  if (count === 0) return []
  const { type, element } = column
  const reader = { view: new DataView(page.buffer), offset: at }
  switch (encoding) {
    case 'PLAIN':
      return converted(readPlain(reader, type, count, element.type_length), column)
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY':
      return lookedUp(new Cursor(page, at), count, dictionary)
    case 'RLE': {
      if (type !== 'BOOLEAN') throw new Malformed(`runs of ${type}`)
      const cursor = new Cursor(page, at)
      const bits = readRuns(new Cursor(page, at + 4, at + 4 + cursor.word()), 1, new Uint8Array(count))
      return Array.from(bits, (bit) => bit === 1)
    }
    case 'BYTE_STREAM_SPLIT': {
      const width =
        type === 'FIXED_LEN_BYTE_ARRAY' ? (element.type_length ?? 0) : /64|DOUBLE/.test(type) ? 8 : 4
      new Cursor(page, at).skip(count * width)
      return converted(byteStreamSplit(reader, count, type, element.type_length), column)
    }
    case 'DELTA_BINARY_PACKED': {
      if (type !== 'INT32' && type !== 'INT64') throw new Malformed(`differences of ${type}`)
      const numbers = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count)
      unpackDeltas(reader, count, numbers)
      return converted(numbers, column)
    }
    case 'DELTA_LENGTH_BYTE_ARRAY':
      return converted(byteArrays(reader, null, lengthsOf(reader, count)), column)
    case 'DELTA_BYTE_ARRAY': {
      const prefixes = lengthsOf(reader, count)
      return converted(byteArrays(reader, prefixes, lengthsOf(reader, count)), column)
    }
    default:
      throw new Malformed(`an encoding that is not known, the header says ${said(encoding)}`)
  }
}

function converted(data: DecodedArray, column: ColumnDecoder): DecodedArray {
  if (column.element.converted_type === 'DECIMAL')
    for (const value of data as Iterable<unknown>)
      if (value instanceof Uint8Array && value.length > widestDecimal)
        throw new Beyond(`has a decimal number of ${value.length} bytes, at most ${widestDecimal} are read`)
  return convert(data, column)
}

export const dictionaryOf = (page: Uint8Array<ArrayBuffer>, count: number, column: ColumnDecoder) =>
  valuesOf(page, 0, count, 'PLAIN', column, null)

function lookedUp(cursor: Cursor, count: number, dictionary: DecodedArray | null): DecodedArray {
  if (dictionary === null) throw new Malformed('refers to a dictionary, and there is none')
  const width = cursor.byte()
  const indices = readRuns(cursor, width, new Uint32Array(count))
  const { length } = dictionary
  const values = new Array<unknown>(count)
  for (let i = 0; i < count; i++) {
    const index = indices[i]!
    if (index >= length) throw new Malformed(`refers to value ${index} of a dictionary of ${length}`)
    values[i] = dictionary[index]
  }
  return values
}

/** Fills `output` from runs of one value and bit-packed runs of eight. */
export function readRuns<T extends Uint8Array | Uint32Array>(cursor: Cursor, width: number, output: T): T {
  if (width > 32) throw new Malformed(`values of ${width} bits`)
  for (let seen = 0; seen < output.length;) {
    const header = cursor.number()
    const left = output.length - seen
    if (header % 2 === 1) {
      const count = Math.min(((header - 1) / 2) * 8, left) // the last run of a page may be filled up
      unpack(cursor, width, output, seen, count)
      seen += count
    } else {
      const count = header / 2
      if (count > left) throw new Malformed(`a run of ${count} values, ${left} are left`)
      let value = 0
      for (let i = 0; i < width; i += 8) value += cursor.byte() * 2 ** i
      output.fill(value, seen, seen + count)
      seen += count
    }
  }
  return output
}

/** Whole groups of eight are there, whatever of the last is wanted; some writers leave the rest of it out. */
function unpack(
  cursor: Cursor,
  width: number,
  output: Uint8Array | Uint32Array,
  from: number,
  count: number,
) {
  let bits = 0
  let have = 0
  const mask = 2 ** width
  for (let i = from; i < from + count; i++) {
    while (have < width) {
      bits += cursor.byte() * 2 ** have // fewer than 32 + 8 bits: exact
      have += 8
    }
    output[i] = bits % mask
    bits = Math.floor(bits / mask)
    have -= width
  }
  const groups = Math.ceil(count / 8) * width
  const read = Math.ceil((count * width) / 8)
  cursor.at = Math.min(cursor.end, cursor.at + groups - read)
}

interface Reader {
  readonly view: DataView<ArrayBuffer>
  offset: number
}

/** Blocks of differences, walked through before they are read: every loop in there has an end, every width its bytes. */
function unpackDeltas(reader: Reader, count: number, output: Int32Array | BigInt64Array): void {
  const cursor = new Cursor(new Uint8Array(reader.view.buffer), reader.offset)
  const block = cursor.number()
  const parts = cursor.number()
  const size = block / parts
  if (parts < 1 || size < 8 || size % 8 !== 0)
    throw new Malformed(`blocks of ${block} values in ${parts} parts`)
  const stated = cursor.number()
  if (stated !== count) throw new Malformed(`${stated} differences, expected ${count}`)
  cursor.number()
  for (let left = count - 1; left > 0;) {
    cursor.number()
    const widths = cursor.at
    cursor.skip(parts)
    for (let i = 0; i < parts && left > 0; i++, left -= size) {
      const width = cursor.bytes[widths + i]!
      if (width > 64) throw new Malformed(`differences of ${width} bits`)
      cursor.at += Math.ceil((Math.min(size, left) * width) / 8) // the rest of the last may be left out
      if (cursor.at > cursor.end) throw new Malformed('differences end in the middle of a block')
    }
  }
  deltaBinaryUnpack(reader, count, output)
}

function lengthsOf(reader: Reader, count: number): Int32Array {
  const lengths = new Int32Array(count)
  unpackDeltas(reader, count, lengths)
  return lengths
}

/** `prefixes`: how much of the value before each begins with. */
function byteArrays(reader: Reader, prefixes: Int32Array | null, lengths: Int32Array): Uint8Array[] {
  const bytes = new Uint8Array(reader.view.buffer)
  const values: Uint8Array[] = []
  let before = new Uint8Array(0)
  let total = 0
  for (const [i, length] of lengths.entries()) {
    const prefix = prefixes?.[i] ?? 0
    const end = reader.offset + length
    if (prefix < 0 || length < 0 || prefix > before.length || end > bytes.length)
      throw new Malformed(`a text of ${prefix} and ${length} bytes, where neither can be`)
    total += prefix + length
    if (total > mostPage) throw new Beyond(`has a page of texts that grow beyond ${mostPage} bytes`)
    const value = new Uint8Array(prefix + length)
    value.set(before.subarray(0, prefix))
    value.set(bytes.subarray(reader.offset, end), prefix)
    values.push(value)
    before = value
    reader.offset = end
  }
  return values
}
