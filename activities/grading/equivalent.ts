/**
 * Whether two answers are the same answer. Words are compared as words; values by value.ts; relations by relation.ts; and
 * containers here, part by part: bare lists and sets in any order, tuples and intervals in order with their brackets, unions
 * and matrices part by part. Where an answer can be read in two ways (1,000), both readings get their chance, in order.
 */
import { assignmentsOf, grouped, sameAssignments, tuplesOf } from './assignments.ts'
import { guarded, within } from './budget.ts'
import { joinedApart } from './connectives.ts'
import { underNamesOf } from './constants.ts'
import { exact } from './evaluate.ts'
import { number, print, type Expression, type List, type Relation } from './expression.ts'
import { asMatrix, combined } from './matrix.ts'
import { longest, parseAnswer, type Answer } from './parse.ts'
import { defaultPolicy, type Policy } from './policy.ts'
import { seeThrough } from './presentation.ts'
import { divide, equal, rational } from './rational.ts'
import { cleaned, readings } from './readings.ts'
import { sameRelation } from './relation.ts'
import { resolved } from './sets.ts'
import { bare, expand, intervalOf, isName, withoutDomains } from './statement.ts'
import { sameValue, type Comparison } from './value.ts'
import { choiceOf, codesApart, isNothing, lettersOf, plainWords, statementsOf, timeOf } from './wording.ts'

export type { Comparison } from './value.ts'

/** Units (budget.ts) one comparison may spend: some 10 ms. The public sets need up to 7,000. */
export const budgetOfComparison = 50_000

/** Whether `answer`, a bare answer and not a completion, is the same answer as `gold`. Total; the order never matters. */
export function equivalent(gold: string, answer: string, policy: Policy = defaultPolicy): boolean {
  return compare(gold, answer, policy).equal
}

/** By text where the comparison fails: nobody's answer may stop a run. */
export function compare(gold: string, answer: string, policy: Policy = defaultPolicy): Comparison {
  return guarded(
    () => compareOpenly(gold, answer, policy),
    () => ({ equal: sameWords(gold, answer), route: 'text' }),
  )
}

/** The same without its guard, so that tests see a failure. */
export function compareOpenly(gold: string, answer: string, policy: Policy): Comparison {
  const [written, given] = [gold.trim(), answer.trim()]
  if (written === given && written !== '') return { equal: true, route: 'text' }
  if (written.length > longest || given.length > longest) return { equal: false, route: 'text' }
  if (integer.test(written) && integer.test(given))
    return { equal: Number(written) === Number(given), route: 'exact' }
  const [left, right] = [cleaned(written), cleaned(given)]
  const words = (): Comparison => ({ equal: sameWords(left, right), route: 'text' })
  return within(
    budgetOfComparison,
    () => {
      const first =
        byNothing(left, right) ??
        byChoice(left, right) ??
        byTime(left, right) ??
        byReading(left, right, policy, words)
      // 2.71828182… has no period: its dots may also only say that it goes on.
      const cut = !first.equal && (left !== written || right !== given) && dots.test(written + given)
      return cut ? byReading(seeThrough(written), seeThrough(given), policy, words) : first
    },
    words,
  )
}

const integer = /^-?\d{1,15}$/ // most answers are such, and doubles hold them
const dots = /\d\s*(?:\.{3}|…|\\[lc]?dots)/

/** Two ways to say that there is no answer: \emptyset and "no solution". */
function byNothing(gold: string, answer: string): Comparison | null {
  return isNothing(gold) && isNothing(answer) ? { equal: true, route: 'text' } : null
}

function sameWords(gold: string, answer: string): boolean {
  const words = plainWords(gold)
  return words !== '' && words === plainWords(answer)
}

