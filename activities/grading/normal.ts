/**
 * Normal forms: polynomials with rational coefficients in atoms, which are symbols, primes under a root and whatever else is
 * not a polynomial. √8 and 2√2, (x+1)² and x²+2x+1, 2·3^{-174762.67}/2 and 3^{-174762.67} have one normal form each.
 *
 * Equal forms are equal values. Forms whose difference is one term of nonzero constants are different values, however
 * small the difference is beside them (2018!+1 and 2018!). Between the two, sampling decides. Left out: division of
 * polynomials, and roots of anything that may be negative.
 */
import { spend } from './budget.ts'
import { exact } from './evaluate.ts'
import { fold, type Expression } from './expression.ts'
import { add, multiply, power as raise, type Rational } from './rational.ts'

interface Term {
  readonly coefficient: Rational
  /** Atom to exponent; an atom that starts with # is the prime after it. */
  readonly factors: ReadonlyMap<string, Rational>
}

/** Terms by the text of their factors; none for zero. */
export type Polynomial = ReadonlyMap<string, Term>

const mostTerms = 120
const largestExpansion = 8 // of a sum's power
const largestCarry = 256 // whole exponents of primes beyond it stay exponents
const one: Rational = { n: 1n, d: 1n }
const none: ReadonlyMap<string, never> = new Map<string, never>()

/** The normal form, or null for what has no value, grows beyond the caps or divides by zero. */
export function normalForm(expression: Expression): Polynomial | null {
  spend(4)
  switch (expression.kind) {
    case 'number':
      return constant(expression.value)
    case 'symbol':
      return atom(expression.name)
    case 'sum':
      return fold(expression.items, normalForm, plus, constant({ n: 0n, d: 1n }))
    case 'product':
      return fold(expression.items, normalForm, times, constant(one))
    case 'quotient': {
      const [over, under] = [normalForm(expression.over), normalForm(expression.under)]
      const inverse = under && powered(under, { n: -1n, d: 1n })
      return over && inverse && times(over, inverse)
    }
    case 'power': {
      const base = normalForm(expression.base)
      const exponent = exact(expression.exponent)
      if (base === null) return null
      if (exponent !== null) return powered(base, exponent)
      const above = normalForm(expression.exponent)
      return above && atom(`(${text(base)})^(${text(above)})`)
    }
    case 'call':
      return called(expression.name, expression.items)
    case 'plusMinus':
    case 'list':
    case 'relation':
    case 'text':
      return null
  }
}

/** One text for one normal form. */
export function text(polynomial: Polynomial): string {
  return [...polynomial]
    .map(
      ([
        key,
        {
          coefficient: { n, d },
        },
      ]) => `${n}/${d}${key}`,
    )
    .sort()
    .join(' + ')
}

