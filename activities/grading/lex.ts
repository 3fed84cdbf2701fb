/**
 * From answer text (LaTeX, plain, or a mixture) to tokens, in one pass after the replacements of normalise.ts.
 *
 * What carries no mathematics is marked or goes: percent signs and units are remembered, words in `\text{…}` are words, "and"
 * and "or" separate. Whether words are the whole answer is decided by the parser.
 */
import { spend } from './budget.ts'
import { normalise } from './normalise.ts'
import {
  commandAliases,
  currencyCodes,
  functionAliases,
  functionNames,
  gluedFunction,
  scales,
  textCommands,
  transparentCommands,
  unitNames,
  unitSymbols,
} from './words.ts'

export interface Token {
  /** number: digits; letter: a symbol; command: a LaTeX command or known word; text: words; mark: anything else. */
  readonly type: 'number' | 'letter' | 'command' | 'text' | 'mark'
  readonly value: string
}

export interface Lexed {
  readonly tokens: readonly Token[]
  readonly percent: boolean
  /** Words, degree signs and currency that stood beside the mathematics, in order. */
  readonly units: readonly string[]
}

const foreignLetters = 'À-ÖØ-öø-ʯ\\u0300-\\u036fͰ-῿\\u3040-ヿ㐀-鿿가-힣豈-﫿'
const scanner = new RegExp(
  `\\s+|\\\\([a-zA-Z]+)|\\\\([{}%|\\\\&_#$])|(\\d+\\.?\\d*|\\.\\d+)|([a-zA-Z]+(?![a-zA-Z${foreignLetters}])|[a-zA-Z${foreignLetters}]+)|([^])`,
  'y',
)
const foreign = new RegExp(`[${foreignLetters}]`)
const currency = /\p{Sc}/u

/** `grouped`: 1,000 is a thousand, except inside brackets. Otherwise every comma separates. */
export function lex(answer: string, grouped = true): Lexed {
  const text = normalise(answer)
  spend(text.length)
  const out = new Output()
  let depth = 0 // of brackets: in (201,400] a comma separates
  let notGrouped = 0 // up to here commas are known to separate
  scanner.lastIndex = 0
  for (let match = scanner.exec(text); match !== null; match = scanner.exec(text)) {
    const [, command, escaped, digits, letters, other] = match
    const mark = escaped === undefined ? other : `\\${escaped}`
    const from = match.index
    if (command !== undefined && textCommands.has(command)) {
      const group = braced(text, scanner.lastIndex)
      if (group === null) continue
      scanner.lastIndex = group.end
      const inner = /\d/.test(group.content) && !out.endsInIndex() ? mathematicsIn(group.content) : null
      if (inner === null) out.words(group.content, closing.test(text.slice(group.end, group.end + 40)))
      else out.add(lex(inner, grouped))
    } else if (command !== undefined) {
      if (command === 'degree') out.units.push('°')
      if (!transparentCommands.has(command)) out.push('command', commandAliases.get(command) ?? command)
    } else if (digits !== undefined) {
      const end = !grouped || depth > 0 || from < notGrouped ? null : groupedEnd(text, from)
      if (end !== null && end < 0) notGrouped = -end
      if (end !== null && end > 0) scanner.lastIndex = end
      out.push('number', end !== null && end > 0 ? text.slice(from, end).replaceAll(',', '') : digits)
    } else if (letters !== undefined) {
      if (foreign.test(letters)) out.foreign(letters)
      else if (
        currencyCodes.has(letters) &&
        (out.afterNumber() ||
          /^\.?\s*\\?\$?\s*\d/.test(text.slice(from + letters.length, from + letters.length + 20)))
      ) {
        out.units.push(letters.toLowerCase())
        if (text[scanner.lastIndex] === '.') scanner.lastIndex++
      } else {
        const units = out.units.length
        out.letters(letters, text[from - 1] === ' ', text[scanner.lastIndex] === '(')
        if (out.units.length > units && text[scanner.lastIndex] === '.') scanner.lastIndex++ // 5 sq. in.
      }
    } else if (mark === '%' || mark === '\\%') {
      out.percent = true
    } else if (mark === '\\$' || (mark !== undefined && mark > '\x7f' && currency.test(mark))) {
      out.units.push(mark)
    } else if (mark !== undefined && mark !== '$') {
      if (mark === '(' || mark === '[' || mark === '\\{') depth++
      if (mark === ')' || mark === ']' || mark === '\\}') depth--
      out.push('mark', mark)
    }
  }
  return out
}

class Output implements Lexed {
  readonly tokens: Token[] = []
  readonly units: string[] = []
  percent = false

  push(type: Token['type'], value: string): void {
    this.tokens.push({ type, value })
  }