/** (D) Alina is answered by D, and C by \textbf{(C)}\ 42; two texts with letters are compared in full. */
function byChoice(gold: string, answer: string): Comparison | null {
  const [p, q] = [statementsOf(gold), statementsOf(answer)]
  if (p !== null && q !== null) return { equal: p === q, route: 'choice' }
  const [these, those] = [lettersOf(gold), lettersOf(answer)]
  if (these !== null && those !== null && these.apart !== those.apart)
    return { equal: these.letters === those.letters, route: 'choice' }
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

function byReading(gold: string, answer: string, policy: Policy, words: () => Comparison): Comparison {
  if (joinedApart(gold, answer) || codesApart(gold, answer)) return { equal: false, route: 'parts' }
  const first = compareParsed(parseAnswer(gold), parseAnswer(answer), policy) ?? words()
  if (first.equal) return first
  for (const [a, b] of readings(gold, answer, policy)) {
    const other = compareParsed(parseAnswer(a), parseAnswer(b), policy)
    if (other?.equal) return other
  }
  if (!thousands.test(gold) || !thousands.test(answer)) return first
  // 81,256 beside 81, 256: both as lists, in order, since each may still be one number.
  const [a, b] = [parseAnswer(gold, false), parseAnswer(answer, false)].map(({ expression }) => expression)
  if (a?.kind !== 'list' || b?.kind !== 'list' || a.open !== '' || b.open !== '') return first
  if (a.items.length !== b.items.length) return first
  return { equal: a.items.every((item, i) => same(item, b.items[i]!, policy).equal), route: 'parts' }
}

const thousands = /\d[\\!,{} ]{1,6}\d{3}/ // 81,256 or 11,\! 111

/** Null where one of the two is only words. */
function compareParsed(written: Answer, read: Answer, policy: Policy): Comparison | null {
  if (written.expression.kind === 'text' || read.expression.kind === 'text') return null
  const gold = { ...written, expression: combined(written.expression) }
  const given = { ...read, expression: combined(read.expression) }
  if (policy.units === 'compared' && unitsOf(gold) !== unitsOf(given)) return { equal: false, route: 'text' }
  if (policy.percent === 'strict') return same(divided(gold), divided(given), policy)
  const direct = sameNamed(gold.expression, given.expression, policy)
  if (direct.equal || gold.percent === given.percent) return direct
  // 50% is 0.5, where only one side has the sign.
  const [x, y] = [gold, given].map((side) => exact(bare(divided(side))))
  return { equal: !!x && !!y && equal(x, y), route: 'exact' }
}

/** As they stand, or under the names that the gold answer gave its constants. */
function sameNamed(gold: Expression, given: Expression, policy: Policy): Comparison {
  const direct = same(gold, given, policy)
  if (direct.equal || direct.route === 'exact') return direct
  const [ours, theirs] = [withoutDomains(gold), withoutDomains(given)]
  if (ours.domains !== '' && theirs.domains !== '' && ours.domains !== theirs.domains) return direct
  const [a, b] = [ours.answer, theirs.answer]
  const renamed = underNamesOf(a, b)
  return renamed === null && a === gold && b === given ? direct : same(a, renamed ?? b, policy)
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
  const assigned = byAssignments(left, right, within)
  if (assigned !== null) return { equal: assigned, route: 'parts' }
  if (left.kind === 'relation' && right.kind === 'relation') {
    if (sameRelation(left, right, within)) return { equal: true, route: 'parts' }
    const [a, b] = [setOf(left, policy), setOf(right, policy)]
    const alike = (left.operators[0] === '∈') === (right.operators[0] === '∈')
    const apart = a === null || b === null || (alike && !(boundedName(left) === boundedName(right)))
    return { equal: !apart && sameList(a, b, policy), route: 'parts' }
  }
  const [a, b] = [valueOf(left, right, policy), valueOf(right, left, policy)]
  if (a.kind === 'list' || b.kind === 'list') return { equal: sameList(a, b, policy), route: 'parts' }
  return sameValue(a, b, policy)
}

/** Values under names beside such values, or beside a tuple; null where that is not what the two are. */
function byAssignments(
  left: Expression,
  right: Expression,
  within: (a: Expression, b: Expression) => boolean,
): boolean | null {
  if (left.kind !== 'list' && right.kind !== 'list') return null
  const [a, b] = [assignmentsOf(left), assignmentsOf(right)]
  if (a !== null && b !== null) return sameAssignments(a, b, within)
  const [assigned, other] = a !== null ? [a, right] : [b, left]
  if (
    assigned === null ||
    other.kind !== 'list' ||
    other.open !== '(' ||
    other.items.length !== assigned.length
  )
    return null
  return tuplesOf(assigned).some(({ items }) => items.every((item, i) => within(item, other.items[i]!)))
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

/** The name that an inequality bounds, itself or its absolute value. */
function boundedName({ items, operators }: Relation): string | null {
  const name = operators[0] === '∈' ? null : (items.find(isName) ?? null)
  return name === null ? null : print(name.kind === 'call' ? (name.items[0] ?? name) : name)
}

function setOf(relation: Expression, policy: Policy): Expression | null {
  if (relation.kind !== 'relation' || policy.relations === 'apart') return null
  if (relation.operators[0] === '∈') return bare(relation)
  return intervalOf(relation)
}

const isLoose = ({ open }: List) => open === '' || open === '{' || open === '∪'

function sameList(a: Expression, b: Expression, policy: Policy): boolean {
  if (a.kind !== 'list' || b.kind !== 'list') {
    const [list, other] = a.kind === 'list' ? [a, b] : [b, a]
    if (list.kind !== 'list') return false // sets by name, in x ∈ Z and x ∈ N, which differ as relations
    const [over, under] = list.items
    if (list.open === ':' && list.items.length === 2)
      // 3:2 is 3/2 beside a number
      return same({ kind: 'quotient', over: over!, under: under! }, other, policy).equal
    // One answer in set braces or square brackets is that answer.
    return /^[{[]$/.test(list.open) && list.items.length === 1 && same(list.items[0]!, other, policy).equal
  }
  if (a.open === '{' && b.open === '(' && a.items.length === 1) return same(a.items[0]!, b, policy).equal
  if (b.open === '{' && a.open === '(' && b.items.length === 1) return same(a, b.items[0]!, policy).equal
  const [p, q] = [resolved(grouped(a) ?? a), resolved(grouped(b) ?? b)]
  const [left, right] = [asTable(asTuple(p, q), q), asTable(asTuple(q, p), p)]
  if (isLoose(left) && isLoose(right) && (left.open === '∪') === (right.open === '∪'))
    return sameInAnyOrder(
      counted(ungrouped(left, right), policy),
      counted(ungrouped(right, left), policy),
      policy,
    )
  if (left.items.length !== right.items.length) return false
  const bracketsAgree =
    (left.open === right.open && left.close === right.close) ||
    left.open === '' ||
    right.open === '' ||
    (ordered.test(left.open + left.close) && ordered.test(right.open + right.close) && !isInterval(left))
  return bracketsAgree && left.items.every((item, i) => same(item, right.items[i]!, policy).equal)
}

const ordered = /^(?:\(\)|\[\]|row)$/

/** Two values in brackets: closed or open matters. */
const isInterval = ({ items }: List) => items.length === 2 && items.every(({ kind }) => kind !== 'list')

/** 1,2;3,4 beside a list without groups has none either. */
function ungrouped({ items }: List, other: List): readonly Expression[] {
  const isGroup = (item: Expression): item is List => item.kind === 'list' && item.open === 'row'
  if (!items.some(isGroup) || other.items.some(({ kind }) => kind === 'list')) return items
  return items.flatMap((item) => (isGroup(item) ? item.items : [item]))
}

/** Brackets within brackets beside a matrix are one. */
const asTable = (list: List, other: List): List => (other.open === 'matrix' ? (asMatrix(list) ?? list) : list)

/** A row or column vector beside a tuple is one. */
function asTuple(list: List, other: List): List {
  if (list.open !== 'matrix' || !/^(?:\(\)|\[\])$/.test(other.open + other.close)) return list
  if (other.items.some(({ kind }) => kind === 'list')) return list
  const rows = list.items.map((row) => (row.kind === 'list' ? row.items : [row]))
  if (rows.length > 1 && rows.some((row) => row.length > 1)) return list
  return { kind: 'list', open: other.open, close: other.close, items: rows.flat() }
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
