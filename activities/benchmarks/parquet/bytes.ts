/**
 * What a Parquet file's bytes may say, looked at before anything acts on it: numbers of at most ten bytes, structures of
 * Thrift's compact protocol (thrift.apache.org, doc/specs/thrift-compact-protocol.md) that end within their bytes. A
 * decoder that believes every length and count can be made to run, or to allocate, for as long as a file likes.
 */

/** The file says something that cannot be. */
export class Malformed extends Error {
  override readonly name: string = 'Malformed'
}
/** The file says something that may be, and is more than is read here. */
export class Beyond extends Error {
  override readonly name = 'Beyond'
}
/** A structure goes on behind the bytes that were given. */
export class Unfinished extends Malformed {
  override readonly name = 'Unfinished'
}

/** What a header or a footer says where it should say something. */
export const said = (value: unknown): string => String(value).replace(/^undefined$/, 'nothing')

/** Bytes from `at` to `end`, one after another. Throws Unfinished behind the end. */
export class Cursor {
  readonly bytes: Uint8Array
  readonly end: number
  at: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    if (end > bytes.length) throw new Unfinished(`${end - bytes.length} bytes are missing`)
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  byte(): number {
    if (this.at >= this.end) throw new Unfinished('ends in the middle of a value')
    return this.bytes[this.at++]!
  }

  skip(count: number): void {
    if (count > this.end - this.at)
      throw new Unfinished(`${count} bytes are stated, ${this.end - this.at} are left`)
    this.at += count
  }

  /** An unsigned LEB128 number; exact to 2^53, which is more than any count here may be. */
  number(): number {
    let value = 0
    for (let i = 0, scale = 1; i < 10; i++, scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw new Malformed('a number of more than ten bytes')
  }

  /** Four bytes, the lowest first. */
  word(): number {
    return this.byte() + this.byte() * 2 ** 8 + this.byte() * 2 ** 16 + this.byte() * 2 ** 24
  }
}

/** Structures within structures; Parquet's own are six deep. */
const deepest = 16

/** Where the Thrift structure that begins at the cursor ends. `most`: values in it. */
export function endOfStruct(cursor: Cursor, most: number): number {
  let left = most
  const struct = (depth: number): void => {
    if (depth > deepest) throw new Malformed(`structures are nested more than ${deepest} deep`)
    for (;;) {
      const head = cursor.byte()
      const type = head & 15
      if (type === 0) return
      if (head < 16) cursor.number() // the field's number, where it is not a small step from the last
      if (type > 2) value(type, depth) // 1 and 2 are true and false
    }
  }
  const value = (type: number, depth: number): void => {
    left -= 1
    if (left < 0) throw new Beyond(`has more than ${most} values in a header, which is as many as are read`)
    if (type <= 3) cursor.skip(1)
    else if (type <= 6) cursor.number()
    else if (type === 7) cursor.skip(8)
    else if (type === 8) cursor.skip(cursor.number())
    else if (type === 9) list(depth)
    else if (type === 12) struct(depth + 1)
    else throw new Malformed(`a value of Thrift's type ${type}`)
  }
  const list = (depth: number): void => {
    const head = cursor.byte()
    const size = head >> 4 === 15 ? cursor.number() : head >> 4
    // Every item has a byte at least.
    if (size > cursor.end - cursor.at)
      throw new Unfinished(`a list of ${size} in ${cursor.end - cursor.at} bytes`)
    if (depth + 1 > deepest) throw new Malformed(`lists are nested more than ${deepest} deep`)
    for (let i = 0; i < size; i++) value(head & 15, depth + 1)
  }
  struct(0)
  return cursor.at
}
