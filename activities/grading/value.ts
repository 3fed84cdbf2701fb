/**
 * Whether two values are equal: exact rationals, else normal forms, else doubles at fixed points under a relative tolerance.
 * Sampling is never asked about what the first two decide, and says nothing where values overflow or vanish.
 */
import { exact } from './evaluate.ts'
import { modulus } from './complex.ts'
import { print, some, type Expression } from './expression.ts'
import { normalForm, surelyDifferent, text } from './normal.ts'
import type { Policy } from './policy.ts'
import { equal, toNumber, type Rational } from './rational.ts'
import { complexNumeric, hasImaginary, isVariable, numeric, points, pointsFor, type Point } from './sample.ts'

export interface Comparison {
  readonly equal: boolean
  /** Which way of comparing decided. */
  readonly route: 'text' | 'choice' | 'time' | 'exact' | 'normal' | 'numeric' | 'structure' | 'parts'
}

export function sameValue(a: Expression, b: Expression, policy: Policy): Comparison {
  const numerals = [a, b].filter(hasBase).length
  if (numerals === 2 || (numerals === 1 && policy.base === 'required')) return sameNumerals(a, b)
  const [x, y] = [exact(a), exact(b)]
  if (x !== null && y !== null)
    return { equal: equal(x, y) || rounds(a, b, policy) || rounds(b, a, policy), route: 'exact' }
  if (print(a) === print(b)) return { equal: true, route: 'structure' }
  if ([a, b].some((side) => side.kind === 'text' || side.kind === 'relation' || side.kind === 'list'))
    return { equal: false, route: 'structure' }
  const [p, q] = [normalForm(a), normalForm(b)]
  if (p !== null && q !== null) {
    if (text(p) === text(q)) return { equal: true, route: 'normal' }
    if (rounds(a, b, policy) || rounds(b, a, policy)) return { equal: true, route: 'numeric' }
    if (surelyDifferent(p, q)) return { equal: false, route: 'normal' }
  }
  return sampled(a, b)
}

const hasBase = (expression: Expression) =>
  some(expression, (part) => part.kind === 'call' && part.name === 'numeral')

/** 32_8 and 32_13: digits and bases have to agree. */
function sameNumerals(a: Expression, b: Expression): Comparison {
  const [p, q] = [normalForm(a), normalForm(b)]
  return { equal: p !== null && q !== null && text(p) === text(q), route: 'structure' }
}

/** Whether `value` rounds or truncates to the decimal, and the decimal is long enough to be meant so. */
function rounds(decimal: Expression, value: Expression, policy: Policy): boolean {
  const given = decimalOf(decimal)
  if (given === null) return false
  const known = exact(value)
  const least = known === null ? policy.irrationalDigits : policy.rationalDigits
  const short = given.digits < least
  // What is written as a x 10^n was rounded to its digits; a whole number or a decimal beside it was not.
  if (
    short &&
    (!given.scientific ||
      given.digits < policy.scientificDigits ||
      known?.d === 1n ||
      decimalOf(value) !== null)
  )
    return false
  if (value.kind === 'number' && value.digits === given.digits) return false // two decimals are what they say
  if (some(value, isVariable)) return false
  const [written, full] = [toNumber(given.value), numeric(value, points[0]!)]
  if (!Number.isFinite(full) || full === 0 || written === 0 || written < 0 !== full < 0) return false
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(full))) + 1 - given.digits) // of its last digit
  const excess = Math.abs(full) - Math.abs(written)
  const noise = 8 * Number.EPSILON * Math.abs(full)
  return excess > -unit / 2 - noise && excess < (short ? unit / 2 : unit) + noise
}

interface Decimal {
  readonly value: Rational
  /** Significant digits as written. */
  readonly digits: number
  readonly scientific: boolean
}

/** 0.123 or 1.23 x 10^{-1}; null for other expressions. */
function decimalOf(expression: Expression): Decimal | null {
  if (expression.kind === 'number' && expression.digits !== undefined)
    return { value: expression.value, digits: expression.digits, scientific: false }
  if (expression.kind !== 'product' || expression.items.length > 3) return null
  const factors = expression.items.filter(({ kind }) => kind !== 'power')
  const digits = factors.find((item) => item.kind === 'number' && item.digits !== undefined)
  const scale = expression.items.find(({ kind }) => kind === 'power')
  const isTen =
    scale?.kind === 'power' &&
    scale.base.kind === 'number' &&
    scale.base.value.n === 10n &&
    scale.base.value.d === 1n
  if (digits?.kind !== 'number' || digits.digits === undefined || !isTen) return null
  const value = exact(expression)
  return value && { value, digits: digits.digits, scientific: true }
}

const variableTolerance = 1e-9 // relative; values at a point lose a few digits to cancellation
const constantTolerance = 1e-11
const leastPoints = 3 // where both sides have a value; fewer say nothing about an identity

function sampled(a: Expression, b: Expression): Comparison {
  const variables = some(a, isVariable) || some(b, isVariable)
  const tried = variables ? pointsFor(a, b) : points.slice(0, 1)
  if (!hasImaginary(a) && !hasImaginary(b)) {
    const verdict = agree(tried, (point) => [numeric(a, point), numeric(b, point)])
    if (verdict !== null) return { equal: verdict, route: 'numeric' }
  }
  const verdict = agree(tried, (point) => {
    const [p, q] = [complexNumeric(a, point), complexNumeric(b, point)]
    const size = Math.max(modulus(p), modulus(q))
    // Real and imaginary parts on one scale: 1 beside an error of the other part.
    return [size, size + modulus({ re: p.re - q.re, im: p.im - q.im })]
  })
  return verdict === null ? { equal: false, route: 'structure' } : { equal: verdict, route: 'numeric' }
}

/** Whether two values agree wherever both exist; null where too few do. A constant needs one point. */
function agree(tried: readonly Point[], values: (point: Point) => readonly [number, number]): boolean | null {
  const variables = tried.length > 1
  let usable = 0
  for (const point of tried) {
    const [p, q] = values(point)
    // Two zeros may both be underflow, which says nothing.
    if (!inRange(p) || !inRange(q) || (p === 0 && q === 0)) continue
    if (!close(p, q, variables ? variableTolerance : constantTolerance)) return false
    usable++
  }
  return usable >= (variables ? leastPoints : 1) ? true : null
}

/** Beyond these a double says nothing about equality. */
const inRange = (value: number) => Number.isFinite(value) && (value === 0 || Math.abs(value) > 1e-200)

export function close(a: number, b: number, tolerance: number): boolean {
  if (a === 0 || b === 0) return Math.abs(a - b) < 1e-13
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b))
}
