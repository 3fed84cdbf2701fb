/**
 * Sets of numbers put in one form: the reals as an interval, a union of finite sets as one set, and an interval without
 * single points, \mathbb{R} \setminus \{1\}, as the union of what is left. Ends and points need exact values to be ordered.
 */
import { exact } from './evaluate.ts'
import { number, type Expression, type List } from './expression.ts'
import { add, toNumber, type Rational } from './rational.ts'

const infinity: Expression = { kind: 'symbol', name: 'infty' }
const minusInfinity: Expression = { kind: 'product', items: [number({ n: -1n, d: 1n }), infinity] }

export const reals: List = { kind: 'list', open: '(', close: ')', items: [minusInfinity, infinity] }

/** The list with unions and differences worked out, where they can be; else the same. */
export function resolved(list: List): List {
  if (list.open === '∪' && list.items.every((item) => item.kind === 'list' && item.open === '{'))
    return { kind: 'list', open: '{', close: '}', items: list.items.flatMap((item) => (item as List).items) }
  if (list.open !== '∖') return list
  const [from, points] = list.items
  if (from?.kind !== 'list' || points?.kind !== 'list' || points.open !== '{') return list
  const whole = from.open === '∪' || from.open === '∖' ? resolved(from).items : [from]
  const cuts = points.items.map(exact)
  if (!cuts.every((cut) => cut !== null)) return list
  let parts: readonly Expression[] = whole
  for (const cut of cuts) parts = parts.flatMap((part) => split(part, cut))
  return parts.length === 1 && parts[0]!.kind === 'list'
    ? parts[0]
    : { kind: 'list', open: '∪', close: '', items: parts }
}

/** An interval on both sides of a point within it. */
function split(interval: Expression, at: Rational): Expression[] {
  if (interval.kind !== 'list' || interval.items.length !== 2) return [interval]
  const [low, high] = [endOf(interval.items[0]!), endOf(interval.items[1]!)]
  const point = number(at)
  if (before(at, low) || before(high, at)) return [interval]
  if (!before(low, at)) return [{ ...interval, open: '(' }]
  if (!before(at, high)) return [{ ...interval, close: ')' }]
  return [
    { ...interval, close: ')', items: [interval.items[0]!, point] },
    { ...interval, open: '(', items: [point, interval.items[1]!] },
  ]
}

type End = Rational | number

function endOf(end: Expression): End {
  if (end.kind === 'symbol' && end.name === 'infty') return Infinity
  return exact(end) ?? (end.kind === 'product' ? -Infinity : NaN)
}

/** Exactly where both are rational. */
function before(a: End, b: End): boolean {
  if (typeof a === 'number' || typeof b === 'number')
    return (typeof a === 'number' ? a : toNumber(a)) < (typeof b === 'number' ? b : toNumber(b))
  const difference = add(b, { n: -a.n, d: a.d })
  return difference !== null && difference.n > 0n
}
