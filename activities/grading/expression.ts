/** What an answer is, once read. Everything not understood stays text. */
import type { Rational } from './rational.ts'

export type Expression =
  /** `digits`: how many significant ones a decimal was written with. */
  | { readonly kind: 'number'; readonly value: Rational; readonly digits?: number }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'sum'; readonly items: readonly Expression[] }
  | { readonly kind: 'product'; readonly items: readonly Expression[] }
  | { readonly kind: 'quotient'; readonly over: Expression; readonly under: Expression }
  | { readonly kind: 'power'; readonly base: Expression; readonly exponent: Expression }
  /** sqrt, root, sin, log, factorial, binom, abs, …; for log and root the second argument is base or degree. */
  | { readonly kind: 'call'; readonly name: string; readonly items: readonly Expression[] }
  /** ± x; the sign is the same wherever an answer has several. `flip` is ∓. */
  | { readonly kind: 'plusMinus'; readonly of: Expression; readonly flip: boolean }
  /** Brackets as written: '' for a bare list, '{', '(', '[', '∪' for a union, 'matrix', ':' for a ratio. */
  | {
      readonly kind: 'list'
      readonly open: string
      readonly close: string
      readonly items: readonly Expression[]
    }
  | {
      readonly kind: 'relation'
      readonly operators: readonly string[]
      readonly items: readonly Expression[]
    }
  | { readonly kind: 'text'; readonly value: string }

export const number = (value: Rational): Expression => ({ kind: 'number', value })

export function negative(of: Expression): Expression {
  if (of.kind === 'number') return { ...of, value: { n: -of.value.n, d: of.value.d } }
  return { kind: 'product', items: [number({ n: -1n, d: 1n }), of] }
}

/** One text for one structure, whatever the order of sums and products. */
export function print(expression: Expression): string {
  switch (expression.kind) {
    case 'number':
      return expression.value.d === 1n
        ? `${expression.value.n}`
        : `${expression.value.n}/${expression.value.d}`
    case 'symbol':
      return expression.name
    case 'sum':
    case 'product':
      return `${expression.kind}(${expression.items.map(print).sort().join(' ')})`
    case 'quotient':
      return `(${print(expression.over)} / ${print(expression.under)})`
    case 'power':
      return `(${print(expression.base)} ^ ${print(expression.exponent)})`
    case 'call':
      return `${expression.name}(${expression.items.map(print).join(', ')})`
    case 'plusMinus':
      return `${expression.flip ? '∓' : '±'}${print(expression.of)}`
    case 'list':
      return `${expression.open}${expression.items.map(print).join(', ')}${expression.close}`
    case 'relation':
      return expression.items.map((item, i) => print(item) + (expression.operators[i] ?? '')).join('')
    case 'text':
      return JSON.stringify(expression.value)
  }
}

/** Direct parts, in order. */
export function parts(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'number':
    case 'symbol':
    case 'text':
      return []
    case 'sum':
    case 'product':
    case 'call':
    case 'list':
    case 'relation':
      return expression.items
    case 'quotient':
      return [expression.over, expression.under]
    case 'power':
      return [expression.base, expression.exponent]
    case 'plusMinus':
      return [expression.of]
  }
}

export const some = (expression: Expression, test: (part: Expression) => boolean): boolean =>
  test(expression) || parts(expression).some((part) => some(part, test))

/** The same expression with its direct parts replaced. */
export function mapParts(expression: Expression, change: (part: Expression) => Expression): Expression {
  switch (expression.kind) {
    case 'number':
    case 'symbol':
    case 'text':
      return expression
    case 'sum':
    case 'product':
    case 'call':
    case 'list':
    case 'relation':
      return { ...expression, items: expression.items.map(change) }
    case 'quotient':
      return { ...expression, over: change(expression.over), under: change(expression.under) }
    case 'power':
      return { ...expression, base: change(expression.base), exponent: change(expression.exponent) }
    case 'plusMinus':
      return { ...expression, of: change(expression.of) }
  }
}

/** All items' values combined from `start` on; null as soon as a value or a combination is. */
export function fold<T>(
  items: readonly Expression[],
  valueOf: (item: Expression) => T | null,
  combine: (a: T, b: T) => T | null,
  start: T,
): T | null {
  let total: T | null = start
  for (const item of items) {
    const value: T | null = valueOf(item)
    total = value === null ? null : combine(total, value)
    if (total === null) return null
  }
  return total
}

export type List = Extract<Expression, { kind: 'list' }>
export type Relation = Extract<Expression, { kind: 'relation' }>