/** Whether two different forms are surely different values: terms of independent atoms, or one term that cannot vanish. */
export function surelyDifferent(a: Polynomial, b: Polynomial): boolean {
  const difference = plus(a, scaled(b, { n: -1n, d: 1n }))
  if (difference === null) return false
  if (isIndependent(difference)) return difference.size > 0
  const [term] = difference.values()
  const nonzero = (name: string) => /^(?:#\d+|pi|e|i|(?:factorial|binom)\([\d/, ]+\))$/.test(name)
  return difference.size === 1 && [...(term?.factors.keys() ?? [])].every(nonzero)
}

/**
 * Whether different terms are linearly independent over the rationals, so that no sum of them vanishes: symbols, π, e and i
 * to whole powers, and roots of primes (Besicovitch 1940), which atoms below the square of the largest divisor tried are.
 */
export function isIndependent(polynomial: Polynomial): boolean {
  const independent = ([name, { n, d }]: readonly [string, Rational]) =>
    name.startsWith('#')
      ? BigInt(name.slice(1)) < largestDivisor ** 2n && n > 0n && n < d
      : d === 1n && !name.includes('(')
  return [...polynomial.values()].every(({ factors }) => [...factors].every(independent))
}

/** Divided by the coefficient of the first term in the order of their texts: equations are one up to such a factor. */
export function monic(
  polynomial: Polynomial,
): { readonly form: Polynomial; readonly factor: Rational } | null {
  const first = [...polynomial.keys()].sort()[0]
  const factor = first === undefined ? undefined : polynomial.get(first)?.coefficient
  if (factor === undefined) return null
  const form = times(
    polynomial,
    constant(factor.n > 0n ? { n: factor.d, d: factor.n } : { n: -factor.d, d: -factor.n }),
  )
  return form && { form, factor }
}

function called(name: string, items: readonly Expression[]): Polynomial | null {
  const [of, by] = items
  if (of === undefined) return null
  const inside = normalForm(of)
  if (inside === null) return null
  if (name === 'sqrt') return powered(inside, { n: 1n, d: 2n })
  const degree = name === 'root' && by !== undefined ? exact(by) : null
  if (degree !== null && degree.d === 1n && degree.n > 0n) return powered(inside, { n: 1n, d: degree.n })
  const value = name === 'numeral' ? null : exact({ kind: 'call', name, items })
  if (value !== null) return constant(value)
  if (name === 'exp') return atom(`(1/1 e^1/1)^(${text(inside)})`)
  const rest = items.slice(1).map(normalForm)
  if (rest.some((form) => form === null)) return null
  return atom(`${name}(${[inside, ...rest].map((form) => text(form ?? none)).join(', ')})`)
}

function powered(base: Polynomial, exponent: Rational): Polynomial | null {
  const [term] = base.values()
  if (base.size === 1 && term !== undefined) {
    const whole = exponent.d === 1n
    const positive =
      term.coefficient.n > 0n && [...term.factors.keys()].every((name) => /^(?:#\d+|pi|e)$/.test(name))
    if (whole || positive) return termPowered(term, exponent)
  }
  if (base.size === 0) return exponent.n > 0n ? base : null
  const small = exponent.d === 1n && exponent.n > 0n && exponent.n <= BigInt(largestExpansion)
  if (!small) return opaque(base, exponent)
  let result: Polynomial | null = base
  for (let i = 1n; i < exponent.n && result !== null; i++) result = times(result, base)
  return result ?? opaque(base, exponent)
}

function termPowered({ coefficient, factors }: Term, exponent: Rational): Polynomial | null {
  const raised = new Map<string, Rational>()
  for (const [name, old] of factors) {
    const product = multiply(old, exponent)
    if (product === null) return null
    raised.set(name, product)
  }
  const value = exponent.d === 1n ? raise(coefficient, exponent) : null
  if (value !== null) return single(value, raised)
  if (coefficient.n < 0n) return opaque(constant(coefficient), exponent)
  for (const [prime, count] of [...primes(coefficient.n, 1n), ...primes(coefficient.d, -1n)]) {
    const more = multiply({ n: count, d: 1n }, exponent)
    const total = more && add(raised.get(`#${prime}`) ?? { n: 0n, d: 1n }, more)
    if (total === null) return null
    raised.set(`#${prime}`, total)
  }
  return single(one, raised)
}

const largestDivisor = 1000n // a cofactor without smaller divisors stays one atom

function primes(value: bigint, sign: bigint): [bigint, bigint][] {
  const found: [bigint, bigint][] = []
  let rest = value
  for (let divisor = 2n; divisor <= largestDivisor && divisor * divisor <= rest; divisor++) {
    spend(1)
    let count = 0n
    for (; rest % divisor === 0n; count++) rest /= divisor
    if (count > 0n) found.push([divisor, sign * count])
  }
  if (rest > 1n) found.push([rest, sign])
  return found
}

function constant(value: Rational): Polynomial {
  return new Map(value.n === 0n ? [] : [['', { coefficient: value, factors: none }]])
}

function atom(name: string, exponent = one): Polynomial {
  return single(one, new Map([[name, exponent]])) ?? new Map<string, Term>()
}

const opaque = (base: Polynomial, exponent: Rational) => atom(`(${text(base)})`, exponent)

/** One term, with i² = -1 and whole powers of primes carried into the coefficient. */
function single(coefficient: Rational, factors: ReadonlyMap<string, Rational>): Polynomial | null {
  let value: Rational | null = coefficient
  const kept: [string, Rational][] = []
  for (const [name, exponent] of factors) {
    let rest = exponent
    if (name.startsWith('#')) {
      const whole =
        exponent.n >= 0n ? exponent.n / exponent.d : -((-exponent.n + exponent.d - 1n) / exponent.d)
      if (whole <= BigInt(largestCarry) && whole >= -BigInt(largestCarry)) {
        const carried = raise({ n: BigInt(name.slice(1)), d: 1n }, { n: whole, d: 1n })
        value = value && carried && multiply(value, carried)
        rest = { n: exponent.n - whole * exponent.d, d: exponent.d }
      }
    } else if (name === 'i' && exponent.d === 1n) {
      const turns = ((exponent.n % 4n) + 4n) % 4n
      if (turns >= 2n) value = value && multiply(value, { n: -1n, d: 1n })
      rest = { n: turns % 2n, d: 1n }
    }
    if (rest.n !== 0n) kept.push([name, rest])
  }
  if (value === null) return null
  if (value.n === 0n) return new Map()
  kept.sort(([a], [b]) => (a < b ? -1 : 1))
  const key = kept.map(([name, { n, d }]) => ` ${name}^${n}/${d}`).join('')
  spend(1 + key.length / 8)
  return new Map([[key, { coefficient: value, factors: new Map(kept) }]])
}

function plus(a: Polynomial, b: Polynomial): Polynomial | null {
  const sum = new Map(a)
  for (const [key, term] of b) {
    spend(2)
    const old = sum.get(key)
    const coefficient = old === undefined ? term.coefficient : add(old.coefficient, term.coefficient)
    if (coefficient === null) return null
    if (coefficient.n === 0n) sum.delete(key)
    else sum.set(key, { coefficient, factors: term.factors })
  }
  return sum.size > mostTerms ? null : sum
}

function scaled(a: Polynomial, by: Rational): Polynomial {
  return times(a, constant(by)) ?? new Map<string, Term>()
}

function times(a: Polynomial, b: Polynomial): Polynomial | null {
  if (a.size * b.size > mostTerms) return null
  let total: Polynomial | null = new Map()
  for (const left of a.values()) {
    for (const right of b.values()) {
      const factors = new Map(left.factors)
      for (const [name, exponent] of right.factors) {
        const sum = add(factors.get(name) ?? { n: 0n, d: 1n }, exponent)
        if (sum === null) return null
        factors.set(name, sum)
      }
      const coefficient = multiply(left.coefficient, right.coefficient)
      const product = coefficient && single(coefficient, factors)
      total = product && plus(total, product)
      if (total === null) return null
    }
  }
  return total
}
