/**
 * Recursive descent from tokens to a typed expression. Total: what does not parse, is too long or too deep is text.
 *
 *   answer    = relation {("," | ";") relation}
 *   relation  = union {("=" | "<" | …) union}          union = sum {"\cup" sum}
 *   sum       = [sign] product {sign product}          product = power {["*" | "/"] power}
 *   power     = primary ["!"] ["^" argument]
 */
import { negative, number, print, type Expression } from './expression.ts'
import { lex, rowEnd, type Token } from './lex.ts'
import { rational, type Rational } from './rational.ts'

export interface Answer {
  readonly expression: Expression
  /** A percent sign stood somewhere in it. */
  readonly percent: boolean
}

const longest = 2000 // characters
const deepest = 60 // nested groups

class Unreadable extends Error {}

export function parseAnswer(text: string): Answer {
  const asText: Answer = { expression: { kind: 'text', value: text }, percent: false }
  if (text.length > longest) return asText
  const { tokens, percent } = lex(text.replace(/^\s+|[\s.,;]+$/g, '').replace(/^\\text\{([^{}]*)\}$/, '$1'))
  if (tokens.length === 0 || isWords(tokens)) return asText
  try {
    return { expression: new Parser(withoutUnits(tokens)).answer(), percent }
  } catch (error) {
    if (error instanceof Unreadable) return asText
    throw error
  }
}

/** Nothing but words: "east", "no solution". One or two letters are symbols. */
function isWords(tokens: readonly Token[]): boolean {
  const plain = tokens.every(
    ({ type, value }) => type === 'text' || type === 'letter' || /^[-',.()]$/.test(value),
  )
  const letters = tokens.filter(({ type }) => type === 'letter').length
  return plain && (letters > 2 || tokens.some(({ type }) => type === 'text')) && !tokens.some(isSeparator)
}
const isSeparator = ({ type, value }: Token) => type === 'mark' && value === ','

/** Words beside mathematics are units, and so is a power of them. */
function withoutUnits(tokens: readonly Token[]): Token[] {
  const kept: Token[] = []
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]!.type !== 'text') {
      kept.push(tokens[i]!)
    } else if (tokens[i + 1]?.value === '^') {
      i += tokens[i + 2]?.value === '{' ? 4 : 2
    }
  }
  return kept
}

