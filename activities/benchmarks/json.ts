/**
 * JSON of a user's file, read for what was written: a number that a double would round stays the text that it is. What is
 * not JSON is said by its place in the text, never by the text: a file may not be what its name says.
 */
import { parseJson } from '../faults/json.ts'
import { InvalidData } from './faults.ts'

/** A number of JSON whose digits a double cannot hold. */
export class Written {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Throws InvalidData. `exact`: numbers that would be rounded are `Written`. */
export function parse(json: string, place: string, exact = false): unknown {
  try {
    if (!exact || !maybeLong.test(json)) return JSON.parse(json)
    const mark = markFor(json)
    return JSON.parse(marked(json, mark), (_, value: unknown) =>
      typeof value === 'string' && value.startsWith(mark) ? new Written(value.slice(mark.length)) : value,
    )
  } catch {
    throw new InvalidData(`${place}: not JSON${whyNot(json)}`) // the cause would quote the text
  }
}

/** Most texts have no such run, and are parsed as they are. */
const maybeLong = /[\d.]{16}|\d[eE]/

/** Half of a character, which few files have: by itself, or in a character that begins with it. */
const half = '\udbff'

/** What no text of this JSON begins with, however it is escaped. */
function markFor(json: string): string {
  if (!/\udbff|\\udbff/i.test(json)) return half
  const taken = new Set<string>()
  JSON.parse(json, (_, value: unknown) => {
    const number = typeof value === 'string' ? /^\udbff(\d+):/.exec(value)?.[1] : undefined
    if (number !== undefined) taken.add(number)
  })
  let free = 0
  while (taken.has(String(free))) free += 1
  return `${half}${free}:`
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g

const marked = (json: string, mark: string): string =>
  outsideOfTexts(json, (part) =>
    part.replace(number, (token) => (isHeld(token) ? token : `"${mark}${expanded(token)}"`)),
  )

/** Digits that every double gives back. */
const sureDigits = 15
/** The smallest number of a double's full precision; less than half of the last one is 0 to it. */
const leastSure = 2 ** -1022

/** Whether a double holds the number; of one that is too large for it, whoever reads it says so. */
function isHeld(token: string): boolean {
  const value = Math.abs(Number(token))
  if (value === Infinity) return true
  const digits = token.replace(/[eE].*|[-.]/g, '').replace(/^0+|0+$/g, '')
  if (value < leastSure) return digits === ''
  return value <= Number.MAX_SAFE_INTEGER && (Number.isSafeInteger(value) || digits.length <= sureDigits)
}

/** Decimal places that an exponent may move a point: a double's go to 308 and 324. */
const mostPlaces = 400

/** 1.5e3 is 1500: a number without its exponent. */
export function expanded(token: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? []
  const shift = Number(power)
  if (whole === '' || shift === 0 || Math.abs(shift) > mostPlaces) return token
  const digits = whole + fraction
  const point = whole.length + shift
  const text =
    point <= 0
      ? `0.${'0'.repeat(-point)}${digits}`
      : `${digits.slice(0, point).padEnd(point, '0')}.${digits.slice(point)}`
  return (
    sign +
    text
      .replace(/^0+(?=\d)/, '')
      .replace(/(\.\d*?)0*$/, '$1')
      .replace(/\.$/, '')
  )
}

/** Replaces what stands outside of JSON's texts, in which anything may stand. */
function outsideOfTexts(json: string, replace: (part: string) => string): string {
  const parts: string[] = []
  for (let at = 0; ;) {
    const quote = json.indexOf('"', at)
    parts.push(replace(json.slice(at, quote < 0 ? json.length : quote)))
    if (quote < 0) return parts.join('')
    const end = endOfText(json, quote + 1)
    parts.push(json.slice(quote, end))
    at = end
  }
}

/** Behind the quotation mark that ends the text which begins at `from`. */
function endOfText(json: string, from: number): number {
  for (let at = from; ;) {
    const quote = json.indexOf('"', at)
    if (quote < 0) return json.length
    let escapes = 0
    while (json[quote - 1 - escapes] === '\\' && quote - 1 - escapes >= from) escapes += 1
    if (escapes % 2 === 0) return quote + 1
    at = quote + 1
  }
}

/** What Python writes and JSON has not, or where the text goes wrong. */
function whyNot(json: string): string {
  let token: string | undefined
  outsideOfTexts(json, (part) => {
    token ??= /-?(?:NaN|Infinity)/.exec(part)?.[0]
    return ''
  })
  if (token !== undefined) return `, which has no ${token}: write null, or leave the row out`
  return ` (${parseJson(json).fault ?? 'it cannot be parsed'})`
}

/** What to do with rows that are a list in an object. */
export const takenOut = (key: string, file: string): string =>
  `write that list alone, as jq '.[${JSON.stringify(key)}]' ${file.slice(file.lastIndexOf('/') + 1)} does`