  /** Whether something stands before that a unit or a factor can belong to. */
  #afterOperand(): boolean {
    const last = this.tokens.at(-1)
    if (last === undefined) return false
    if (last.type === 'command')
      return /^(?:pi|infty|alpha|beta|gamma|theta|lambda|mu|phi|omega)$/.test(last.value)
    return last.type !== 'mark' || /^(?:[)\]}!']|\\\})$/.test(last.value)
  }

  /** Words after a number are units, longer words elsewhere are names; shorter runs are products of symbols. */
  letters(run: string, afterSpace: boolean, applied = false): void {
    const lower = run.toLowerCase()
    const glued = applied ? gluedFunction.exec(run) : null
    const joined = /^(?:and|or)(?=[A-Z])/.exec(run)?.[0]
    const root = lower.indexOf('sqrt')
    if (root >= 0 && run.length > 4) {
      for (const part of [run.slice(0, root), 'sqrt', run.slice(root + 4)])
        if (part !== '') this.letters(part, false)
    } else if (joined !== undefined && this.#afterOperand()) {
      this.push('mark', ',')
      this.letters(run.slice(joined.length), false)
    } else if (lower === 'and' || lower === 'or') this.push('mark', ',')
    else if (lower === 'infinity' || lower === 'inf' || lower === 'oo') this.push('command', 'infty')
    else if (lower === 'percent' || lower === 'pct') this.percent = true
    else if (functionNames.has(lower)) this.push('command', lower)
    else if (functionAliases.has(lower)) this.push('command', functionAliases.get(lower) ?? lower)
    else if (glued !== null) {
      this.letters(glued[1]!, false)
      this.push('command', glued[2]!)
    } else if (this.#scale(lower)) return
    else if (run.length > 1 && unitNames.has(lower) && this.#afterOperand()) this.#word(lower)
    else if (afterSpace && (this.tokens.at(-1)?.type === 'text' ? /^[a-z]{2,}$/ : /^[a-z]{4,}$/).test(run))
      this.#word(lower)
    else for (const value of run) this.push('letter', value)
  }

  afterNumber(): boolean {
    return this.tokens.at(-1)?.type === 'number'
  }

  /** After _ or ^, where words are part of a name. */
  endsInIndex(): boolean {
    return /^[_^]$/.test(this.tokens.at(-1)?.value ?? '')
  }

  add({ tokens, percent, units }: Lexed): void {
    this.tokens.push(...tokens)
    this.units.push(...units)
    this.percent ||= percent
  }

  /** Words of other alphabets are units and names; 5 ḿ are words too. */
  foreign(run: string): void {
    this.#word(run)
  }

  /** `closes`: nothing follows that a factor could stand before. */
  words(content: string, closes: boolean): void {
    const words = content.trim()
    if (/^(?:,\s*)?(?:and|or)$/i.test(words)) this.push('mark', ',')
    else if (/^(?:percent|pct|\\?%)$/i.test(words)) this.percent = true
    else if (this.#scale(words.toLowerCase())) return
    else if (/^[A-Za-z]$/.test(words) && !(unitSymbols.has(words) && this.#afterMeasured(closes)))
      this.push('letter', words)
    else if (words !== '') this.#word(words)
  }

  /** After a number or a degree sign, or after a unit; at the end also after a group, a root or a constant. */
  #afterMeasured(closes: boolean): boolean {
    const [last, before] = [this.tokens.at(-1), this.tokens.at(-2)]
    if (last?.type === 'number' || last?.type === 'text' || last?.value === 'degree') return true
    if ((last?.value === '/' || last?.value === '*') && before?.type === 'text') return true
    return closes && this.#afterOperand() && last?.type !== 'letter'
  }

  #word(value: string): void {
    this.units.push(value.toLowerCase())
    this.push('text', value)
  }

  /** 2.5 million is a number. */
  #scale(word: string): boolean {
    const zeros = scales.get(word)
    if (zeros === undefined || this.tokens.at(-1)?.type !== 'number') return false
    this.push('mark', '*')
    this.push('number', `1${'0'.repeat(zeros)}`)
    return true
  }
}

const closing =
  /^\s*(?:\^\s*\{?\s*-?\d\s*\}?\s*)?(?:$|[,;=/.$]|\\(?:approx|text|mathrm|le|ge|ne|pm)(?![a-zA-Z])|[*]\s*\\(?:text|mathrm))/

/** What stands in \text{…} where it is mathematics: 6, (1, 2), 12 cm. Null for words and names, such as A1. */
function mathematicsIn(content: string): string | null {
  const runs = content.replace(/\\[a-zA-Z]+/g, ' ').match(/[^\s\d.,;:+\-*/=()[\]{}<>%$^_|!'"\\]+/g) ?? []
  return /^[\s$({[+-]*[\d.]/.test(content) &&
    runs.every((run) => unitNames.has(run.toLowerCase()) || /^[a-z]$|^(?:and|or|percent)$/.test(run))
    ? content
    : null
}

const groups = /\d{1,3}(?:,\d{3})+/y

/** Where 1,000,000.5 ends; minus where a run that only looks like it does ends (123,456,7 is a list); null for neither. */
function groupedEnd(text: string, start: number): number | null {
  groups.lastIndex = start
  if (!groups.test(text)) return null
  const end = groups.lastIndex
  if (/\d/.test(text[end] ?? '') || (text[end] === ',' && /\d/.test(text[end + 1] ?? ''))) return -end
  const decimals = /^\.\d+/.exec(text.slice(end, end + 50))?.[0] ?? ''
  return end + decimals.length
}

/** The balanced group that begins here, spaces aside. */
function braced(text: string, from: number): { content: string; end: number } | null {
  let start = from
  while (text[start] === ' ') start++
  if (text[start] !== '{') return null
  let depth = 0
  for (let i = start; i < text.length; i++) {
    if (text[i] === '{') depth++
    else if (text[i] === '}' && --depth === 0) return { content: text.slice(start + 1, i), end: i + 1 }
  }
  return null
}
