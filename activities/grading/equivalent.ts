/**
 * Whether two answers are the same answer. Words are compared as words; values by value.ts; relations by relation.ts; and
 * containers here, part by part: bare lists and sets in any order, tuples and intervals in order with their brackets, unions
 * and matrices part by part. Where an answer can be read in two ways (1,000), both readings get their chance, in order.
 */
import { within } from './budget.ts'
import { exact } from './evaluate.ts'
import { number, print, type Expression, type List } from './expression.ts'
import { longest, parseAnswer, type Answer } from './parse.ts'
import { defaultPolicy, type Policy } from './policy.ts'
import { divide, equal, rational } from './rational.ts'
import { sameRelation } from './relation.ts'
import { bare, expand, intervalOf } from './statement.ts'
import { sameValue, type Comparison } from './value.ts'
import { choiceOf, plainWords, timeOf } from './wording.ts'

export type { Comparison } from './value.ts'

/** Units (budget.ts) one comparison may spend: some 10 ms. The public sets need up to 7,000. */
export const budgetOfComparison = 50_000

/** Whether `answer`, a bare answer and not a completion, is the same answer as `gold`. Total; the order never matters. */
export function equivalent(gold: string, answer: string, policy: Policy = defaultPolicy): boolean {
  return compare(gold, answer, policy).equal
}

export function compare(gold: string, answer: string, policy: Policy = defaultPolicy): Comparison {
  const [left, right] = [gold.trim(), answer.trim()]
  if (left === right && left !== '') return { equal: true, route: 'text' }
  if (left.length > longest || right.length > longest) return { equal: false, route: 'text' }
  const words: Comparison = { equal: sameWords(left, right), route: 'text' }
  return within(
    budgetOfComparison,
    () => byChoice(left, right) ?? byTime(left, right) ?? byReading(left, right, policy, words),
    () => words,
  )
}

function sameWords(gold: string, answer: string): boolean {
  const words = plainWords(gold)
  return words !== '' && words === plainWords(answer)
}

/** (D) Alina is answered by D, and C by \textbf{(C)}\ 42; two texts with letters are compared in full. */
function byChoice(gold: string, answer: string): Comparison | null {
  const [a, b] = [choiceOf(gold), choiceOf(answer)]
  if (a === null || b === null || (a.text !== '' && b.text !== '')) return null
  return { equal: a.letter === b.letter, route: 'choice' }
}

/** 20:34 is 8:34 p.m.; without a half of the day or seconds on either side, two numbers and a colon may be a ratio. */
function byTime(gold: string, answer: string): Comparison | null {
  const [a, b] = [timeOf(gold), timeOf(answer)]
  if (a === null || b === null || (!a.certain && !b.certain)) return null
  // 5:05 p.m. is answered by 5:05; 17:05 by neither 5:05 a.m. nor, without a half of the day anywhere, 5:05.
  const open = (a.half === null) !== (b.half === null) && a.hour <= 12 && b.hour <= 12
  return { equal: a.seconds === b.seconds || (open && (a.seconds - b.seconds) % 43_200 === 0), route: 'time' }
}

function byReading(gold: string, answer: string, policy: Policy, words: Comparison): Comparison {
  const first = compareParsed(parseAnswer(gold), parseAnswer(answer), policy) ?? words
  if (first.equal) return first
  if (policy.decimalMark === 'either') {
    const [a, b] = [decimalComma(gold), decimalComma(answer)]
    const pointed =
      a !== null && isDecimal(answer) ? [a, answer] : b !== null && isDecimal(gold) ? [gold, b] : null
    if (pointed !== null)
      return compareParsed(parseAnswer(pointed[0]!), parseAnswer(pointed[1]!), policy) ?? first
  }
  const [p, q] = [scientific(gold), scientific(answer)]
  if (p !== gold || q !== answer) return compareParsed(parseAnswer(p), parseAnswer(q), policy) ?? first
  if (!thousands.test(gold) || !thousands.test(answer)) return first
  // 81,256 beside 81, 256: both as lists, in order, since each may still be one number.
  const [a, b] = [parseAnswer(gold, false), parseAnswer(answer, false)].map(({ expression }) => expression)
  if (a?.kind !== 'list' || b?.kind !== 'list' || a.open !== '' || b.open !== '') return first
  if (a.items.length !== b.items.length) return first
  return { equal: a.items.every((item, i) => same(item, b.items[i]!, policy).equal), route: 'parts' }
}

const thousands = /\d[\\!,{} ]{1,6}\d{3}/ // 81,256 or 11,\! 111

/** 5e-3 as programs mean it, where the product 5e - 3 is not what equals the other side; other texts as they are. */
const scientific = (text: string) =>
  text.replace(/^(-?\d+(?:\.\d+)?)[eE]([+-]?\d{1,3})$/, '$1 \\cdot 10^{$2}')

/** 1,22 with its comma as a point; null for anything else. */
function decimalComma(text: string): string | null {
  return /^-?\d+,\d+$/.test(text) ? text.replace(',', '.') : null
}

const isDecimal = (text: string) => /^-?\d+\.\d+$/.test(text)

