/**
 * JSON from files that are not the user's spec: where a text ceases to be JSON, and which key an object has twice, by
 * line and column (RFC 8259). Nothing that stands in the text is quoted, which JSON.parse's own errors do: whoever can
 * name a file must not read it by the messages about it. No recursion, so that no depth is too much.
 */

export type ParsedJson = { readonly value: unknown; readonly fault?: undefined } | { readonly fault: string }

export interface Strictness {
  /** An object with the same key twice is a fault: JSON.parse keeps the last one in silence. */
  readonly distinctKeys?: boolean
}

/** The value, or `line 2, column 5: expected a colon`. */
export function parseJson(text: string, { distinctKeys = false }: Strictness = {}): ParsedJson {
  if (distinctKeys) {
    const fault = faultIn(text, true)
    if (fault !== null) return { fault: said(text, fault) }
  }
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const fault = faultIn(text, false)
    return { fault: fault === null ? 'it cannot be parsed' : said(text, fault) }
  }
}

interface Fault {
  readonly at: number
  readonly expected: string
}

function said(text: string, { at, expected }: Fault): string {
  if (text.trim() === '') return 'the file is empty'
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  const place =
    at === text.length ? `its end (line ${line}, column ${column})` : `line ${line}, column ${column}`
  return `${place}: expected ${expected}`
}

type Expected =
  'a value' | 'a value or ]' | 'a key' | 'a key or }' | 'a colon' | ', or }' | ', or ]' | 'nothing more'

/** The first place where a text is not JSON. */
function faultIn(text: string, distinctKeys: boolean): Fault | null {
  const walk = new Walk(text, distinctKeys)
  for (;;) {
    while (walk.at < text.length && isBlank(text.charCodeAt(walk.at))) walk.at++
    if (walk.at === text.length) return walk.expected === 'nothing more' ? null : walk.fault()
    const fault = walk.step()
    if (fault !== null) return fault
  }
}

/** Where a text has been read to, and what may come next. */
class Walk {
  at = 0
  expected: Expected = 'a value'
  readonly #text: string
  readonly #distinctKeys: boolean
  /** Of each object that is open its keys, of each list null. */
  readonly #open: (Set<string> | null)[] = []

  constructor(text: string, distinctKeys: boolean) {
    this.#text = text
    this.#distinctKeys = distinctKeys
  }

  fault(expected: string = this.expected): Fault {
    return { at: this.at, expected }
  }

  /** Over a sign, a key or a scalar; the fault where it is none of what is expected. */
  step(): Fault | null {
    const sign = this.#text[this.at]
    if (this.expected === 'a value' || this.expected === 'a value or ]') return this.#value(sign)
    if (sign === '"' && (this.expected === 'a key' || this.expected === 'a key or }')) return this.#key()
    const next = following(this.expected, sign)
    if (next === null) return this.fault()
    this.at++
    if (next === 'closed') this.#close()
    else this.expected = next
    return null
  }

  #value(sign: string | undefined): Fault | null {
    if (sign === '{' || sign === '[') {
      this.#open.push(sign === '{' ? new Set() : null)
      this.expected = sign === '{' ? 'a key or }' : 'a value or ]'
      this.at++
      return null
    }
    if (sign === ']' && this.expected === 'a value or ]') {
      this.at++
      this.#close()
      return null
    }
    const end = sign === '"' ? endOfText(this.#text, this.at) : endOfWord(this.#text, this.at)
    if (typeof end !== 'number') return end
    this.at = end
    this.#closed()
    return null
  }

  #key(): Fault | null {
    const end = endOfText(this.#text, this.at)
    if (typeof end !== 'number') return end
    const keys = this.#open.at(-1)
    if (this.#distinctKeys && keys) {
      const key = JSON.parse(this.#text.slice(this.at, end)) as string
      if (keys.has(key)) return this.fault('a key that its object does not have yet')
      keys.add(key)
    }
    this.at = end
    this.expected = 'a colon'
    return null
  }

  #close(): void {
    this.#open.pop()
    this.#closed()
  }

  /** A value has ended. */
  #closed(): void {
    const outer = this.#open.at(-1)
    this.expected = outer === undefined ? 'nothing more' : outer === null ? ', or ]' : ', or }'
  }
}

/** What comes behind a sign between values; null where the sign is another one. */
function following(expected: Expected, sign: string | undefined): Expected | 'closed' | null {
  if (expected === 'a key or }') return sign === '}' ? 'closed' : null
  if (expected === 'a colon') return sign === ':' ? 'a value' : null
  if (expected === ', or }') return sign === ',' ? 'a key' : sign === '}' ? 'closed' : null
  if (expected === ', or ]') return sign === ',' ? 'a value' : sign === ']' ? 'closed' : null
  return null
}

const isBlank = (unit: number) => unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09

/** The place behind a text's closing quote. */
function endOfText(text: string, from: number): number | Fault {
  for (let at = from + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 0x22) return at + 1
    if (unit < 0x20) return { at, expected: 'no control character within a text' }
    if (unit !== 0x5c) continue
    at++
    const escaped = text[at] ?? ''
    if (escaped === 'u' && /^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5))) at += 4
    else if (escaped === '' || !'"\\/bfnrt'.includes(escaped))
      return { at, expected: 'an escape that JSON has' }
  }
  return { at: text.length, expected: 'the end of a text' }
}

const words = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** The place behind a number, true, false or null. */
function endOfWord(text: string, from: number): number | Fault {
  words.lastIndex = from
  const found = words.exec(text)
  return found === null ? { at: from, expected: 'a value' } : from + found[0].length
}
