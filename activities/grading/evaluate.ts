/** Exact values of expressions, where rationals within the budget of rational.ts suffice. Never throws but for the budget. */
import { spend } from './budget.ts'
import { fold, type Expression } from './expression.ts'
import { add, budget, divide, multiply, power, rational, root, size, type Rational } from './rational.ts'

const largestFactorial = 300n // beyond it 300! alone has 2042 bits

/** The exact value, or null where there is none or it would not fit the budget. */
export function exact(expression: Expression): Rational | null {
  spend(1)
  switch (expression.kind) {
    case 'number':
      return expression.value
    case 'sum':
      return fold(expression.items, exact, add, { n: 0n, d: 1n })
    case 'product':
      return fold(expression.items, exact, multiply, { n: 1n, d: 1n })
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
  const [of, by] = items
  const first = of === undefined ? null : exact(of)
  if (first === null) return null
  if (name === 'numeral') return first // its digits; the base is compared by the caller
  const second = by === undefined ? undefined : exact(by)
  if (second === null) return null
  if (name === 'sqrt') return root(first, 2n)
  if (name === 'root' && second?.d === 1n) return root(first, second.n)
  if (name === 'abs') return { n: first.n < 0n ? -first.n : first.n, d: first.d }
  if (name === 'floor') return rational(floor(first))
  if (name === 'ceil') return rational(-floor({ n: -first.n, d: first.d }))
  if (name === 'factorial') return falling(first, first)
  if (name === 'binom' && second && second.n <= largestFactorial && second.n >= 0n) {
    const [top, bottom] = [falling(first, second), falling(second, second)]
    return top && bottom && divide(top, bottom)
  }
  if (name === 'log' && second !== undefined) return logarithm(first, second)
  return null
}

function floor({ n, d }: Rational): bigint {
  return n >= 0n || n % d === 0n ? n / d : n / d - 1n
}

/** log_b a for whole powers: log_2 8 = 3, log_2 (1/8) = -3. */
function logarithm(a: Rational, base: Rational): Rational | null {
  if (base.d !== 1n || base.n < 2n || a.n <= 0n || (a.n !== 1n && a.d !== 1n)) return null
  let rest = a.n === 1n ? a.d : a.n
  let exponent = 0n
  for (; rest % base.n === 0n; exponent++) rest /= base.n
  spend(Number(exponent))
  return rest === 1n ? { n: a.n === 1n ? -exponent : exponent, d: 1n } : null
}

/** n (n-1) … (n-k+1) for whole n and k up to a limit. */
function falling({ n, d }: Rational, k: Rational): Rational | null {
  if (d !== 1n || k.d !== 1n || n < 0n || k.n < 0n || k.n > largestFactorial) return null
  if (BigInt(size(n)) * k.n > BigInt(2 * budget)) return null
  spend(10 * Number(k.n))
  let product = 1n
  for (let i = 0n; i < k.n; i++) product *= n - i
  return rational(product)
}

function both(
  left: Expression,
  right: Expression,
  combine: (a: Rational, b: Rational) => Rational | null,
): Rational | null {
  const a = exact(left)
  if (a === null) return null
  const b = exact(right)
  return b && combine(a, b)
}