/** Null where one of the two is only words. */
function compareParsed(gold: Answer, given: Answer, policy: Policy): Comparison | null {
  if (gold.expression.kind === 'text' || given.expression.kind === 'text') return null
  if (policy.units === 'compared' && unitsOf(gold) !== unitsOf(given)) return { equal: false, route: 'text' }
  if (policy.percent === 'strict') return same(divided(gold), divided(given), policy)
  const direct = same(gold.expression, given.expression, policy)
  if (direct.equal || gold.percent === given.percent) return direct
  // 50% is 0.5, where only one side has the sign.
  const [x, y] = [gold, given].map((side) => exact(bare(divided(side))))
  return { equal: !!x && !!y && equal(x, y), route: 'exact' }
}

/** With a percent sign divided out. */
function divided({ expression, percent }: Answer): Expression {
  if (!percent) return expression
  const value = exact(bare(expression))
  const hundredth = value && divide(value, rational(100n)!)
  return hundredth === null ? expression : number(hundredth)
}

const unitNamesOf: Readonly<Record<string, string>> = { '°': 'degree', '\\$': 'dollar', '€': 'euro' }

/** The units of an answer, plural or symbol aside, in the order in which they stand. */
function unitsOf({ units }: Answer): string {
  return units.map((unit) => unitNamesOf[unit] ?? unit.replace(/s$/, '')).join(' ')
}

function same(left: Expression, right: Expression, policy: Policy): Comparison {
  const within = (a: Expression, b: Expression) => same(a, b, policy).equal
  if (left.kind === 'relation' && right.kind === 'relation') {
    if (sameRelation(left, right, within)) return { equal: true, route: 'parts' }
    const [a, b] = [setOf(left, policy), setOf(right, policy)]
    const apart = a === null || b === null || (left.operators[0] === '∈') === (right.operators[0] === '∈')
    return { equal: !apart && sameList(a, b, policy), route: 'parts' }
  }
  const [a, b] = [valueOf(left, right, policy), valueOf(right, left, policy)]
  if (a.kind === 'list' || b.kind === 'list') return { equal: sameList(a, b, policy), route: 'parts' }
  return sameValue(a, b, policy)
}

/** What a side gives; an inequality gives its set where the other side is one. */
function valueOf(side: Expression, other: Expression, policy: Policy): Expression {
  const value = expand(bare(side))
  if (other.kind !== 'list') return value
  if (value.kind === 'relation') return setOf(value, policy) ?? value
  if (value.kind !== 'list' || value.open !== '' || other.open !== '∪') return value
  // x < -1 or x > 3, beside a union.
  const sets = value.items.map((item) => (item.kind === 'relation' ? setOf(item, policy) : null))
  return sets.every((set) => set !== null) ? { ...value, open: '∪', items: sets } : value
}

function setOf(relation: Expression, policy: Policy): Expression | null {
  if (relation.kind !== 'relation' || policy.relations === 'apart') return null
  if (relation.operators[0] === '∈') return bare(relation)
  return intervalOf(relation)
}

const isLoose = ({ open }: List) => open === '' || open === '{' || open === '∪'

function sameList(a: Expression, b: Expression, policy: Policy): boolean {
  if (a.kind !== 'list' || b.kind !== 'list') {
    const [list, other] = a.kind === 'list' ? [a, b] : [b as List, a]
    const [over, under] = list.items
    if (list.open === ':' && list.items.length === 2)
      // 3:2 is 3/2 beside a number
      return same({ kind: 'quotient', over: over!, under: under! }, other, policy).equal
    // One answer in set braces or square brackets is that answer.
    return /^[{[]$/.test(list.open) && list.items.length === 1 && same(list.items[0]!, other, policy).equal
  }
  const [left, right] = [asTuple(a, b), asTuple(b, a)]
  if (isLoose(left) && isLoose(right) && (left.open === '∪') === (right.open === '∪'))
    return sameInAnyOrder(counted(left.items, policy), counted(right.items, policy), policy)
  if (left.items.length !== right.items.length) return false
  const bracketsAgree =
    (left.open === right.open && left.close === right.close) || left.open === '' || right.open === ''
  return bracketsAgree && left.items.every((item, i) => same(item, right.items[i]!, policy).equal)
}

/** A row or column vector beside a tuple is one. */
function asTuple(list: List, other: List): List {
  if (list.open !== 'matrix' || other.open !== '(') return list
  const rows = list.items.map((row) => (row.kind === 'list' ? row.items : [row]))
  if (rows.length > 1 && rows.some((row) => row.length > 1)) return list
  return { kind: 'list', open: '(', close: ')', items: rows.flat() }
}

function counted(items: readonly Expression[], { duplicates }: Policy): readonly Expression[] {
  return duplicates === 'counted' ? items : [...new Map(items.map((item) => [keyOf(item), item])).values()]
}

/** Equal keys are equal parts, so that a long list costs a table and not a search. */
function keyOf(item: Expression): string {
  const value = exact(item)
  return value === null ? print(item) : `${value.n}/${value.d}`
}

function sameInAnyOrder(left: readonly Expression[], right: readonly Expression[], policy: Policy): boolean {
  if (left.length !== right.length) return false
  const open = new Map<string, Expression[]>()
  for (const item of right) open.set(keyOf(item), [...(open.get(keyOf(item)) ?? []), item])
  const unmatched = left.filter((item) => open.get(keyOf(item))?.pop() === undefined)
  const rest = [...open.values()].flat()
  return unmatched.every((item) => {
    const at = rest.findIndex((other) => same(item, other, policy).equal)
    if (at >= 0) rest.splice(at, 1)
    return at >= 0
  })
}
