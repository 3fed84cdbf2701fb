/**
 * What was found where something else was expected, in files that are not the user's spec: its kind and its size, never
 * its content. Numbers are said, since sizes and shapes must be compared; of texts only those that stand in a list of
 * known words, as the types of a format do, and the names of things (tensors), so that no terminal obeys them. It
 * imports nothing.
 */

/** Numbers of a list that are said one by one: a shape, two offsets. */
const mostNumbers = 8

/** `known`: words that may be said. */
export function foundOf(value: unknown, known?: RegExp): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'string') {
    if (known?.test(value) === true) return JSON.stringify(value)
    return value === '' ? 'an empty text' : `a text of ${counted(value.length, 'character')}`
  }
  if (Array.isArray(value)) {
    const isShort = value.length <= mostNumbers && value.every((one) => typeof one === 'number')
    return isShort ? JSON.stringify(value) : `a list of ${value.length}`
  }
  if (typeof value === 'object') return `an object of ${counted(Object.keys(value).length, 'field')}`
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeof value
}

/** Names of tensors are shorter than this. */
const longestName = 120
/** As formats write their names; they are said as they are. */
const plainName = /^[\w./-]+$/

/**
 * A name out of somebody's file, as a message may say it: what is no plain word is in quotes and in ASCII, so that no
 * sign of it does anything to a terminal; long ones are cut.
 */
export function nameOf(name: string): string {
  const cut = name.length > longestName ? `${name.slice(0, longestName)}…` : name
  if (plainName.test(name)) return cut
  return JSON.stringify(cut).replace(
    /[^\x20-\x7e…]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const counted = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
