/**
 * The pages of a column chunk, one after another: where each value stands (levels), and the values that are there. A
 * page is refused by the sizes and counts that its header states, before room is made for it.
 */
import type { DecodedArray } from 'hyparquet'
import type { ColumnDecoder } from 'hyparquet/src/types.js'
import { parquetHeader } from 'hyparquet/src/column.js'
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js'
import type { RegularFile } from '../local.ts'
import { Beyond, Cursor, endOfStruct, Malformed, said, Unfinished } from './bytes.ts'
import { decompressed } from './codecs.ts'
import type { Chunk } from './footer.ts'
import { dictionaryOf, mostPage, readRuns, valuesOf } from './values.ts'

/** Values of a page, nulls counted: 64 MiB of them, each eight bytes at least. */
export const mostValues = 2 ** 23
/** Bytes that are read at once, most pages whole. */
const window = 2 ** 20
/** A header with the longest texts of its page in it. */
const mostHeader = 8 * 2 ** 20
const mostHeaderValues = 1000

export interface Page {
  /** Values, nulls counted. */
  readonly count: number
  /** Null where the schema leaves no choice. */
  readonly definition: Uint8Array | null
  readonly repetition: Uint8Array | null
  /** Those that are not null. */
  readonly values: DecodedArray
}

type Header = ReturnType<typeof parquetHeader>

export class Pages {
  readonly #file: RegularFile
  readonly #chunk: Chunk
  readonly #column: ColumnDecoder
  readonly #definition: number
  readonly #repetition: number
  #dictionary: DecodedArray | null = null
  #left: number
  #at: number
  #window = { from: 0, bytes: new Uint8Array(0) }

  constructor(file: RegularFile, chunk: Chunk) {
    const { path, codec, values, start } = chunk
    const schemaPath = [...path]
    const { element, path: pathInSchema } = path.at(-1)!
    const type = element.type!
    this.#file = file
    this.#chunk = chunk
    this.#column = { pathInSchema, type, element, schemaPath, codec, parsers: DEFAULT_PARSERS }
    this.#definition = getMaxDefinitionLevel(schemaPath)
    this.#repetition = getMaxRepetitionLevel(schemaPath)
    this.#left = values
    this.#at = start
  }

  /** The next page with values in it; null where the chunk has given all that it states. */
  async next(): Promise<Page | null> {
    while (this.#left > 0) {
      const { header, body } = await this.#page()
      if (header.type === 'DICTIONARY_PAGE') {
        const count = requireCount(header.dictionary_page_header?.num_values, mostValues)
        this.#dictionary = dictionaryOf(this.#inflated(header, body), count, this.#column)
        continue
      }
      const page = header.type === 'DATA_PAGE' ? this.#first(header, body) : this.#second(header, body)
      this.#left -= page.count
      if (page.count > 0) return page
    }
    return null
  }

  async #page(): Promise<{ header: Header; body: Uint8Array }> {
    const header = await this.#header()
    const size = requireSize(header.compressed_page_size)
    requireSize(header.uncompressed_page_size)
    if (size > this.#chunk.end - this.#at)
      throw new Malformed(`a page of ${size} bytes, its column chunk has ${this.#chunk.end - this.#at} left`)
    const body = await this.#bytes(size)
    this.#at += size
    return { header, body }
  }

