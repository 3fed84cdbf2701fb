/**
 * Sets of numbers put in one form: the reals as an interval, a union of finite sets as one set, and an interval without
 * single points, \mathbb{R} \setminus \{1\}, as the union of what is left. Ends and points need exact values to be ordered.
 */
import { exact } from './evaluate.ts'
import { number, print, type Expression, type List } from './expression.ts'
import { add, toNumber, type Rational } from './rational.ts'

const infinity: Expression = { kind: 'symbol', name: 'infty' }
const minusInfinity: Expression = { kind: 'product', items: [number({ n: -1n, d: 1n }), infinity] }

export const reals: List = { kind: 'list', open: '(', close: ')', items: [minusInfinity, infinity] }

/** The list with unions and differences worked out, where they can be; else the same. */
export function resolved(list: List): List {
  if (list.open === '∪' && list.items.every((item) => item.kind === 'list' && item.open === '{'))
    return { kind: 'list', open: '{', close: '}', items: list.items.flatMap((item) => (item as List).items) }
  if (list.open === '∪') return merged(list)
  if (list.open === '∩') return common(list)
  if (list.open !== '∖') return list
  const [from, points] = list.items
  if (from?.kind !== 'list' || points?.kind !== 'list' || points.open !== '{') return list
  const inner = resolved(from)
  const whole = inner.open === '∪' ? inner.items : [inner]
  const cuts = points.items.map(exact)
  if (!cuts.every((cut) => cut !== null)) return list
  let parts: readonly Expression[] = whole
  for (const cut of cuts) parts = parts.flatMap((part) => split(part, cut))
  return parts.length === 1 && parts[0]!.kind === 'list'
    ? parts[0]
    : { kind: 'list', open: '∪', close: '', items: parts }
}

/** A union whose intervals and points overlap or touch as what they are together; the same where none do. */
function merged(list: List): List {
  const pieces = list.items.flatMap((item) => piecesOf(item) ?? [])
  if (list.items.some((item) => piecesOf(item) === null)) return list
  const sorted = pieces.toSorted((a, b) => orderOf(a.ends[0]!, b.ends[0]!) || Number(b.set.open === '[') - 1)
  const found: Piece[] = []
  for (const next of sorted) {
    const last = found.at(-1)
    const order = last === undefined ? 1 : orderOf(next.ends[0]!, last.ends[1]!)
    if (last === undefined || order > 0 || (order === 0 && last.set.close === ')' && next.set.open === '('))
      found.push(next)
    else found[found.length - 1] = together(last, next)
  }
  if (found.length === pieces.length) return list
  return found.length === 1 ? found[0]!.set : { ...list, items: found.map(({ set }) => set) }
}

/** What intervals and finite sets have in common; the same list where their ends are not known. */
function common(list: List): List {
  const [first, ...others] = list.items.map(piecesOf)
  if (!first || !others.every((pieces) => pieces !== null)) return list
  const found = others.reduce(
    (left, right) => left.flatMap((a) => right.flatMap((b) => overlap(a, b) ?? [])),
    first,
  )
  const sets = found.map(({ set, ends }) => (orderOf(ends[0]!, ends[1]!) < 0 ? set : null))
  const points = found.flatMap(({ set }, i) => (sets[i] === null ? [set.items[0]!] : []))
  const intervals = sets.filter((set) => set !== null)
  if (intervals.length === 1 && points.length === 0) return intervals[0]!
  const finite: List = { kind: 'list', open: '{', close: '}', items: points }
  if (intervals.length === 0) return finite
  return merged({
    kind: 'list',
    open: '∪',
    close: '',
    items: points.length > 0 ? [...intervals, finite] : intervals,
  })
}

function overlap(a: Piece, b: Piece): Piece | null {
  const begins = orderOf(a.ends[0]!, b.ends[0]!) || Number(b.set.open === '[') - Number(a.set.open === '[')
  const ends = orderOf(a.ends[1]!, b.ends[1]!) || Number(a.set.close === ']') - Number(b.set.close === ']')
  const [later, sooner] = [begins < 0 ? b : begins > 0 ? a : a.set.open === '(' ? a : b, ends > 0 ? b : a]
  const order = orderOf(later.ends[0]!, sooner.ends[1]!)
  if (order > 0 || (order === 0 && (later.set.open === '(' || sooner.set.close === ')'))) return null
  const items = [later.set.items[0]!, sooner.set.items[1]!]
  return {
    set: { kind: 'list', open: later.set.open, close: sooner.set.close, items },
    ends: [later.ends[0]!, sooner.ends[1]!],
  }
}

/** An interval or a point, with its ends as they are compared. */
interface Piece {
  readonly set: List
  readonly ends: readonly End[]
}

function piecesOf(item: Expression): Piece[] | null {
  if (item.kind !== 'list') return null
  const isSet = item.open === '{'
  if (!isSet && (!/^[([]$/.test(item.open) || item.items.length !== 2)) return null
  const sets: List[] = isSet
    ? item.items.map((point) => ({ kind: 'list', open: '[', close: ']', items: [point, point] }))
    : [item]
  const pieces = sets.map((set) => ({ set, ends: set.items.map(endOf) }))
  return pieces.every(
    ({ ends }) => ends.every((end) => !Number.isNaN(end)) && orderOf(ends[0]!, ends[1]!) <= 0,
  )
    ? pieces
    : null
}

/** Of two pieces that meet, the first of which begins no later. */
function together(first: Piece, next: Piece): Piece {
  const order = orderOf(next.ends[1]!, first.ends[1]!)
  const later = order > 0 || (order === 0 && next.set.close === ']') ? next : first
  const set = { ...first.set, close: later.set.close, items: [first.set.items[0]!, later.set.items[1]!] }
  return { set, ends: [first.ends[0]!, later.ends[1]!] }
}

const orderOf = (a: End, b: End) => (before(a, b) ? -1 : before(b, a) ? 1 : 0)

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
  return exact(end) ?? (print(end) === print(minusInfinity) ? -Infinity : NaN)
}

/** Exactly where both are rational. */
function before(a: End, b: End): boolean {
  if (typeof a === 'number' || typeof b === 'number')
    return (typeof a === 'number' ? a : toNumber(a)) < (typeof b === 'number' ? b : toNumber(b))
  const difference = add(b, { n: -a.n, d: a.d })
  return difference !== null && difference.n > 0n
}