const relations: Readonly<Record<string, string>> = {
  '=': '=',
  '<': '<',
  '>': '>',
  le: '≤',
  ge: '≥',
  ne: '≠',
  neq: '≠',
  in: '∈',
  approx: '≈',
  equiv: '=',
  lt: '<',
  gt: '>',
  to: '→',
  rightarrow: '→',
}
const functions: ReadonlySet<string> = new Set(
  'sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp'.split(' '),
)
const closers: Readonly<Record<string, readonly string[]>> = {
  '(': [')', ']'],
  '[': [']', ')'],
  '\\{': ['\\}'],
  '{': ['}'],
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  answer(): Expression {
    const items = this.#items()
    if (this.#at < this.#tokens.length) throw new Unreadable()
    return items.length === 1 ? items[0]! : { kind: 'list', open: '', close: '', items }
  }

  #peek(ahead = 0): string | undefined {
    return this.#tokens[this.#at + ahead]?.value
  }

  #next(): Token {
    const token = this.#tokens[this.#at++]
    if (token === undefined) throw new Unreadable()
    return token
  }

  #take(value: string): boolean {
    if (this.#peek() !== value) return false
    this.#at++
    return true
  }

  #items(): Expression[] {
    const items = [this.#relation()]
    while (this.#peek() === ',' || this.#peek() === ';') {
      while (this.#take(',') || this.#take(';'));
      if (this.#peek() === undefined) break
      items.push(this.#relation())
    }
    return items
  }

  #relation(): Expression {
    const items = [this.#ratio()]
    const operators: string[] = []
    for (let name = relations[this.#peek() ?? '']; name !== undefined; name = relations[this.#peek() ?? '']) {
      this.#at++
      operators.push(name)
      items.push(this.#ratio())
    }
    return operators.length === 0 ? items[0]! : { kind: 'relation', operators, items }
  }

  #ratio(): Expression {
    const items = [this.#union()]
    while (this.#take(':')) items.push(this.#union())
    return items.length === 1 ? items[0]! : { kind: 'list', open: ':', close: '', items }
  }

  #union(): Expression {
    const items = [this.#sum()]
    while (this.#take('cup')) items.push(this.#sum())
    return items.length === 1 ? items[0]! : { kind: 'list', open: '∪', close: '', items }
  }

  #sum(): Expression {
    const items: Expression[] = []
    do {
      let sign = (item: Expression) => item
      let signs = 0
      for (;;) {
        const before = sign
        if (this.#take('-')) sign = (item) => before(negative(item))
        else if (this.#take('pm')) sign = (item) => before({ kind: 'plusMinus', of: item, flip: false })
        else if (this.#take('mp')) sign = (item) => before({ kind: 'plusMinus', of: item, flip: true })
        else if (!this.#take('+')) break
        if (++signs > 4) throw new Unreadable()
      }
      items.push(sign(this.#product()))
    } while (['+', '-', 'pm', 'mp'].includes(this.#peek() ?? ''))
    return items.length === 1 ? items[0]! : { kind: 'sum', items }
  }

  #product(): Expression {
    let result = this.#power()
    for (;;) {
      if (this.#take('*')) {
        result = { kind: 'product', items: [result, this.#signed()] }
      } else if (this.#take('/')) {
        result = { kind: 'quotient', over: result, under: this.#signed() }
      } else if (this.#begins()) {
        const whole = result.kind === 'number' && result.value.d === 1n
        const literal = this.#tokens[this.#at]!.type === 'number'
        const fraction = literal || this.#peek() === 'frac'
        const next = this.#power()
        // 2\frac13 and 2 1/3 are mixed numbers; two numbers side by side are otherwise nothing.
        const part =
          literal && this.#take('/') ? { kind: 'quotient' as const, over: next, under: this.#power() } : next
        if (whole && fraction && isProperFraction(part)) result = { kind: 'sum', items: [result, part] }
        else if (literal && result.kind === 'number') throw new Unreadable()
        else result = { kind: 'product', items: [result, part] }
      } else {
        return result
      }
    }
  }

  #signed(): Expression {
    return this.#take('-') ? negative(this.#power()) : this.#power()
  }

  /** Whether another factor follows without a sign. */
  #begins(): boolean {
    const token = this.#tokens[this.#at]
    if (token === undefined) return false
    if (token.type === 'command')
      return relations[token.value] === undefined && !['pm', 'mp', 'cup', 'end'].includes(token.value)
    return token.type !== 'mark' || ['(', '[', '{', '\\{'].includes(token.value)
  }

  #power(): Expression {
    let base = this.#primary()
    for (;;) {
      if (this.#take('!')) {
        base = { kind: 'call', name: 'factorial', items: [base] }
      } else if (this.#take('^')) {
        base = { kind: 'power', base, exponent: this.#argument() }
      } else if (this.#peek() === '_' || this.#peek() === '\\_') {
        this.#at++
        const index = this.#argument()
        if (base.kind === 'symbol') base = { kind: 'symbol', name: `${base.name}_${print(index)}` }
        else if (base.kind === 'number') base = { kind: 'call', name: 'numeral', items: [base, index] }
        else throw new Unreadable()
      } else {
        return base
      }
    }
  }

  /** What a command or an exponent takes: a braced group, or one token (\frac17 is 1/7). */
  #argument(): Expression {
    if (this.#take('-')) return negative(this.#argument())
    const token = this.#tokens[this.#at]
    if (token?.type === 'number' && token.value.length > 1 && this.#splits()) return this.#digit()
    return this.#primary()
  }

  #splits(): boolean {
    const before = this.#tokens[this.#at - 1]
    return before?.value === 'frac' || before?.value === 'binom'
  }

  #digit(): Expression {
    const { value } = this.#tokens[this.#at]!
    const rest = value.slice(1)
    ;(this.#tokens as Token[])[this.#at] = { type: 'number', value: rest }
    return literal(value[0]!)
  }

  #primary(): Expression {
    if (++this.#depth > deepest) throw new Unreadable()
    try {
      const token = this.#next()
      if (token.type === 'number') return this.#number(token.value)
      if (token.type === 'letter') return { kind: 'symbol', name: token.value }
      if (token.type === 'command') return this.#command(token.value)
      if (token.value === '|') {
        const inside = this.#sum()
        if (!this.#take('|')) throw new Unreadable()
        return { kind: 'call', name: 'abs', items: [inside] }
      }
      return this.#group(token.value)
    } finally {
      this.#depth--
    }
  }

  /** 0.1\overline{6}: the digits under the line repeat for ever. */
  #number(text: string): Expression {
    if (!text.includes('.') || this.#peek() !== 'overline') return literal(text)
    this.#at++
    if (!this.#take('{')) throw new Unreadable()
    const repeating = this.#next().value
    if (!/^\d+$/.test(repeating) || !this.#take('}')) throw new Unreadable()
    const decimals = text.length - text.indexOf('.') - 1
    const shift = 10n ** BigInt(decimals)
    const whole = BigInt(text.replace('.', '') || '0')
    const nines = 10n ** BigInt(repeating.length) - 1n
    return number(required(rational(whole * nines + BigInt(repeating), shift * nines)))
  }

  #group(open: string): Expression {
    const ends = closers[open]
    if (ends === undefined) throw new Unreadable()
    if (ends.includes(this.#peek() ?? '')) {
      this.#at++
      return { kind: 'list', open: '{', close: '}', items: [] }
    }
    const items = this.#items()
    const { value: close } = this.#next()
    if (!ends.includes(close)) throw new Unreadable()
    const transparent = open === '{' || (open === '(' && close === ')')
    if (items.length === 1 && transparent) return items[0]!
    const set = open === '{' || open === '\\{'
    return { kind: 'list', open: set ? '{' : open, close: set ? '}' : close, items }
  }

  #command(name: string): Expression {
    if (name === 'pi' || name === 'infty') return { kind: 'symbol', name }
    if (name === 'emptyset' || name === 'varnothing')
      return { kind: 'list', open: '{', close: '}', items: [] }
    if (name === 'frac') return { kind: 'quotient', over: this.#argument(), under: this.#argument() }
    if (name === 'binom') return { kind: 'call', name, items: [this.#argument(), this.#argument()] }
    if (name === 'sqrt') {
      const degree = this.#take('[') ? this.#sum() : null
      if (degree !== null && !this.#take(']')) throw new Unreadable()
      const of = this.#argument()
      return degree === null
        ? { kind: 'call', name, items: [of] }
        : { kind: 'call', name: 'root', items: [of, degree] }
    }
    if (functions.has(name)) return this.#function(name)
    if (name === 'begin') return this.#matrix()
    if (name === 'lvert' || name === 'vert') {
      const inside = this.#sum()
      if (!this.#take('rvert') && !this.#take('vert')) throw new Unreadable()
      return { kind: 'call', name: 'abs', items: [inside] }
    }
    if (
      /^(?:overline|overrightarrow|hat|bar|widehat|overset|underset|ldots|cdots|dots|cap|setminus|mid|frac|end)$/.test(
        name,
      )
    )
      throw new Unreadable()
    return { kind: 'symbol', name: `\\${name}` } // a Greek letter
  }

  /** \sin^2 x, \log_2 8, \ln(x + 1); without brackets the argument is a run of factors. */
  #function(name: string): Expression {
    const base = this.#take('_') ? this.#argument() : null
    const exponent = this.#take('^') ? this.#argument() : null
    let of = this.#peek() === '(' || this.#peek() === '{' ? this.#primary() : this.#power()
    while (['number', 'letter'].includes(this.#tokens[this.#at]?.type ?? ''))
      of = { kind: 'product', items: [of, this.#power()] }
    const call: Expression = { kind: 'call', name, items: base === null ? [of] : [of, base] }
    return exponent === null ? call : { kind: 'power', base: call, exponent }
  }

  #matrix(): Expression {
    const name = this.#environment()
    if (name === 'array' && this.#take('{')) while (!this.#take('}')) this.#next()
    const rows: Expression[] = []
    do {
      if (this.#peek() === 'end') break
      const items = [this.#relation()]
      while (this.#take('&')) items.push(this.#relation())
      rows.push({ kind: 'list', open: 'row', close: '', items })
    } while (this.#take(rowEnd))
    if (!this.#take('end') || this.#environment() !== name) throw new Unreadable()
    return { kind: 'list', open: 'matrix', close: '', items: rows }
  }

  #environment(): string {
    if (!this.#take('{')) throw new Unreadable()
    let name = ''
    while (!this.#take('}')) name += this.#next().value
    return name
  }
}

function literal(text: string): Expression {
  const [whole = '', decimals = ''] = text.split('.')
  return number(required(rational(BigInt(whole + decimals || '0'), 10n ** BigInt(decimals.length))))
}

function required(value: Rational | null): Rational {
  if (value === null) throw new Unreadable()
  return value
}

function isProperFraction(part: Expression): boolean {
  if (part.kind !== 'quotient' || part.over.kind !== 'number' || part.under.kind !== 'number') return false
  const [over, under] = [part.over.value, part.under.value]
  return over.d === 1n && under.d === 1n && over.n > 0n && over.n < under.n
}
