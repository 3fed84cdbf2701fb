/**
 * Values of expressions in doubles at fixed points: a symbol's value at a trial is a hash of its name and the trial, so a
 * verdict never depends on a run. Positive points first, then mixed signs and other scales, then small whole numbers, where
 * (-1)^n and n! are at home.
 */
import { spend } from './budget.ts'
import * as complex from './complex.ts'
import type { Complex } from './complex.ts'
import { some, type Expression } from './expression.ts'
import { toNumber } from './rational.ts'

export type Point = (symbol: string) => number

const functions: Readonly<Record<string, (x: number, second: number | undefined) => number>> = {
  sqrt: (x) => Math.sqrt(x),
  root: (x, degree = 2) => (x < 0 && degree % 2 === 1 ? -((-x) ** (1 / degree)) : x ** (1 / degree)),
  abs: (x) => Math.abs(x),
  floor: (x) => Math.floor(x),
  ceil: (x) => Math.ceil(x),
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  tan: (x) => Math.tan(x),
  cot: (x) => 1 / Math.tan(x),
  sec: (x) => 1 / Math.cos(x),
  csc: (x) => 1 / Math.sin(x),
  sech: (x) => 1 / Math.cosh(x),
  csch: (x) => 1 / Math.sinh(x),
  coth: (x) => 1 / Math.tanh(x),
  arcsec: (x) => Math.acos(1 / x),
  arccsc: (x) => Math.asin(1 / x),
  arcsech: (x) => Math.acosh(1 / x),
  arccsch: (x) => Math.asinh(1 / x),
  arccoth: (x) => Math.atanh(1 / x),
  arcsin: (x) => Math.asin(x),
  arccos: (x) => Math.acos(x),
  arctan: (x) => Math.atan(x),
  arccot: (x) => Math.PI / 2 - Math.atan(x),
  sinh: (x) => Math.sinh(x),
  cosh: (x) => Math.cosh(x),
  tanh: (x) => Math.tanh(x),
  arcsinh: (x) => Math.asinh(x),
  arccosh: (x) => Math.acosh(x),
  arctanh: (x) => Math.atanh(x),
  exp: (x) => Math.exp(x),
  ln: (x) => Math.log(x),
  lg: (x) => Math.log10(x),
  // Without a base both conventions occur; ln is what the suites mean.
  log: (x, base) => Math.log(x) / (base === undefined ? 1 : Math.log(base)),
  factorial: (x) => gamma(x + 1),
  binom: (n, k = NaN) =>
    Number.isInteger(k) && k >= 0 && k < 200
      ? product(n - k + 1, k) / product(1, k)
      : gamma(n + 1) / (gamma(k + 1) * gamma(n - k + 1)),
}

/** The real value where symbols have these values; NaN where it has none. */
export function numeric(expression: Expression, at: Point): number {
  spend(1)
  switch (expression.kind) {
    case 'number':
      return toNumber(expression.value)
    case 'symbol':
      return at(expression.name)
    case 'sum':
      return expression.items.reduce((sum, item) => sum + numeric(item, at), 0)
    case 'product':
      return expression.items.reduce((total, item) => total * numeric(item, at), 1)
    case 'quotient':
      return numeric(expression.over, at) / numeric(expression.under, at)
    case 'power':
      return numeric(expression.base, at) ** numeric(expression.exponent, at)
    case 'call': {
      const [of, by] = expression.items
      if (expression.name === 'sum' || expression.name === 'prod') return series(expression, at)
      const first = of === undefined ? NaN : numeric(of, at)
      const second = by === undefined ? undefined : numeric(by, at)
      return functions[expression.name]?.(first, second) ?? NaN
    }
    case 'plusMinus':
    case 'list':
    case 'relation':
    case 'text':
      return NaN
  }
}

const mostTerms = 100

/** Of a sum or a product between whole bounds; its index is the outermost of the names that primary.ts gives. */
function series(
  { name, items: [body, low, high] }: Extract<Expression, { kind: 'call' }>,
  at: Point,
): number {
  if (body === undefined || low === undefined || high === undefined) return NaN
  const [from, to] = [numeric(low, at), numeric(high, at)]
  if (!Number.isInteger(from) || !Number.isInteger(to) || to - from > mostTerms) return NaN
  let level = 0
  while (some(body, (part) => part.kind === 'symbol' && part.name === `\\index${level + 1}`)) level++
  const index = `\\index${level}`
  // The values of a_k are not known.
  if (some(body, (part) => part.kind === 'symbol' && part.name.includes('_') && part.name.includes(index)))
    return NaN
  let total = name === 'sum' ? 0 : 1
  for (let i = from; i <= to; i++) {
    const term = numeric(body, (symbol) => (symbol === index ? i : at(symbol)))
    total = name === 'sum' ? total + term : total * term
  }
  return total
}

const half = complex.real(0.5)
const notANumber = complex.real(NaN)

