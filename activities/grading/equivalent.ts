/**
 * Whether two answers are the same answer: exact rationals first, then doubles at fixed points with relative tolerance,
 * then structure where values overflow or vanish. Containers by parts: bare lists and sets in any order, tuples and
 * intervals in order with their brackets, unions and matrices part by part.
 *
 * Policies of this version: `x = 5` answers 5, `x ∈ S` answers S; a percent sign may be left out or divided out; units,
 * degrees and a numeral's base do not count; decimals are exact, never rounded.
 */
import { exact, numeric } from './evaluate.ts'
import { print, some, type Expression } from './expression.ts'
import { parseAnswer, type Answer } from './parse.ts'
import { divide, equal, rational } from './rational.ts'

export interface Comparison {
  readonly equal: boolean
  /** Which way of comparing decided. */
  readonly route: 'text' | 'exact' | 'numeric' | 'structure' | 'parts'
}

/** At most this many parts are matched in any order (a quadratic search). */
const mostParts = 60

export function equivalent(gold: string, answer: string): boolean {
  return compare(gold, answer).equal
}

export function compare(gold: string, answer: string): Comparison {
  const [goldText, givenText] = [plainText(gold), plainText(answer)]
  if (goldText !== '' && gold.trim() === answer.trim()) return { equal: true, route: 'text' }
  const [right, given] = [parseAnswer(gold), parseAnswer(answer)]
  if (right.expression.kind === 'text' || given.expression.kind === 'text')
    return { equal: goldText !== '' && goldText === givenText, route: 'text' }
  const direct = same(right.expression, given.expression)
  if (direct.equal || right.percent === given.percent) return direct
  return percentOf(right, given)
}

/** 50% is 0.5, where only one side has the sign. */
function percentOf(right: Answer, given: Answer): Comparison {
  const [a, b] = [exact(bare(right.expression)), exact(bare(given.expression))]
  const hundred = rational(100n)
  if (a === null || b === null || hundred === null) return { equal: false, route: 'exact' }
  const [x, y] = right.percent ? [divide(a, hundred), b] : [a, divide(b, hundred)]
  return { equal: x !== null && y !== null && equal(x, y), route: 'exact' }
}

