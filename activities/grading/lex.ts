/**
 * From answer text (LaTeX, plain, or a mixture) to tokens, in one pass after a fixed number of replacements.
 *
 * What carries no mathematics goes here: sizes, spaces, dollars, degrees, percent signs (remembered), units. Words in
 * `\text{…}` are units beside numbers; "and" and "or" separate. Whether text is the whole answer is decided by the parser.
 */
export interface Token {
  /** number: digits; letter: a symbol; command: a LaTeX command or known word; text: words; mark: anything else. */
  readonly type: 'number' | 'letter' | 'command' | 'text' | 'mark'
  readonly value: string
}

export interface Lexed {
  readonly tokens: readonly Token[]
  readonly percent: boolean
}

/** Stands for the `\\\\` between the rows of a matrix, which would look like an escaped space. */
export const rowEnd = '\u0001'

const replacements: readonly (readonly [RegExp, string])[] = [
  [/\\\\(?![a-zA-Z])/g, rowEnd],
  [/,\s*\\!\s*(?=\d)/g, ','],
  [/\\(?:left|right|displaystyle|textstyle|limits|[bB]igg?[lrm]?)(?![a-zA-Z])/g, ' '],
  [/\\[!,;:> ]|~|\\q?quad(?![a-zA-Z])|\\hspace\{[^{}]*\}/g, ' '],
  [/\\[dtc]frac(?![a-zA-Z])/g, '\\frac'],
  [/\{,\}/g, ','],
  [/\^\s*\{?\s*\\circ\s*\}?|°|\\degree(?:s)?(?![a-zA-Z])/g, ' '],
  [/\\?\$|\\[()[\]]/g, ' '],
  [/−|–/g, '-'],
  [/[×·∙]|\\times(?![a-zA-Z])|\\cdot(?![a-zA-Z])|\*\*?/g, ' * '],
  [/÷|\\div(?![a-zA-Z])/g, '/'],
  [/√/g, '\\sqrt '],
  [/π/g, '\\pi '],
  [/∞/g, '\\infty '],
  [/∪/g, '\\cup '],
  [/∈/g, '\\in '],
  [/≤|<=|\\leqslant(?![a-zA-Z])|\\leq(?![a-zA-Z])/g, '\\le '],
  [/≥|>=|\\geqslant(?![a-zA-Z])|\\geq(?![a-zA-Z])/g, '\\ge '],
  [/±/g, '\\pm '],
  [/²/g, '^2'],
  [/³/g, '^3'],
  [/½/g, '\\frac12 '],
]

const words: ReadonlySet<string> = new Set(
  'sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp sqrt pi infty infinity'.split(
    ' ',
  ),
)
const units: ReadonlySet<string> = new Set(
  (
    'unit units square cubic sq cu inch inches foot feet ft yard yards mile miles meter meters metre metres cm mm km ' +
    'centimeter centimeters centimetre centimetres millimeter millimeters kilometer kilometers kilometre kilometres ' +
    'second seconds minute minutes min hour hours day days week weeks month months year years dollar dollars cent cents ' +
    'degree degrees percent pct gram grams kg kilogram kilograms pound pounds ounce ounces liter liters litre litres ' +
    'mph kph per of hr hrs am pm ways way people person students student points point radians rad'
  ).split(' '),
)

/** Text commands whose content is words; other font commands are dropped and their content read as mathematics. */
const textCommands: ReadonlySet<string> = new Set([
  'text',
  'textbf',
  'textit',
  'textrm',
  'mbox',
  'mathrm',
  'hbox',
])
const fontCommands: ReadonlySet<string> = new Set([
  'mathbf',
  'boldsymbol',
  'bm',
  'mathit',
  'mathsf',
  'mathcal',
  'mathbb',
  'vec',
  'boxed',
  'fbox',
  'operatorname',
])

const scanner = /\s+|\\([a-zA-Z]+)|\\([{}%|\\&_#])|(\d+\.?\d*|\.\d+)|([a-zA-Z]+)|([^])/y

export function lex(answer: string): Lexed {
  let text = answer
  for (const [pattern, replacement] of replacements) text = text.replace(pattern, replacement)
  const tokens: Token[] = []
  let percent = false
  let depth = 0 // of brackets: in (201,400] a comma separates
  let notGrouped = 0 // up to here commas are known to separate
  scanner.lastIndex = 0
  for (
    let match = scanner.exec(text);
    match !== null && scanner.lastIndex <= text.length;
    match = scanner.exec(text)
  ) {
    const [whole, command, escaped, digits, letters, other] = match
    const mark = escaped === undefined ? other : `\\${escaped}`
    if (command !== undefined && textCommands.has(command)) {
      const group = braced(text, scanner.lastIndex)
      if (group === null) continue
      scanner.lastIndex = group.end
      tokens.push(...wordTokens(group.content))
    } else if (command !== undefined) {
      if (!fontCommands.has(command)) tokens.push({ type: 'command', value: command })
    } else if (digits !== undefined) {
      const start = scanner.lastIndex - digits.length
      const end = depth > 0 || start < notGrouped ? null : groupedEnd(text, start)
      if (end !== null && end < 0) notGrouped = -end
      if (end !== null && end > 0) scanner.lastIndex = end
      const value = end !== null && end > 0 ? text.slice(start, end).replaceAll(',', '') : digits
      tokens.push({ type: 'number', value })
    } else if (letters !== undefined) {
      tokens.push(...letterTokens(letters, text[scanner.lastIndex - letters.length - 1] === ' '))
    } else if (mark === '%' || mark === '\\%') {
      percent = true
    } else if (mark !== undefined) {
      if (mark === '(' || mark === '[' || mark === '\\{') depth++
      if (mark === ')' || mark === ']' || mark === '\\}') depth--
      tokens.push({ type: 'mark', value: mark })
    }
    if (whole === '') break
  }
  return { tokens, percent }
}

const groups = /\d{1,3}(?:,\d{3})+/y

/** Where 1,000,000.5 ends; minus where a run that only looks like it does ends (123,456,7 is a list); null for neither. */
function groupedEnd(text: string, start: number): number | null {
  groups.lastIndex = start
  if (!groups.test(text)) return null
  const end = groups.lastIndex
  if (/[\d]/.test(text[end] ?? '') || (text[end] === ',' && /\d/.test(text[end + 1] ?? ''))) return -end
  const decimals = /^\.\d+/.exec(text.slice(end, end + 50))?.[0] ?? ''
  return end + decimals.length
}

/** Four letters and more after a space are a word; shorter runs are products of symbols. */
function letterTokens(letters: string, afterSpace: boolean): Token[] {
  const lower = letters.toLowerCase()
  if (lower === 'and' || lower === 'or') return [{ type: 'mark', value: ',' }]
  if (lower === 'infinity' || lower === 'inf') return [{ type: 'command', value: 'infty' }]
  if (words.has(lower)) return [{ type: 'command', value: lower }]
  if ((units.has(lower) && letters.length > 1) || (afterSpace && /^[a-z]{4,}$/.test(letters)))
    return [{ type: 'text', value: lower }]
  return [...letters].map((value) => ({ type: 'letter', value }))
}

function wordTokens(content: string): Token[] {
  const words = content.trim()
  if (/^(?:,\s*)?(?:and|or)$/i.test(words)) return [{ type: 'mark', value: ',' }]
  if (/^[A-Za-z]$/.test(words)) return [{ type: 'letter', value: words }]
  return words === '' ? [] : [{ type: 'text', value: words }]
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