/** The complex value, with `i` the imaginary unit. */
export function complexNumeric(expression: Expression, at: Point): Complex {
  spend(3)
  switch (expression.kind) {
    case 'number':
      return complex.real(toNumber(expression.value))
    case 'symbol':
      return expression.name === 'i' ? { re: 0, im: 1 } : complex.real(at(expression.name))
    case 'sum':
      return expression.items.reduce(
        (sum, item) => complex.plus(sum, complexNumeric(item, at)),
        complex.real(0),
      )
    case 'product':
      return expression.items.reduce(
        (total, item) => complex.times(total, complexNumeric(item, at)),
        complex.real(1),
      )
    case 'quotient':
      return complex.over(complexNumeric(expression.over, at), complexNumeric(expression.under, at))
    case 'power':
      return complex.power(complexNumeric(expression.base, at), complexNumeric(expression.exponent, at))
    case 'call': {
      const [of, by] = expression.items
      if (of === undefined) return notANumber
      return complexCall(expression.name, complexNumeric(of, at), by && complexNumeric(by, at))
    }
    case 'plusMinus':
    case 'list':
    case 'relation':
    case 'text':
      return notANumber
  }
}

function complexCall(name: string, z: Complex, second: Complex | undefined): Complex {
  if (name === 'sqrt') return complex.power(z, half)
  if (name === 'root' && second) return complex.power(z, complex.over(complex.real(1), second))
  if (name === 'abs') return complex.real(complex.modulus(z))
  if (name === 'exp') return complex.exp(z)
  if (name === 'ln') return complex.log(z)
  if (name === 'sin') return complex.sin(z)
  if (name === 'cos') return complex.cos(z)
  if (name === 'tan') return complex.over(complex.sin(z), complex.cos(z))
  const value = z.im === 0 && !second?.im ? functions[name]?.(z.re, second?.re) : undefined
  return value === undefined ? notANumber : complex.real(value)
}

export const isVariable = (part: Expression) =>
  part.kind === 'symbol' && part.name !== 'pi' && part.name !== 'e' && part.name !== 'i'

export const hasImaginary = (expression: Expression) =>
  some(expression, (part) => part.kind === 'symbol' && part.name === 'i')

/** What a trial's points look like: scale of the magnitudes, whether signs vary, whether they are whole. */
const trials = [
  { scale: 1, signs: false, whole: false },
  { scale: 1, signs: false, whole: false },
  { scale: 1, signs: true, whole: false },
  { scale: 1, signs: true, whole: false },
  { scale: 9, signs: false, whole: false },
  { scale: 60, signs: true, whole: false },
  { scale: 1 / 5, signs: true, whole: false },
  { scale: 1, signs: false, whole: true },
  { scale: 1, signs: false, whole: true },
  { scale: 2, signs: false, whole: true },
] as const

/** The points in the order in which they are tried. */
export const points: readonly Point[] = trials.map(
  ({ scale, signs, whole }, trial) =>
    (symbol) =>
      constants[symbol] ?? valueAt(symbol, trial, scale, signs, whole),
)

const constants: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E, infty: Infinity }

function valueAt(symbol: string, trial: number, scale: number, signs: boolean, whole: boolean): number {
  let hash = 2166136261 ^ (trial * 2654435761) // FNV-1a, then two rounds of a multiplicative mix
  for (let i = 0; i < symbol.length; i++) hash = Math.imul(hash ^ symbol.charCodeAt(i), 16777619)
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519)
  hash = Math.imul(hash ^ (hash >>> 13), 3266489917)
  hash ^= hash >>> 16
  const unit = (hash >>> 0) / 2 ** 32
  if (whole) return 1 + Math.floor(unit * 9 * scale)
  const value = scale * (0.3 + 2.7 * unit)
  return signs && (hash & 1) === 1 ? -value : value
}

const bentScales = [1, 1, 4, 4, 9, 60, 3000, 3000]

/** Each scale twice, the second time with every sign turned, so that no symbol and no sum stays on one side of 0. */
const bentPoints: readonly Point[] = bentScales.flatMap((scale, i) =>
  [1, -1].map(
    (sign): Point =>
      (symbol) =>
        constants[symbol] ?? sign * valueAt(symbol, trials.length + i, scale, true, false),
  ),
)

const isBent = (part: Expression) => part.kind === 'call' && /^(?:abs|floor|ceil)$/.test(part.name)

/** More points where |x| or ⌊x⌋ is one formula on this side of a value and another on that. */
export function pointsFor(a: Expression, b: Expression): readonly Point[] {
  return some(a, isBent) || some(b, isBent) ? [...points, ...bentPoints] : points
}

function product(from: number, factors: number): number {
  let total = 1
  for (let i = 0; i < factors; i++) total *= from + i
  return total
}

// Lanczos approximation, g = 7, nine terms (Godfrey 2001): about 15 digits.
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const

/** Γ(x), so that factorials of symbols have values at every point; NaN at its poles. */
function gamma(x: number): number {
  if (Number.isInteger(x)) return x > 0 && x < 172 ? product(1, x - 1) : NaN
  if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x))
  const y = x - 1
  const sum = lanczos.reduce(
    (total, coefficient, i) => total + (i === 0 ? coefficient : coefficient / (y + i)),
    0,
  )
  const t = y + 7.5
  return Math.sqrt(2 * Math.PI) * t ** (y + 0.5) * Math.exp(-t) * sum
}
