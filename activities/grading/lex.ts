/**
 * From answer text (LaTeX, plain, or a mixture) to tokens, in one pass after the replacements of normalise.ts.
 *
 * What carries no mathematics is marked or goes: percent signs and units are remembered, words in `\text{…}` are words, "and"
 * and "or" separate. Whether words are the whole answer is decided by the parser.
 */
import { spend } from './budget.ts'
import { normalise } from './normalise.ts'
import { functionNames, scales, textCommands, transparentCommands, unitNames, unitSymbols } from './words.ts'

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

const scanner = /\s+|\\([a-zA-Z]+)|\\([{}%|\\&_#$])|(\d+\.?\d*|\.\d+)|([a-zA-Z]+)|([^])/y

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
      out.words(group.content)
    } else if (command !== undefined) {
      if (command === 'degree') out.units.push('°')
      if (!transparentCommands.has(command)) out.push('command', command)
    } else if (digits !== undefined) {
      const end = !grouped || depth > 0 || from < notGrouped ? null : groupedEnd(text, from)
      if (end !== null && end < 0) notGrouped = -end
      if (end !== null && end > 0) scanner.lastIndex = end
      out.push('number', end !== null && end > 0 ? text.slice(from, end).replaceAll(',', '') : digits)
    } else if (letters !== undefined) {
      out.letters(letters, text[from - 1] === ' ')
    } else if (mark === '%' || mark === '\\%') {
      out.percent = true
    } else if (mark === '\\$' || mark === '€' || mark === '£') {
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
  letters(run: string, afterSpace: boolean): void {
    const lower = run.toLowerCase()
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
    else if (this.#scale(lower)) return
    else if (run.length > 1 && unitNames.has(lower) && this.#afterOperand()) this.#word(lower)
    else if (afterSpace && (this.tokens.at(-1)?.type === 'text' ? /^[a-z]{2,}$/ : /^[a-z]{4,}$/).test(run))
      this.#word(lower)
    else for (const value of run) this.push('letter', value)
  }

  words(content: string): void {
    const words = content.trim()
    if (/^(?:,\s*)?(?:and|or)$/i.test(words)) this.push('mark', ',')
    else if (/^(?:percent|pct|\\?%)$/i.test(words)) this.percent = true
    else if (this.#scale(words.toLowerCase())) return
    else if (/^[A-Za-z]$/.test(words) && !(this.tokens.at(-1)?.type === 'number' && unitSymbols.has(words)))
      this.push('letter', words)
    else if (words !== '') this.#word(words)
  }

  #word(value: string): void {
    this.units.push(value.toLowerCase())
    this.push('text', value)
  }

  /** 2.5 million is a number. */
  #scale(word: string): boolean {
    const zeros = scales[word]
    if (zeros === undefined || this.tokens.at(-1)?.type !== 'number') return false
    this.push('mark', '*')
    this.push('number', `1${'0'.repeat(zeros)}`)
    return true
  }
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
