/** Where a parser stands in its tokens. Nesting is capped here, so that no input exhausts the stack. */
import { spend } from './budget.ts'
import type { Token } from './lex.ts'

/** Thrown where tokens are no mathematics this grammar knows; parseAnswer turns it into opaque text. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

const deepest = 60 // nested groups; answers of people and models stay below 15

export class Cursor {
  readonly #tokens: Token[]
  #at = 0
  #depth = 0
  /** In the argument of sin, cos and the like, where a degree sign is a factor and not a unit. */
  inAngle = false
  /** Between bars, or in a set, where the next bar ends something. */
  inBars = false
  /** In a set, where a colon begins the condition. */
  inSet = false

  constructor(tokens: readonly Token[]) {
    this.#tokens = [...tokens]
  }

  get atEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  token(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead]
  }

  peek(ahead = 0): string | undefined {
    return this.#tokens[this.#at + ahead]?.value
  }

  next(): Token {
    spend(1)
    const token = this.#tokens[this.#at++]
    if (token === undefined) throw new Unreadable()
    return token
  }

  /** Whether the next token is this; if so it is consumed. */
  take(value: string): boolean {
    if (this.peek() !== value) return false
    this.#at++
    return true
  }

  expect(...values: readonly string[]): void {
    if (!values.some((value) => this.take(value))) throw new Unreadable()
  }

  /** The first digit of a number token, where LaTeX takes one token: \frac17 is 1/7. */
  takeDigit(): string {
    const { value } = this.next()
    if (value.length > 1) this.#tokens[--this.#at] = { type: 'number', value: value.slice(1) }
    return value[0]!
  }

  nested<T>(parse: () => T): T {
    if (++this.#depth > deepest) throw new Unreadable()
    const result = parse()
    this.#depth-- // not restored after a throw: an unreadable answer is not read on
    return result
  }
}
