/**
 * From what an answer states to the value it gives: x = 5 gives 5, x ∈ S gives S, -2 ≤ x ≤ 7 gives [-2,7], 3 ± √2 gives two
 * values. What gives no value (an equation in x and y) stays itself.
 */
import { exact } from './evaluate.ts'
import { isVariable } from './sample.ts'
import { mapParts, negative, print, some, type Expression, type List, type Relation } from './expression.ts'

/** The value a statement gives: the right side of x = 5, the set of x ∈ S; else the expression itself. */
export function bare(expression: Expression): Expression {
  if (expression.kind !== 'relation') return expression
  const [first, last] = [expression.items[0], expression.items.at(-1)]
  if (first === undefined || last === undefined) return expression
  const closing = expression.operators.at(-1)
  const named = isName(first)
  if (closing === '≈') {
    // √3/3 ≈ 0.577 says the exact value first, x ≈ 11 says one value only.
    const items = expression.items.slice(0, -1)
    if (items.length === 1) return named ? last : first
    return bare({ ...expression, items, operators: expression.operators.slice(0, -1) })
  }
  const equations = expression.operators.every((operator) => operator === '=')
  if (equations && named) return last
  // 51_{10} = 201_5 gives its end; 5 = x gives 5; 7 = 11a + c is an equation and gives nothing.
  if (equations && exact(first) !== null && !some(last, isVariable)) return last
  if (equations && expression.items.length === 2 && isName(last) && !some(first, isVariable)) return first
  return closing === '∈' || closing === '→' ? last : expression
}

/** x, f(x), x_1, AB, (x, y), AB:CD: what stands left of an answer's equals sign. */
export function isName(expression: Expression): boolean {
  if (expression.kind === 'symbol') return !['pi', 'e', 'i', 'infty'].includes(expression.name)
  if (expression.kind === 'list') return expression.items.length > 0 && expression.items.every(isName)
  if (expression.kind === 'call' && expression.name === 'abs') return expression.items.every(isName)
  return expression.kind === 'product' && expression.items.every(isName)
}

/** A function applied to one symbol, f(n), as its two names. */
export function application(expression: Expression): { name: string; of: string } | null {
  if (expression.kind !== 'product' || expression.items.length !== 2) return null
  const [name, of] = expression.items
  return name?.kind === 'symbol' && of?.kind === 'symbol' ? { name: name.name, of: of.name } : null
}

export function rename(expression: Expression, from: string, to: string): Expression {
  if (expression.kind === 'symbol') {
    if (expression.name === from) return { kind: 'symbol', name: to }
    const index = expression.name.indexOf('_')
    if (index < 0 || !expression.name.includes(from, index)) return expression
    return { kind: 'symbol', name: indexRenamed(expression.name, index, from, to) }
  }
  return mapParts(expression, (part) => rename(part, from, to))
}

/** a_k as a_j; within an index a name stands apart from other letters. */
function indexRenamed(name: string, index: number, from: string, to: string): string {
  const parts = name.slice(index).split(/(\\?[a-zA-Z]+\d*)/)
  return name.slice(0, index) + parts.map((part) => (part === from ? to : part)).join('')
}

/** An answer with ± is two answers; a bare list or set of such is all of theirs. */
export function expand(expression: Expression): Expression {
  const loose = expression.kind === 'list' && ['', '{'].includes(expression.open)
  const items = loose ? expression.items : [expression]
  const all = items.flatMap((item) =>
    some(item, (part) => part.kind === 'plusMinus') ? [signed(item, 1), signed(item, -1)] : [item],
  )
  if (all.length === items.length) return expression
  return { kind: 'list', open: loose ? expression.open : '', close: '', items: all }
}

function signed(expression: Expression, sign: 1 | -1): Expression {
  if (expression.kind !== 'plusMinus') return mapParts(expression, (part) => signed(part, sign))
  const of = signed(expression.of, sign)
  return (expression.flip ? -sign : sign) === 1 ? of : negative(of)
}

