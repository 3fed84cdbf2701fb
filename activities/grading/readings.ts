/**
 * Other ways to read two answers, for where they are not equal as they stand: a comma as the mark of decimals, 5e-3 as
 * programs mean it, symbols of units after a space, a clause that only says where it holds, and decimals cut off by dots.
 *
 * Each reading is offered for one pair of texts and tried by the caller; a reading that changes neither text is none.
 */
import { seeThrough } from './presentation.ts'
import { longest } from './parse.ts'
import { withoutQuantity } from './quantities.ts'
import { repeating } from './repeating.ts'
import type { Policy } from './policy.ts'
import { unitsAtEnd } from './words.ts'

/** What the comparison works on: looks seen through, repeating decimals in one spelling. */
export function cleaned(text: string): string {
  if (text.length > longest) return text
  const shown = seeThrough(repeating(text)).trim()
  return /real|实数/i.test(shown) && allReal.test(shown) ? '\\mathbb{R}' : shown
}

const allReal =
  /^\$?\s*(?:\\(?:text|mathrm)\s*\{)?\s*(?:the set of )?(?:all\s+)?(?:real numbers|reals|全体实数|一切实数|实数集)\s*\}?\s*\$?\.?$/i

type Pair = readonly [gold: string, answer: string]

/** The pairs to try after the first, in order. */
export function* readings(gold: string, answer: string, policy: Policy): Generator<Pair> {
  if (policy.decimalMark === 'either') {
    const [a, b] = [decimalComma(gold), decimalComma(answer)]
    if (a !== null && isDecimal(answer)) yield [a, answer]
    else if (b !== null && isDecimal(gold)) yield [gold, b]
  }
  yield* changed(gold, answer, scientific)
  if (policy.relations === 'intervals' && (mayBind.test(gold) || mayBind.test(answer)))
    yield* changed(gold, answer, bothBounds)
  if (policy.units === 'ignored' && measures(gold, answer)) yield* changed(gold, answer, withoutUnit)
  // An equation on both sides is compared as one.
  if (gold.includes('=') !== answer.includes('=')) yield* changed(gold, answer, withoutQuantity)
  if ((mayHold.test(gold) || mayHold.test(answer)) && clause.test(gold) !== clause.test(answer))
    yield* changed(gold, answer, (text) => text.replace(clause, ''))
}

function* changed(gold: string, answer: string, change: (text: string) => string): Generator<Pair> {
  const [a, b] = [change(gold), change(answer)]
  if (a !== gold || b !== answer) yield [a, b]
}

/** 5e-3, where the product 5e - 3 is not what equals the other side; other texts as they are. */
const scientific = (text: string) =>
  text
    .replace(/^(-?\d+(?:\.\d+)?)\s*[eE]\s*([+-]?\d{1,3})$/, '$1 \\cdot 10^{$2}')
    .replace(/(?<![\w.\\])(\d+(?:\.\d+)?)E([+-]?\d{1,3})(?![\w.])/g, '($1 \\cdot 10^{$2})')

const mayBind = /[<>≤≥]|\\[gl][et]/
const both = /\s*(?:,?\s*(?:\\text\s*\{\s*and\s*\}|\band\b|\\(?:land|wedge)(?![a-z])|∧|且)|,)\s*/
const order = '(<=?|>=?|≤|≥|\\\\(?:[lg]eq?(?:slant)?|lt|gt)(?![a-z]))'
const name = '([a-zA-Z]|\\\\[a-z]+)'
const bound = '([^<>≤≥=,]{1,60}?)'
const boundOn = new RegExp(`^\\s*(?:${name}\\s*${order}\\s*${bound}|${bound}\\s*${order}\\s*${name})\\s*$`)

/** x > 1 and x < 5 as 1 < x < 5; texts that are no such pair as they are. */
function bothBounds(text: string): string {
  const halves = text.length > 160 ? [] : text.replace(/\$|\\[()]/g, ' ').split(both)
  if (halves.length !== 2) return text
  const [one, other] = halves.map(boundOf)
  if (!one || !other || one.name !== other.name || one.below === other.below) return text
  const [low, high] = one.below ? [one, other] : [other, one]
  return `${low.value} ${low.closed ? '\\le' : '<'} ${low.name} ${high.closed ? '\\le' : '<'} ${high.value}`
}

interface Bound {
  readonly name: string
  readonly value: string
  readonly closed: boolean
  readonly below: boolean
}

function boundOf(half: string): Bound | null {
  const match = boundOn.exec(half)
  if (match === null) return null
  const [, first, after, value, before, sign, last] = match
  const operator = after ?? sign ?? ''
  const greater = /^(?:>|≥|\\g)/.test(operator)
  return {
    name: first ?? last ?? '',
    value: value ?? before ?? '',
    closed: /[=≤≥]|e/.test(operator),
    below: greater === (first !== undefined),
  }
}

/** 1,22 with its comma as a point; null for anything else. */
function decimalComma(text: string): string | null {
  return /^-?\d+,\d+$/.test(text) ? text.replace(',', '.') : null
}

const isDecimal = (text: string) => /^-?\d+\.\d+$/.test(text)

const withoutUnit = (text: string) => text.replace(unitsAtEnd, '')

/** Whether one side ends in symbols of units and the other has none, or no letters that could be quantities. */
function measures(gold: string, answer: string): boolean {
  const [a, b] = [
    endsInLetter.test(gold) && unitsAtEnd.test(gold),
    endsInLetter.test(answer) && unitsAtEnd.test(answer),
  ]
  if (a && b) return true
  return (a && !hasLetters(answer)) || (b && !hasLetters(gold))
}

const endsInLetter = /[a-zA-ZΩ](?:\s*\^?\s*[{}\d-]+)?\s*\$?\.?$/

const hasLetters = (text: string) =>
  /[a-zA-Z]/.test(text.replace(/\\(?:text|mathrm|mbox)\s*\{[^{}]*\}|\\[a-zA-Z]+/g, ''))

const mayHold = /for|wh|with|[∈<>≤≥≠]|\\(?:in|n|g|l)/

/** "for all x", ", k \in \mathbb{Z}": says where the answer holds, which the question has said already. */
const clause =
  /(?:\s|\\[ ,;:]|\\q?quad(?![a-z]))*\(\s*[a-z]\s*(?:\\(?:geq?|leq?|geqslant|leqslant|in|ne|neq)(?![a-z])|[<>≥≤∈≠])[^()]*\)\s*$|\s*[,;(]?\s*(?:(?:\\text\s*\{)?\s*(?:for (?:all|any|every|each|some)|where|with|when)(?![a-zA-Z])[^]*|(?:\\q?quad\s*)?\(?(?<![a-zA-Z\\])(?:[a-z]\s*,\s*)*[a-z]\s*(?:\\in|∈)\s*\{?\s*(?:\\mathbb\s*\{?\s*|\\mathbf\s*\{?\s*)?[ZNRQℤℕℝ](?![a-zA-Z])[^,]{0,12})\s*$/