/** Letters and digits only, in lower case: how words are compared. */
function plainText(text: string): string {
  return text
    .replace(/\\(?:text|textbf|textit|mathrm|mbox|left|right|[dt]?frac)|\\[ ,;!]/g, ' ')
    .toLowerCase()
    .replace(/[\s{}()$.,;'"\\]+|(?<=[a-z])-(?=[a-z])/g, '')
}

/** The value a statement gives: the right side of x = 5, the set of x ∈ S. */
function bare(expression: Expression): Expression {
  if (expression.kind !== 'relation') return expression
  const [first, last] = [expression.items[0], expression.items.at(-1)]
  const [operator] = expression.operators
  if (first === undefined || last === undefined) return expression
  if (expression.operators.at(-1) === '≈') {
    // √3/3 ≈ 0.577 says the exact value first.
    const items = expression.items.slice(0, -1)
    return items.length === 1
      ? first
      : bare({ ...expression, items, operators: expression.operators.slice(0, -1) })
  }
  const named = !some(first, (part) => part.kind === 'number' && part.value.d !== 1n) && isName(first)
  if (expression.operators.every((one) => one === '=') && (named || exact(first) !== null)) return last
  return operator === '∈' || operator === '→' ? last : expression
}

/** x, f(x), x_1, AB: what stands left of an answer's equals sign. */
function isName(expression: Expression): boolean {
  if (expression.kind === 'symbol') return expression.name !== 'pi'
  return (
    expression.kind === 'product' && expression.items.every((item) => isName(item) || item.kind === 'list')
  )
}

/** An answer with ± is two answers; a bare list of such is all of theirs. */
function expand(expression: Expression): Expression {
  const items =
    expression.kind === 'list' && ['', '{'].includes(expression.open) ? expression.items : [expression]
  const all = items.flatMap((item) =>
    some(item, (part) => part.kind === 'plusMinus') ? [signed(item, 1), signed(item, -1)] : [item],
  )
  if (all.length === items.length) return expression
  return { kind: 'list', open: expression.kind === 'list' ? expression.open : '', close: '', items: all }
}

function signed(expression: Expression, sign: 1 | -1): Expression {
  switch (expression.kind) {
    case 'plusMinus': {
      const factor: Expression = {
        kind: 'number',
        value: { n: BigInt(expression.flip ? -sign : sign), d: 1n },
      }
      return { kind: 'product', items: [factor, signed(expression.of, sign)] }
    }
    case 'sum':
    case 'product':
    case 'call':
    case 'list':
    case 'relation':
      return { ...expression, items: expression.items.map((item) => signed(item, sign)) }
    case 'quotient':
      return { ...expression, over: signed(expression.over, sign), under: signed(expression.under, sign) }
    case 'power':
      return {
        ...expression,
        base: signed(expression.base, sign),
        exponent: signed(expression.exponent, sign),
      }
    case 'number':
    case 'symbol':
    case 'text':
      return expression
  }
}

function same(left: Expression, right: Expression): Comparison {
  if (left.kind === 'relation' && right.kind === 'relation') {
    if (sameRelation(left, right)) return { equal: true, route: 'parts' }
    const [a, b] = [bare(left), bare(right)]
    const [nameA, nameB] = [left.items[0], right.items[0]]
    // x = 5 is not y = 5: values are compared only where the names agree.
    if (
      a === left ||
      b === right ||
      nameA === undefined ||
      nameB === undefined ||
      print(nameA) !== print(nameB)
    )
      return { equal: false, route: 'parts' }
    return same(a, b)
  }
  const [a, b] = [expand(bare(left)), expand(bare(right))]
  if (a.kind === 'list' || b.kind === 'list') return { equal: sameList(a, b), route: 'parts' }
  return sameValue(a, b)
}

type List = Extract<Expression, { kind: 'list' }>
type Relation = Extract<Expression, { kind: 'relation' }>

function sameList(a: Expression, b: Expression): boolean {
  if (a.kind !== 'list' || b.kind !== 'list') {
    const [list, other] = a.kind === 'list' ? [a, b] : [b as List, a]
    // One answer in set braces is that answer.
    return list.open === '{' && list.items.length === 1 && same(list.items[0]!, other).equal
  }
  if (a.items.length !== b.items.length) return false
  const loose = (list: List) => ['', '{', '∪'].includes(list.open)
  const bothLoose = loose(a) && loose(b) && (a.open === '∪') === (b.open === '∪')
  if (bothLoose && a.items.length <= mostParts) return sameInAnyOrder(a.items, b.items)
  const bracketsAgree = (a.open === b.open && a.close === b.close) || a.open === '' || b.open === ''
  return bracketsAgree && a.items.every((item, i) => same(item, b.items[i]!).equal)
}

function sameInAnyOrder(left: readonly Expression[], right: readonly Expression[]): boolean {
  const open = [...right]
  return left.every((item) => {
    const at = open.findIndex((other) => same(item, other).equal)
    if (at >= 0) open.splice(at, 1)
    return at >= 0
  })
}

const mirrored: Readonly<Record<string, string>> = { '<': '>', '>': '<', '≤': '≥', '≥': '≤' }

function sameRelation(a: Relation, b: Relation): boolean {
  if (a.items.length !== b.items.length) return false
  const turned: Relation = {
    ...b,
    items: b.items.toReversed(),
    operators: b.operators.toReversed().map((operator) => mirrored[operator] ?? operator),
  }
  return [b, turned].some(
    (other) =>
      a.operators.every((operator, i) => operator === other.operators[i]) &&
      (a.items.every((item, i) => same(item, other.items[i]!).equal) || sameEquation(a, other)),
  )
}

/** Two equations are one where the differences of their sides are proportional at every point. */
function sameEquation(a: Relation, b: Relation): boolean {
  if (a.operators.join() !== '=' || b.operators.join() !== '=') return false
  if (!some(a, isVariable) || !some(b, isVariable)) return false // any two numbers are proportional
  const difference = ({ items }: Relation, trial: number) =>
    numeric(items[0]!, pointOf(trial)) - numeric(items[1]!, pointOf(trial))
  const ratios = trials.map((trial) => difference(a, trial) / difference(b, trial)).filter(Number.isFinite)
  const [first] = ratios
  return (
    ratios.length >= 4 &&
    first !== undefined &&
    Math.abs(first) > 1e-9 &&
    ratios.every((ratio) => close(ratio, first, 1e-8))
  )
}

function sameValue(a: Expression, b: Expression): Comparison {
  // 1101_2: a base may be left out, but two bases have to agree.
  if (a.kind === 'call' && b.kind === 'call' && a.name === 'numeral' && b.name === 'numeral')
    return { equal: print(a) === print(b), route: 'structure' }
  const [x, y] = [exact(a), exact(b)]
  if (x !== null && y !== null) return { equal: equal(x, y), route: 'exact' }
  if (print(a) === print(b)) return { equal: true, route: 'structure' }
  if ([a, b].some((side) => side.kind === 'text' || side.kind === 'relation'))
    return { equal: false, route: 'structure' }
  const variables = some(a, isVariable) || some(b, isVariable)
  const values = trials.map((trial) => [numeric(a, pointOf(trial)), numeric(b, pointOf(trial))] as const)
  // Two zeros may both be underflow, which says nothing.
  const usable = values.filter(([p, q]) => inRange(p) && inRange(q) && (p !== 0 || q !== 0))
  // One side has a value where the other has none: not the same.
  if (usable.length < 3) return { equal: false, route: 'structure' }
  return { equal: usable.every(([p, q]) => close(p, q, variables ? 1e-9 : 1e-11)), route: 'numeric' }
}

const isVariable = (part: Expression) => part.kind === 'symbol' && part.name !== 'pi' && part.name !== 'e'

/** Beyond these a double says nothing about equality. */
const inRange = (value: number) => Number.isFinite(value) && (value === 0 || Math.abs(value) > 1e-200)

function close(a: number, b: number, tolerance: number): boolean {
  if (a === 0 || b === 0) return Math.abs(a - b) < 1e-13
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b))
}

const trials = [0, 1, 2, 3, 4, 5, 6, 7] as const

/** A symbol's value at a trial: fixed by its name, between 0.3 and 3, in half of the trials negative for some symbols. */
function pointOf(trial: number): (symbol: string) => number {
  return (symbol) => {
    if (symbol === 'pi') return Math.PI
    if (symbol === 'e') return Math.E
    let hash = 2166136261 ^ (trial * 2654435761) // FNV-1a
    for (let i = 0; i < symbol.length; i++) hash = Math.imul(hash ^ symbol.charCodeAt(i), 16777619)
    hash = Math.imul(hash ^ (hash >>> 15), 2246822519)
    const value = 0.3 + (2.7 * (hash >>> 0)) / 2 ** 32
    return trial % 2 === 1 && (hash & 1) === 1 ? -value : value
  }
}
