/**
 * The items of one JSON array, found in its bytes as they come: where each begins and ends, and nothing of what is in it.
 * So an array of any length is read a piece at a time, by whoever parses the items.
 */

/** Throws SyntaxError where the bytes are no array. Items are in order, without what stands between them. */
export class ArrayItems {
  #state: 'before' | 'within' | 'after' = 'before'
  #depth = 0
  #isText = false
  #isEscaped = false
  #found = 0
  #rest: Uint8Array[] = []
  #seen = 0

  /** Bytes of an item that has not ended. */
  get restBytes(): number {
    return this.#rest.reduce((sum, { length }) => sum + length, 0)
  }

  /** The items that end in these bytes. */
  push(bytes: Uint8Array): Uint8Array[] {
    const items: Uint8Array[] = []
    let from = 0
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!
      if (this.#isText) i = this.#endOfText(bytes, i)
      else if (this.#state !== 'within') {
        this.#around(byte, this.#seen + i)
        from = i + 1
      } else if (byte === quote) this.#isText = true
      else if (byte === openBracket || byte === openBrace) this.#depth += 1
      else if (byte === closeBracket || byte === closeBrace) {
        this.#depth -= 1
        if (this.#depth > 0) continue
        if (byte !== closeBracket) throw new SyntaxError(`a brace closes the array at byte ${this.#seen + i}`)
        const last = this.#item(bytes.subarray(from, i))
        if (!isBlank(last) || this.#found > 0) items.push(last)
        this.#state = 'after'
        from = i + 1
      } else if (byte === comma && this.#depth === 1) {
        items.push(this.#item(bytes.subarray(from, i)))
        this.#found += 1
        from = i + 1
      }
    }
    this.#seen += bytes.length
    if (this.#state === 'within' && from < bytes.length) this.#rest.push(bytes.slice(from))
    return items
  }

  end(): void {
    if (this.#state !== 'after') throw new SyntaxError('the array does not end')
  }

  /** From a byte within a text to the last that can be passed over: the quotation mark that ends it, or one that does not. */
  #endOfText(bytes: Uint8Array, from: number): number {
    if (this.#isEscaped) {
      this.#isEscaped = false
      return from
    }
    const found = bytes.indexOf(quote, from)
    const end = found < 0 ? bytes.length : found
    let escapes = 0
    while (end - escapes > from && bytes[end - escapes - 1] === backslash) escapes += 1
    if (found < 0) this.#isEscaped = escapes % 2 === 1
    else if (escapes % 2 === 0) this.#isText = false
    return end
  }

  #around(byte: number, at: number): void {
    if (isSpace(byte) || (at < 3 && byteOrderMark[at] === byte)) return
    if (this.#state === 'after') throw new SyntaxError(`something stands behind the array, at byte ${at}`)
    if (byte !== openBracket) throw new SyntaxError('no array begins')
    this.#state = 'within'
    this.#depth = 1
  }

  #item(end: Uint8Array): Uint8Array {
    const whole = this.#rest.length === 0 ? end : Buffer.concat([...this.#rest, end])
    this.#rest = []
    return whole
  }
}

const [quote, comma, backslash] = [0x22, 0x2c, 0x5c]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]
const byteOrderMark = [0xef, 0xbb, 0xbf]

const isSpace = (byte: number) =>
  byte === 0x20 || (byte >= 0x09 && byte <= 0x0d && byte !== 0x0b && byte !== 0x0c)
const isBlank = (bytes: Uint8Array) => bytes.every(isSpace)

/** Whether a file begins as an array does; a byte order mark and white space may come first. */
export const beginsArray = (start: Uint8Array): boolean => {
  const from = byteOrderMark.every((byte, i) => start[i] === byte) ? 3 : 0
  return start[start.findIndex((byte, i) => i >= from && !isSpace(byte))] === openBracket
}
