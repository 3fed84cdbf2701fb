/** Exact rationals on BigInt under a budget of bits: what would not fit is null, and the caller compares another way. */
import { spend } from './budget.ts'

export interface Rational {
  readonly n: bigint
  readonly d: bigint // > 0, in lowest terms
}

export const budget = 4096 // bits of a numerator or denominator; 9^{9^9} must not be tried

const fitsDouble = 1n << 52n

/** Bits of a magnitude, rounded up to hexadecimal digits above 2^52. */
export function size(value: bigint): number {
  if (value < fitsDouble && value > -fitsDouble) return Math.ceil(Math.log2(Math.abs(Number(value)) + 1))
  return value.toString(16).length * 4
}

export function rational(n: bigint, d: bigint = 1n): Rational | null {
  const bits = size(n) + size(d)
  spend(1 + bits / 4)
  if (d === 0n || bits > 2 * budget) return null
  const divisor = gcd(n < 0n ? -n : n, d < 0n ? -d : d) * (d < 0n ? -1n : 1n)
  return { n: n / divisor, d: d / divisor }
}

export const add = (a: Rational, b: Rational) => rational(a.n * b.d + b.n * a.d, a.d * b.d)
export const multiply = (a: Rational, b: Rational) => rational(a.n * b.n, a.d * b.d)
export const divide = (a: Rational, b: Rational) => rational(a.n * b.d, a.d * b.n)
export const equal = (a: Rational, b: Rational) => a.n === b.n && a.d === b.d

/** a^b for integer b; for b = p/q only where the root is exact. */
export function power(a: Rational, b: Rational): Rational | null {
  if (b.d !== 1n) {
    const r = root(a, b.d)
    return r === null ? null : power(r, { n: b.n, d: 1n })
  }
  const exponent = b.n < 0n ? -b.n : b.n
  // By the size of the result alone, so that 2^5000 and 4^2500 are both tried or both not.
  const bits = Math.max(logarithm(a.n), logarithm(a.d)) * Number(exponent)
  if (bits > budget) return null
  const raised = rational(a.n ** exponent, a.d ** exponent)
  return raised !== null && b.n < 0n ? rational(raised.d, raised.n) : raised
}

/** log2 of a magnitude; -Infinity only for 0, whose powers are small. */
function logarithm(value: bigint): number {
  const shift = Math.max(0, size(value) - 64)
  return shift + Math.log2(Math.abs(Number(value >> BigInt(shift))))
}

/** The exact q-th root, or null. Odd roots of negative numbers are negative. */
export function root(a: Rational, q: bigint): Rational | null {
  if (q < 1n || q > 64n) return null
  if (a.n < 0n) {
    if (q % 2n === 0n) return null
    const positive = root({ n: -a.n, d: a.d }, q)
    return positive && { n: -positive.n, d: positive.d }
  }
  const n = integerRoot(a.n, q)
  const d = integerRoot(a.d, q)
  return n === null || d === null ? null : { n, d }
}

/** By bisection on bits: at most `budget` steps. */
function integerRoot(value: bigint, q: bigint): bigint | null {
  spend(2 * size(value) + size(value) ** 2 / 400) // a power of that size for each bit of the root
  let low = 0n
  let high = 1n << (BigInt(size(value)) / q + 1n)
  while (low < high) {
    const middle = (low + high + 1n) / 2n
    if (middle ** q <= value) low = middle
    else high = middle - 1n
  }
  return low ** q === value ? low : null
}

export function toNumber({ n, d }: Rational): number {
  const [top, bottom] = [Number(n), Number(d)]
  if (Number.isFinite(top) && Number.isFinite(bottom)) return top / bottom
  const shift = BigInt(Math.max(0, Math.max(size(n), size(d)) - 900)) // keeps the ratio, drops common bits
  return Number(n >> shift) / Number(d >> shift)
}

function gcd(a: bigint, b: bigint): bigint {
  while (b >= fitsDouble) [a, b] = [b, a % b]
  if (b === 0n) return a
  let [x, y] = [Number(b), Number(a % b)] // doubles are several times faster and exact here
  while (y !== 0) [x, y] = [y, x % y]
  return BigInt(x)
}
