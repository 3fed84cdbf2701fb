/**
 * From answer text to a typed expression, by recursive descent. Total: what does not parse, is too long or too deep is text.
 *
 *   answer    = relation {("," | ";") relation}
 *   relation  = ratio {("=" | "<" | …) ratio}          ratio = union {":" union}       union = meet {"\cup" meet}
 *   meet      = without {"\cap" without}        without = sum ["\setminus" sum]
 *   sum       = [sign] product {sign product}          product = power {["*" | "/"] power}
 *   power     = primary {"!" | "^" argument | "_" argument}        primary: primary.ts
 */
import { Cursor, Unreadable } from './cursor.ts'
import { negative, number, print, type Expression } from './expression.ts'
import { normalForm, text } from './normal.ts'
import { lex, type Token } from './lex.ts'
import { argument, isProperFraction, primary } from './primary.ts'
import { withoutUnits } from './units.ts'
import { numberWords, relations } from './words.ts'

export interface Answer {
  readonly expression: Expression
  /** A percent sign stood somewhere in it. */
  readonly percent: boolean
  readonly units: readonly string[]
}

/** Longer answers are compared as text; the longest gold answer of the public sets has 700 characters. */
export const longest = 2000

/** `grouped`: whether 1,000 is a thousand. */
export function parseAnswer(written: string, grouped = true): Answer {
  const asText: Answer = { expression: { kind: 'text', value: written }, percent: false, units: [] }
  if (written.length > longest) return asText
  const shown = written.includes('\\') ? written.replace(spaceAtEnd, '') : written
  const trimmed = shown
    .replace(
      /^(?:[\s*`"]+|[=:](?!=)|_+(?!\{?\d+\}?\s*C)|\\approx|≈|about\s|approximately\s)+|[\s.,;*_`"。]+$/g,
      '',
    )
    .replace(/^\\text\{([^{}]*)\}$/, '$1')
  const { tokens, percent, units } = lex(trimmed, grouped)
  if (tokens.length === 0) return asText
  const named = /^[a-zA-Z]{3,6}$/.test(trimmed) ? numberWords.get(trimmed.toLowerCase()) : undefined
  if (named !== undefined) return { ...asText, expression: number({ n: named, d: 1n }) }
  if (isWords(tokens)) return asText
  try {
    return { expression: answer(new Cursor(withoutUnits(tokens))), percent, units }
  } catch (error) {
    if (error instanceof Unreadable) return asText
    throw error
  }
}

/** A space at the end, of which only the backslash may be left; but not the end of a row. */
const spaceAtEnd = /(?<!\\)\\(?:[,;:! ](?:[\s.,;]|\\[,;:! ])*)?$/

/** Nothing but words: "east", "no solution", "BEE". Two letters are symbols, and so are three small ones. */
function isWords(tokens: readonly Token[]): boolean {
  const plain = tokens.every(
    ({ type, value }) => type === 'text' || type === 'letter' || /^[-',.()]$/.test(value),
  )
  const letters = tokens.filter(({ type }) => type === 'letter')
  const product = letters.length <= (letters.every(({ value }) => /[a-z]/.test(value)) ? 3 : 2)
  return plain && (!product || tokens.some(({ type }) => type === 'text')) && !tokens.some(isSeparator)
}
const isSeparator = ({ type, value }: Token) => type === 'mark' && value === ','

function answer(cursor: Cursor): Expression {
  const items = parted(cursor, list(cursor))
  if (!cursor.atEnd) throw new Unreadable()
  return items.length === 1 ? items[0]! : { kind: 'list', open: '', close: '', items }
}

/** a \over b and n \choose k split the group in which they stand. */
export function parted(cursor: Cursor, items: Expression[]): Expression[] {
  const [over] = items
  const name = cursor.peek()
  if (items.length !== 1 || over === undefined || (name !== 'over' && name !== 'choose')) return items
  cursor.next()
  const under = sum(cursor)
  return [
    name === 'over'
      ? { kind: 'quotient', over, under }
      : { kind: 'call', name: 'binom', items: [over, under] },
  ]
}

/** Items between commas; where semicolons part groups of several, (1, 2; 3, 4), each group is an item. */
export function list(cursor: Cursor): Expression[] {
  const first = relation(cursor)
  if (cursor.peek() !== ',' && cursor.peek() !== ';') return [first]
  const groups: Expression[][] = [[first]]
  while (cursor.peek() === ',' || cursor.peek() === ';') {
    let parted = false
    while (cursor.peek() === ',' || cursor.peek() === ';') parted = cursor.next().value === ';' || parted
    if (cursor.atEnd || cursor.peek() === ')' || cursor.peek() === ']') break
    if (parted) groups.push([])
    groups.at(-1)!.push(relation(cursor))
  }
  if (groups.length === 1 || groups.every(({ length }) => length === 1)) return groups.flat()
  return groups.map((items) =>
    items.length === 1 ? items[0]! : { kind: 'list', open: 'row', close: '', items },
  )
}

export function relation(cursor: Cursor): Expression {
  const items = [ratio(cursor)]
  const operators: string[] = []
  for (let name = relationAt(cursor); name !== undefined; name = relationAt(cursor)) {
    cursor.next()
    operators.push(name)
    items.push(ratio(cursor))
  }
  return operators.length === 0 ? items[0]! : { kind: 'relation', operators, items }
}

const relationAt = (cursor: Cursor) => relations.get(cursor.peek() ?? '')

function ratio(cursor: Cursor): Expression {
  const items = [union(cursor)]
  while (!cursor.inSet && cursor.take(':')) items.push(union(cursor))
  return items.length === 1 ? items[0]! : { kind: 'list', open: ':', close: '', items }
}

function union(cursor: Cursor): Expression {
  const items = [meet(cursor)]
  while (cursor.take('cup')) items.push(meet(cursor))
  return items.length === 1 ? items[0]! : { kind: 'list', open: '∪', close: '', items }
}

function meet(cursor: Cursor): Expression {
  const items = [without(cursor)]
  while (cursor.take('cap')) items.push(without(cursor))
  return items.length === 1 ? items[0]! : { kind: 'list', open: '∩', close: '', items }
}

function without(cursor: Cursor): Expression {
  const first = sum(cursor)
  if (!cursor.take('setminus') && !cursor.take('backslash')) return first
  return { kind: 'list', open: '∖', close: '', items: [first, sum(cursor)] }
}

const signs: ReadonlySet<string> = new Set(['+', '-', 'pm', 'mp'])
const mostSigns = 4 // in a row; more is no mathematics

export function sum(cursor: Cursor): Expression {
  const items: Expression[] = []
  do {
    const before: string[] = []
    while (signs.has(cursor.peek() ?? '')) before.push(cursor.next().value)
    if (before.length > mostSigns) throw new Unreadable()
    items.push(before.reduceRight(withSign, product(cursor)))
  } while (signs.has(cursor.peek() ?? ''))
  return items.length === 1 ? items[0]! : { kind: 'sum', items }
}

function withSign(of: Expression, sign: string): Expression {
  if (sign === '+') return of
  return sign === '-' ? negative(of) : { kind: 'plusMinus', of, flip: sign === 'mp' }
}

export function product(cursor: Cursor): Expression {
  let result = power(cursor)
  for (;;) {
    if (cursor.take('*')) {
      result = times(result, signed(cursor))
    } else if (cursor.take('/')) {
      result = { kind: 'quotient', over: result, under: signed(cursor) }
    } else if (begins(cursor)) {
      result = beside(cursor, result)
    } else {
      return result
    }
  }
}

function times(left: Expression, right: Expression): Expression {
  return { kind: 'product', items: left.kind === 'product' ? [...left.items, right] : [left, right] }
}

/** Two factors without a sign. 2\frac13 and 2 1/3 are mixed numbers; two numbers are otherwise nothing. */
function beside(cursor: Cursor, left: Expression): Expression {
  const literal = cursor.token()?.type === 'number'
  const mixable = left.kind === 'number' && left.value.d === 1n && (literal || cursor.peek() === 'frac')
  const next = power(cursor)
  const part: Expression =
    literal && mixable && cursor.take('/') ? { kind: 'quotient', over: next, under: power(cursor) } : next
  if (mixable && isProperFraction(part)) return { kind: 'sum', items: [left, part] }
  if (literal && left.kind === 'number') throw new Unreadable()
  return times(left, part)
}

function signed(cursor: Cursor): Expression {
  if (cursor.take('+')) return power(cursor)
  return cursor.take('-') ? negative(power(cursor)) : power(cursor)
}

const notFactors: ReadonlySet<string> = new Set(
  'pm mp cup cap setminus backslash end rvert rfloor rceil mid over choose ge le'.split(' '),
)

/** Whether another factor follows without a sign. */
function begins(cursor: Cursor): boolean {
  const token = cursor.token()
  if (token === undefined) return false
  if (token.type === 'command')
    return relations.get(token.value) === undefined && !notFactors.has(token.value)
  if (token.value === '|') return !cursor.inBars
  return token.type !== 'mark' || ['(', '[', '{', '\\{'].includes(token.value)
}

/** One degree in radians. Outside of sin, cos and the like a degree sign is a unit. */
const perDegree: Expression = {
  kind: 'quotient',
  over: { kind: 'symbol', name: 'pi' },
  under: { kind: 'number', value: { n: 180n, d: 1n } },
}

export function power(cursor: Cursor): Expression {
  let base = primary(cursor)
  for (;;) {
    if (cursor.peek() === '!' && cursor.peek(1) === '!') {
      base = doubleFactorial(cursor, base)
    } else if (cursor.take('!')) {
      base = { kind: 'call', name: 'factorial', items: [base] }
    } else if (base.kind === 'symbol' && cursor.take("'")) {
      base = { kind: 'symbol', name: `${base.name}'` }
    } else if (cursor.take('degree')) {
      if (cursor.inAngle) base = times(base, perDegree)
    } else if (cursor.take('^')) {
      base = { kind: 'power', base, exponent: exponent(cursor) }
    } else if (cursor.peek() === '_' || cursor.peek() === '\\_') {
      cursor.next()
      base = indexed(base, argument(cursor))
    } else {
      return base
    }
  }
}

/** n!! is the product of every second number down from n, and no factorial of a factorial. */
function doubleFactorial(cursor: Cursor, of: Expression): Expression {
  cursor.next()
  cursor.next()
  if (cursor.peek() === '!') throw new Unreadable()
  const [n, d] = of.kind === 'number' ? [of.value.n, of.value.d] : [-1n, 1n]
  if (n < 0n || n > 100n || d !== 1n) return { kind: 'call', name: 'doubleFactorial', items: [of] }
  let value = 1n
  for (let factor = n; factor > 1n; factor -= 2n) value *= factor
  return number({ n: value, d: 1n })
}

/** 2^3^2 is 2^(3^2). */
function exponent(cursor: Cursor): Expression {
  const first = argument(cursor)
  if (!cursor.take('^')) return first
  return { kind: 'power', base: first, exponent: cursor.nested(() => exponent(cursor)) }
}

/** n-k-1 and n-1-k are one index. */
function indexText(index: Expression): string {
  if (index.kind === 'number' || index.kind === 'symbol') return print(index)
  // x_{ij} and x_{ji} are two entries: letters are names there and no factors.
  if (index.kind === 'product' && index.items.every(({ kind }) => kind === 'symbol'))
    return index.items.map(print).join(' ')
  const form = normalForm(index)
  return form === null ? print(index) : text(form)
}

function indexed(base: Expression, index: Expression): Expression {
  if (base.kind === 'symbol') return { kind: 'symbol', name: `${base.name}_${indexText(index)}` }
  if (base.kind === 'power' && base.base.kind === 'symbol')
    return { ...base, base: indexed(base.base, index) } // v^2_0
  if (base.kind === 'number') return { kind: 'call', name: 'numeral', items: [base, index] }
  throw new Unreadable()
}
