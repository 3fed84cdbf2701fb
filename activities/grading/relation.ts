/**
 * Whether two relations are one: side by side or mirrored, up to scale (an equation's sides, an inequality's with its
 * direction), and by value where both give one under the same name.
 */
import { negative, print, some, type Expression, type Relation } from './expression.ts'
import { isIndependent, monic, normalForm, text } from './normal.ts'
import { isVariable, numeric, pointsFor } from './sample.ts'
import { application, bare, isName, rename } from './statement.ts'
import { close } from './value.ts'

/** How parts of relations are compared; given by the caller, which compares relations by way of this file. */
type Same = (a: Expression, b: Expression) => boolean

/** Each operator read from the right; one without a row, as ∈ and ↦, is not written that way. */
const mirrored: Readonly<Record<string, string>> = {
  ...{ '=': '=', '≠': '≠', '≈': '≈', '⇔': '⇔', '<': '>', '>': '<', '≤': '≥', '≥': '≤' },
  ...{ '→': '←', '←': '→', '⇒': '⇐', '⇐': '⇒', '⊂': '⊃', '⊃': '⊂', '⊆': '⊇', '⊇': '⊆', '∈': '∋', '∋': '∈' },
}

export function sameRelation(a: Relation, b: Relation, same: Same): boolean {
  const renamed = withArgumentOf(a, b)
  return sameSides(a, renamed, same) || sameGivenValue(a, renamed, same)
}

/** f(n) = … as a statement about f(x), and f(a, b) = … about f(x, y): the names of arguments are free. */
function withArgumentOf(a: Relation, b: Relation): Relation {
  const [left, right] = [a.items[0], b.items[0]].map((side) => side && argumentsOf(side))
  if (!left || !right || left.name !== right.name || left.of.length !== right.of.length) return b
  if (left.of.join() === right.of.join()) return b
  // By way of names that nothing has, since f(y, x) may be f(x, y).
  const between = right.of.map((_, i) => `\\argument${i}`)
  const steps = [
    ...right.of.map((name, i) => [name, between[i]!]),
    ...between.map((name, i) => [name, left.of[i]!]),
  ]
  const items = b.items.map((item) => steps.reduce((done, [from, to]) => rename(done, from!, to!), item))
  return { ...b, items }
}

/**
 * Name and arguments of f(x) and of f(x, y), which reads as f times a tuple and is multiplied out; null for anything else.
 * The A of P(A) is an event and no argument of any name.
 */
function argumentsOf(side: Expression): { name: string; of: readonly string[] } | null {
  const several = side.kind === 'list' && side.open === '(' && side.items.length > 1
  const each = (several ? side.items : [side]).map(application)
  const [first] = each
  const of = each.flatMap((one) => (one?.name === first?.name && one ? [one.of] : []))
  if (!first || new Set(of).size !== each.length || of.some((name) => /^[A-Z]/.test(name))) return null
  return { name: first.name, of }
}

function sameSides(a: Relation, b: Relation, same: Same): boolean {
  if (a.items.length !== b.items.length) return false
  const turned: Relation = {
    ...b,
    items: b.items.toReversed(),
    operators: b.operators.toReversed().map((operator) => mirrored[operator] ?? ''),
  }
  return (
    [b, turned].some(
      (other) =>
        a.operators.every((operator, i) => operator === other.operators[i]) &&
        a.items.every((item, i) => same(item, other.items[i]!)),
    ) || proportional(a, b)
  )
}

/**
 * Both of one operator, and the differences of their sides proportional at every point: 2x = 6 - 4y and x + 2y = 3. An
 * inequality keeps its direction under a positive factor and is mirrored under a negative one.
 */
function proportional(a: Relation, b: Relation): boolean {
  const [operator, other] = [a.operators[0], b.operators[0]]
  if (a.operators.length !== 1 || operator === undefined || other === undefined) return false
  if (!['=', '≠', '<', '>', '≤', '≥'].includes(operator)) return false
  if (!some(a, isVariable) || !some(b, isVariable)) return false // any two numbers are proportional
  const factor = factorOf(difference(a), difference(b))
  return factor !== null && operator === (factor > 0 ? other : (mirrored[other] ?? other))
}

function difference({ items }: Relation): Expression {
  return { kind: 'sum', items: [items[0]!, negative(items[1]!)] }
}

/** The factor of a to b if they are proportional, in sign at least; by normal forms where those decide, else at points. */
function factorOf(a: Expression, b: Expression): number | null {
  const [p, q] = [normalForm(a), normalForm(b)]
  if (p !== null && q !== null && isIndependent(p) && isIndependent(q)) {
    const [left, right] = [monic(p), monic(q)]
    if (left === null || right === null || text(left.form) !== text(right.form)) return null
    return left.factor.n > 0n === right.factor.n > 0n ? 1 : -1
  }
  const ratios = pointsFor(a, b)
    .map((point) => numeric(a, point) / numeric(b, point))
    .filter(Number.isFinite)
  const [first] = ratios
  if (ratios.length < leastRatios || first === undefined || Math.abs(first) < smallestRatio) return null
  return ratios.every((ratio) => close(ratio, first, ratioTolerance)) ? first : null
}

const leastRatios = 4
const smallestRatio = 1e-9 // below, the numerator is noise
const ratioTolerance = 1e-8 // relative; two subtractions lose digits

/** x = 5 is not y = 5, but f(x) = 2x + 3 is y = 2x + 3: a curve's ordinate and a function's value are one name. */
function sameGivenValue(a: Relation, b: Relation, same: Same): boolean {
  const [left, right] = [a.items[0], b.items[0]]
  const [x, y] = [bare(a), bare(b)]
  if (x === a || y === b || left === undefined || right === undefined) return false
  return (
    (print(left) === print(right) || sameOrdinate(left, right) || sameOrdinate(right, left)) && same(x, y)
  )
}

function sameOrdinate(ordinate: Expression, value: Expression): boolean {
  return (
    ordinate.kind === 'symbol' && ordinate.name === 'y' && isName(value) && application(value)?.of === 'x'
  )
}
