/**
 * Words and units among the tokens of an answer: they say nothing to the grammar and go, with their powers and quotients. A
 * word that changes what is said (at least, not) makes the answer text.
 */
import { Unreadable } from './cursor.ts'
import type { Token } from './lex.ts'
import { qualifier, relations } from './words.ts'

/** Words beside mathematics are units, and so is a power of them; where a value has to stand they name it: area = 12. */
export function withoutUnits(tokens: readonly Token[]): Token[] {
  const kept: Token[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    const words = /^[_^]$/.test(kept.at(-1)?.value ?? '') ? null : endOfWords(tokens, i) // S_{\text{max}} is a name
    if (words !== null) {
      // {\text{east}} is words; 5 (\text{cm}) is 5.
      if (kept.length === 0 || token.value === '\\{') throw new Unreadable()
      if (tokens.slice(i, words).some(({ value }) => qualifier.test(value))) throw new Unreadable()
      i = words
    } else if (token.type !== 'text') {
      const end = token.value === 'frac' ? endOfQuotient(tokens, i) : null
      if (end === null) kept.push(token)
      else i = end
    } else if (qualifier.test(token.value)) throw new Unreadable()
    else if (kept.length === 0 && tokens[i + 1]?.value === ':') {
      i++ // \text{Answer}: 5
    } else if (tokens[i + 1]?.value === '^') {
      i = endOfArgument(tokens, i + 1)
    } else if (kept.length === 0 && relations.get(tokens[i + 1]?.value ?? '') !== undefined) {
      kept.push({ type: 'letter', value: token.value })
    }
  }
  // A slash that only divided units: 5 \text{ miles}/\text{hour}.
  while (/^[/*]$/.test(kept.at(-1)?.value ?? '')) kept.pop()
  return kept
}

/** The last token of brackets around nothing but words, which begin here; null for any other. */
function endOfWords(tokens: readonly Token[], at: number): number | null {
  const close = closers[tokens[at]!.value]
  if (close === undefined || tokens[at + 1]?.type !== 'text') return null
  let end = at + 1
  while (tokens[end]?.type === 'text') end++
  return tokens[end]?.value === close ? end : null
}

const closers: Readonly<Record<string, string>> = { '{': '}', '\\{': '\\}', '(': ')', '[': ']' }

/** The last token of the argument after the one at `at`: a braced group, or one token and its sign. */
function endOfArgument(tokens: readonly Token[], at: number): number {
  if (tokens[at + 1]?.value !== '{') return at + (tokens[at + 1]?.value === '-' ? 2 : 1)
  let end = at + 2
  while (end < tokens.length && tokens[end]!.value !== '}') end++
  return end
}

/** The last token of a quotient of words, \frac{\text{m}}{\text{s}^2}; null for any other. */
function endOfQuotient(tokens: readonly Token[], at: number): number | null {
  if (at === 0 || tokens[at + 1]?.value !== '{' || tokens[at + 2]?.type !== 'text') return null
  const over = endOfArgument(tokens, at)
  return tokens[over + 1]?.value === '{' && tokens[over + 2]?.type === 'text'
    ? endOfArgument(tokens, over)
    : null
}
