/** Values of expressions: exact where rationals suffice, else a double at a given point. Neither ever throws. */
import type { Expression } from './expression.ts'
import { add, divide, multiply, power, rational, root, toNumber, type Rational } from './rational.ts'

const largestFactorial = 300n

/** The exact value, or null where there is none or it would not fit the budget. */
export function exact(expression: Expression): Rational | null {
  switch (expression.kind) {
    case 'number':
      return expression.value
    case 'sum':
      return fold(expression.items, add, { n: 0n, d: 1n })
    case 'product':
      return fold(expression.items, multiply, { n: 1n, d: 1n })
    case 'quotient':
      return both(expression.over, expression.under, divide)
    case 'power':
      return both(expression.base, expression.exponent, power)
    case 'call':
      return exactCall(expression.name, expression.items)
    case 'symbol':
    case 'plusMinus':
    case 'list':
    case 'relation':
    case 'text':
      return null
  }
}

function exactCall(name: string, items: readonly Expression[]): Rational | null {
  const [first, second] = items.map(exact)
  if (
    first === undefined ||
    first === null ||
    (items.length > 1 && (second === undefined || second === null))
  )
    return null
  if (name === 'numeral') return first // its digits; the base is compared by the caller
  if (name === 'sqrt') return root(first, 2n)
  if (name === 'root' && second?.d === 1n) return root(first, second.n)
  if (name === 'abs') return { n: first.n < 0n ? -first.n : first.n, d: first.d }
  if (name === 'factorial') return falling(first, first)
  if (name === 'binom' && second && second.n <= largestFactorial && second.n >= 0n) {
    const [top, bottom] = [falling(first, second), falling(second, second)]
    return top && bottom && divide(top, bottom)
  }
  return null
}

/** n (n-1) … (n-k+1) for whole n and k up to a limit. */
function falling({ n, d }: Rational, k: Rational): Rational | null {
  if (d !== 1n || k.d !== 1n || n < 0n || k.n < 0n || k.n > largestFactorial) return null
  let product = 1n
  for (let i = 0n; i < k.n; i++) product *= n - i
  return rational(product)
}

function fold(
  items: readonly Expression[],
  combine: (a: Rational, b: Rational) => Rational | null,
  start: Rational,
): Rational | null {
  let total: Rational | null = start
  for (const item of items) {
    const value = exact(item)
    total = total && value && combine(total, value)
    if (total === null) return null
  }
  return total
}

function both(
  left: Expression,
  right: Expression,
  combine: (a: Rational, b: Rational) => Rational | null,
): Rational | null {
  const [a, b] = [exact(left), exact(right)]
  return a && b && combine(a, b)
}

const functions: Readonly<Record<string, (x: number, second: number | undefined) => number>> = {
  sqrt: (x) => Math.sqrt(x),
  root: (x, degree = 2) => (x < 0 && degree % 2 === 1 ? -((-x) ** (1 / degree)) : x ** (1 / degree)),
  abs: (x) => Math.abs(x),
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  tan: (x) => Math.tan(x),
  cot: (x) => 1 / Math.tan(x),
  sec: (x) => 1 / Math.cos(x),
  csc: (x) => 1 / Math.sin(x),
  arcsin: (x) => Math.asin(x),
  arccos: (x) => Math.acos(x),
  arctan: (x) => Math.atan(x),
  sinh: (x) => Math.sinh(x),
  cosh: (x) => Math.cosh(x),
  tanh: (x) => Math.tanh(x),
  exp: (x) => Math.exp(x),
  ln: (x) => Math.log(x),
  lg: (x) => Math.log10(x),
  // Without a base both conventions occur; ln is what the suites mean.
  log: (x, base) => Math.log(x) / (base === undefined ? 1 : Math.log(base)),
  factorial: (x) => (Number.isInteger(x) && x >= 0 ? product(1, Math.min(x, 200)) : NaN),
  binom: (n, k = NaN) =>
    Number.isInteger(k) && k >= 0 && k < 200 ? product(n - k + 1, n) / product(1, k) : NaN,
}

/** The value where symbols have these values; NaN where it has none. */
export function numeric(expression: Expression, at: (symbol: string) => number): number {
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
      const [first = NaN, second] = expression.items.map((item) => numeric(item, at))
      return functions[expression.name]?.(first, second) ?? NaN
    }
    case 'plusMinus':
    case 'list':
    case 'relation':
    case 'text':
      return NaN
  }
}

function product(from: number, to: number): number {
  let total = 1
  for (let i = from; i <= to; i++) total *= i
  return total
}