  async #header(): Promise<Header> {
    const left = this.#chunk.end - this.#at
    for (let size = Math.min(left, 1024); ; size = Math.min(left, size * 8)) {
      if (left <= 0) throw new Malformed(`a column chunk ends ${this.#left} values before it should`)
      const bytes = await this.#bytes(size)
      try {
        const end = endOfStruct(new Cursor(bytes), mostHeaderValues)
        this.#at += end
        return parquetHeader({ view: new DataView(bytes.buffer, bytes.byteOffset, end), offset: 0 })
      } catch (error) {
        if (!(error instanceof Unfinished) || size >= left) throw error
        if (size >= mostHeader) throw new Beyond(`has a page header of more than ${mostHeader} bytes`)
      }
    }
  }

  /** From where the next page begins. */
  async #bytes(size: number): Promise<Uint8Array> {
    const { from, bytes } = this.#window
    const begin = this.#at - from
    if (begin >= 0 && begin + size <= bytes.length) return bytes.subarray(begin, begin + size)
    const end = Math.min(this.#chunk.end, this.#at + Math.max(size, window))
    this.#window = { from: this.#at, bytes: await this.#file.read(this.#at, end) }
    return this.#window.bytes.subarray(0, size)
  }

  #inflated(header: Header, body: Uint8Array): Uint8Array<ArrayBuffer> {
    return decompressed(body, this.#chunk.codec, header.uncompressed_page_size)
  }

  /** DATA_PAGE: levels are compressed with the values, and say how long they are. */
  #first(header: Header, body: Uint8Array): Page {
    const stated = header.data_page_header
    const count = requireCount(stated?.num_values, this.#left)
    const page = this.#inflated(header, body)
    let at = 0
    const levels = (most: number) => {
      if (most === 0) return null
      const length = new Cursor(page, at).word()
      const cursor = new Cursor(page, at + 4, at + 4 + length)
      at = cursor.end
      return levelsOf(cursor, most, count)
    }
    const repetition = levels(this.#repetition)
    const definition = levels(this.#definition)
    const present = this.#present(definition, count)
    const values = valuesOf(page, at, present, stated?.encoding, this.#column, this.#dictionary)
    return { count, repetition, definition, values: this.#checked(values, present) }
  }

  /** DATA_PAGE_V2: levels lie before the values, as they are. */
  #second(header: Header, body: Uint8Array): Page {
    const stated = header.data_page_header_v2
    if (header.type === 'DATA_PAGE_V2' && stated === undefined)
      throw new Malformed('a page whose header does not say how many values it has')
    if (header.type !== 'DATA_PAGE_V2' || stated === undefined)
      throw new Malformed(`a page of a kind that is not known, its header says ${said(header.type)}`)
    const count = requireCount(stated.num_values, this.#left)
    const nulls = requireCount(stated.num_nulls, count, 'nulls')
    const ends = requireCount(stated.repetition_levels_byte_length, body.length, 'bytes of levels')
    const rest = body.length - ends
    const begin = ends + requireCount(stated.definition_levels_byte_length, rest, 'bytes of levels')
    const levels = (from: number, to: number, most: number) =>
      most === 0 ? null : levelsOf(new Cursor(body, from, to), most, count)
    const repetition = levels(0, ends, this.#repetition)
    const definition = levels(ends, begin, this.#definition)
    const present = this.#present(definition, count)
    if (present !== count - nulls)
      throw new Malformed(`a page with ${count - present} nulls that states ${nulls}`)
    const size = header.uncompressed_page_size - begin
    const codec = stated.is_compressed === false ? 'UNCOMPRESSED' : this.#chunk.codec
    const page = decompressed(body.subarray(begin), codec, requireSize(size))
    const values = valuesOf(page, 0, present, stated.encoding, this.#column, this.#dictionary)
    return { count, repetition, definition, values: this.#checked(values, present) }
  }

  #present(definition: Uint8Array | null, count: number): number {
    if (definition === null) return count
    let present = 0
    for (const level of definition) if (level === this.#definition) present += 1
    return present
  }

  #checked(values: DecodedArray, count: number): DecodedArray {
    if (values.length !== count) throw new Malformed(`a page of ${values.length} values states ${count}`)
    return values
  }
}

function levelsOf(cursor: Cursor, most: number, count: number): Uint8Array {
  const levels = readRuns(cursor, 32 - Math.clz32(most), new Uint8Array(count))
  for (const level of levels)
    if (level > most) throw new Malformed(`a level of ${level}, the schema has ${most}`)
  return levels
}

function requireSize(size: unknown): number {
  if (typeof size !== 'number' || size < 0)
    throw new Malformed(`a page whose header says ${said(size)} where it should say its number of bytes`)
  if (size > mostPage) throw new Beyond(`has a page of ${size} bytes, at most ${mostPage} are read`)
  return size
}

function requireCount(count: unknown, most: number, what = 'values'): number {
  if (typeof count !== 'number' || count < 0)
    throw new Malformed(`a page whose header says ${said(count)} where it should say its number of ${what}`)
  if (count > most) throw new Malformed(`a page states ${count} ${what} where there can be ${most} at most`)
  if (count > mostValues) throw new Beyond(`has a page of ${count} values, at most ${mostValues} are read`)
  return count
}
