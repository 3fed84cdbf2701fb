/**
 * How deep and how large a JSON value is, and whether its texts are whole, found without recursion: what comes from
 * outside is looked at by this before anything that calls itself goes through it. It imports nothing, so workflows may
 * use it.
 */

export interface Shape {
  /** Objects and lists within one another. */
  readonly nesting: number
  /** Entries of all objects and lists together. */
  readonly entries: number
}

/** What a value has too much of, as `place: expected …`; null where it is within `limit`. */
export function shapeFault(value: unknown, limit: Shape): string | null {
  if (typeof value === 'string' && !isWellFormed(value)) return halved('(whole spec)', value)
  let level: Place[] = isObject(value) ? [{ at: value, path: '' }] : []
  let entries = 0
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limit.nesting)
      return `${level[0]!.path}: expected at most ${limit.nesting} objects and lists within one another, found more`
    const next: Place[] = []
    for (const { at, path } of level) {
      const inner = Object.entries(at)
      entries += inner.length
      if (entries > limit.entries)
        return `${path || '(whole spec)'}: expected at most ${limit.entries} entries in all, found more`
      for (const [key, one] of inner) {
        if (!isWellFormed(key)) return halved(path || '(whole spec)', key)
        const place = depth > steps ? path : join(path, key)
        if (isObject(one)) next.push({ at: one, path: place })
        else if (typeof one === 'string' && !isWellFormed(one)) return halved(place, one)
      }
    }
    level = next
  }
  return null
}

interface Place {
  readonly at: object
  readonly path: string
}

/** Keys of a path that are named. */
const steps = 6
const join = (path: string, key: string) => `${path}${path && '.'}${key.slice(0, 40)}`

/** What an object says itself: it has a `constructor` and a `toString` that nobody wrote. */
export const ownField = (at: unknown, key: PropertyKey): unknown =>
  isObject(at) && Object.hasOwn(at, key) ? (at as Readonly<Record<PropertyKey, unknown>>)[key] : undefined

/** Half of a character of two units, without the other: UTF-8 has no bytes for it, so servers refuse what holds one. */
const half = /\p{Surrogate}/gu

export const isWellFormed = (text: string) => text.search(half) === -1

/** The text with U+FFFD in place of each half of a character. */
export const wellFormed = (text: string) => text.replace(half, '\ufffd')

function halved(place: string, text: string): string {
  const from = text.search(half)
  const shown = JSON.stringify(text.slice(Math.max(0, from - 20), from + 1))
  return `${place}: expected text in whole characters, found half of one (a lone surrogate) at the end of ${shown}`
}

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // A surrogate is half of a character of four bytes.
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1
  }
  return bytes
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