const allReals = '(product(-1 infty), infty)'
const numbers = new Set(['Z', 'N', 'R', 'Q', 'C'])

/** An answer beside the sets in which its names lie, x = kπ, k ∈ Z, without them; and which sets those are. */
export function withoutDomains(expression: Expression): {
  readonly answer: Expression
  readonly domains: string
} {
  if (expression.kind !== 'list' || expression.open !== '') return { answer: expression, domains: '' }
  const domainOf = (item: Expression) => {
    if (item.kind !== 'relation' || item.operators.join() !== '∈') return null
    const set = item.items[1]
    if (set?.kind === 'list' && print(set) === allReals) return 'R'
    return set?.kind === 'symbol' && numbers.has(set.name) ? set.name : null
  }
  const items = expression.items.filter((item) => domainOf(item) === null && !isBound(item, expression.items))
  if (items.length === 0 || items.length === expression.items.length)
    return { answer: expression, domains: '' }
  const domains = expression.items
    .flatMap((item) => domainOf(item) ?? (items.includes(item) ? [] : print(item)))
    .join()
  return { answer: items.length === 1 ? items[0]! : { ...expression, items }, domains }
}

/** n ≥ 1 beside a_n = 2^n: a bound of a name that an equation there uses. */
function isBound(item: Expression, all: readonly Expression[]): boolean {
  if (item.kind !== 'relation' || !item.operators.every((operator) => /[<>≤≥]/.test(operator))) return false
  const name = item.items.find((part) => part.kind === 'symbol' && isName(part))
  return (
    name?.kind === 'symbol' &&
    all.some(
      (other) =>
        other.kind === 'relation' &&
        other.operators[0] === '=' &&
        some(other.items.at(-1) ?? other, (part) => part.kind === 'symbol' && part.name === name.name),
    )
  )
}

const infinity: Expression = { kind: 'symbol', name: 'infty' }
const below: Readonly<Record<string, boolean>> = { '<': false, '≤': true } // to whether the end belongs to it
const above: Readonly<Record<string, boolean>> = { '>': false, '≥': true }

/** The set an inequality in one name says, as an interval or a union of them; null for any other relation. */
export function intervalOf({ items, operators }: Relation): List | null {
  const [first, second] = items
  if (operators.join() === '≠' && first && second && isName(first)) {
    const sides = [
      interval(negative(infinity), second, false, false),
      interval(second, infinity, false, false),
    ]
    return { kind: 'list', open: '∪', close: '', items: sides }
  }
  const rising = operators.every((operator) => operator in below)
  if (!rising && !operators.every((operator) => operator in above)) return null
  const ends = rising ? items : items.toReversed()
  const closed = (rising ? operators : operators.toReversed()).map(
    (operator) => operator === '≤' || operator === '≥',
  )
  const at = ends.findIndex(isName)
  const name = ends[at]
  if (name === undefined || ends.length > 3 || (ends.length === 3 && at !== 1)) return null
  const [low, high] = [ends[at - 1], ends[at + 1]]
  const [lowClosed, highClosed] = [low !== undefined && closed[at - 1]!, high !== undefined && closed[at]!]
  if (name.kind !== 'call')
    return interval(low ?? negative(infinity), high ?? infinity, lowClosed, highClosed)
  // |z| ≤ b is [-b, b], a ≤ |z| is two rays, and both together two intervals.
  if (low === undefined)
    return high === undefined ? null : interval(negative(high), high, highClosed, highClosed)
  const outer = high ?? infinity
  return {
    kind: 'list',
    open: '∪',
    close: '',
    items: [
      interval(negative(outer), negative(low), highClosed, lowClosed),
      interval(low, outer, lowClosed, highClosed),
    ],
  }
}

function interval(low: Expression, high: Expression, lowClosed: boolean, highClosed: boolean): List {
  return { kind: 'list', open: lowClosed ? '[' : '(', close: highClosed ? ']' : ')', items: [low, high] }
}
