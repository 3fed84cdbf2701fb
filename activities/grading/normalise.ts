/**
 * One spelling for what answers spell in many ways: typographic digits and signs, sizes and spaces, doubly escaped LaTeX.
 * Replacements run in this order, each linear in the text.
 */

/** Stands for the `\\\\` between the rows of a matrix, which would look like an escaped space. */
export const rowEnd = '\u0001'

const known =
  'frac|dfrac|tfrac|cfrac|sqrt|left|right|text|mathrm|pi|infty|cup|cap|boxed|cdot|times|le|leq|ge|geq|pm|circ|binom|begin|end|in|ne|neq'

const end = '(?![a-zA-Z])'
const rule = (pattern: string, replacement: string) => [new RegExp(pattern, 'g'), replacement] as const

/** Characters of typography as LaTeX; letters of other alphabets are symbols by their LaTeX names. */
const characters: Readonly<Record<string, string>> = {
  ...{
    '−': '-',
    '–': '-',
    '‐': '-',
    '′': "'",
    '×': '\\times ',
    '·': '\\cdot ',
    '∙': '\\cdot ',
    '⋅': '\\cdot ',
  },
  ...{
    '÷': '\\div ',
    '√': '\\sqrt ',
    '∞': '\\infty ',
    '∪': '\\cup ',
    '∩': '\\cap ',
    '∈': '\\in ',
    '±': '\\pm ',
  },
  ...{
    '≈': '\\approx ',
    '≠': '\\ne ',
    '≤': '\\le ',
    '≥': '\\ge ',
    '½': '\\frac12 ',
    '…': '...',
    '°': '\\degree ',
  },
  ...{ '⌊': '\\lfloor ', '⌋': '\\rfloor ', '⌈': '\\lceil ', '⌉': '\\rceil ', '⟨': '(', '⟩': ')' },
  ...{ π: '\\pi ', α: '\\alpha ', β: '\\beta ', γ: '\\gamma ', δ: '\\delta ', ε: '\\epsilon ' },
  ...{ θ: '\\theta ', λ: '\\lambda ', μ: '\\mu ', ρ: '\\rho ', σ: '\\sigma ', φ: '\\phi ', ω: '\\omega ' },
  ...{ '。': '.', '٫': '.', '、': ',', '٪': '%' },
}

/** Full-width forms, and the decimal digits of Arabic, Persian and Devanagari. */
const foreign = /[！-～٠-٩۰-۹०-९]/g
const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹'
const lowered = '₀₁₂₃₄₅₆₇₈₉'

function typography(text: string): string {
  return text
    .replace(/⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (run) => `^{${digits(run.replace('⁻', '-'), raised)}}`)
    .replace(/[₀-₉]+/g, (run) => `_{${digits(run, lowered)}}`)
    .replace(foreign, ascii)
    .replace(/[^\0-\x7f]/g, (character) => characters[character] ?? character)
}

const digits = (run: string, of: string) =>
  [...run].map((digit) => (of.includes(digit) ? String(of.indexOf(digit)) : digit)).join('')

const replacements: readonly (readonly [RegExp, string])[] = [
  rule(`(?<!\\\\)\\\\\\\\(?=(?:${known})${end})`, '\\'),
  rule('\\\\\\\\(?![a-zA-Z])', rowEnd),
  rule(',\\s*\\\\!\\s*(?=\\d)', ','),
  rule('(?<=\\d)(?:\\\\!|\\s)*\\{,\\}(?:\\\\!|\\s)*(?=\\d)', ','),
  rule('(?<=\\d)\\\\,(?=\\d{3}(?!\\d))', ''), // 10\,000
  rule(`\\\\(?:left|right|[bB]igg?[lrm]?)${end}\\.?`, ' '),
  rule(`\\\\[!,;:> ]|~|\\\\q?quad${end}|\\\\hspace\\{[^{}]*\\}`, ' '),
  rule(`\\\\[dtc]frac${end}`, '\\frac'),
  rule(
    '(?<=\\d)\\s*\\^?\\s*\\{?\\s*\\\\(?:text|mathrm|textsuperscript)\\{\\s*(?:st|nd|rd|th)\\s*\\}\\s*\\}?',
    ' ',
  ),
  rule(`(?<=\\d)(?:st|nd|rd|th)${end}`, ' '),
  rule(`\\^\\s*\\{?\\s*\\\\circ\\s*\\}?|\\\\degrees?${end}`, '\\degree '),
  rule('\\\\[()[\\]]', ' '),
  rule(`\\\\langle${end}`, '('),
  rule(`\\\\rangle${end}`, ')'),
  rule(`\\{([^{}]{1,40})\\\\choose${end}([^{}]{1,40})\\}`, '\\binom{$1}{$2}'),
  rule('(?:\\{\\})?[_^]\\{?(\\d{1,9})\\}?\\s*C_\\{?(\\d{1,9})\\}?', '\\binom{$1}{$2}'),
  rule('(?<!\\d)\\.(?=\\s*\\\\overline)', '0.'),
  rule('(?<=\\.\\d{1,60})\\s*(?:\\\\l?dots(?![a-z])|\\.{3})', ''), // 0.333…
  rule('\\.{3}', '\\ldots '),
  rule(`[*]|\\\\(?:times|cdot|ast)${end}`, ' * '),
  rule('\\* +\\*', '^'), // 2**3
  rule(`\\\\div${end}`, '/'),
  rule(`<=|\\\\leqslant${end}|\\\\leq${end}`, '\\le '),
  rule(`>=|\\\\geqslant${end}|\\\\geq${end}`, '\\ge '),
]

const bases = 'two three four five six seven eight nine ten eleven twelve'.split(' ')
const wordBase = new RegExp(`_\\{?\\\\text\\{\\s*(${bases.join('|')})\\s*\\}\\}?`, 'g') // 1010_{\text{two}}

/** Whether none of the replacements can apply: digits, ASCII letters and plain marks only. Most answers are such. */
const plain = /^[\w\s.+\-/=(){}|!':;%[\]]*$/

export function normalise(text: string): string {
  if (plain.test(text) && !/\d(?:st|nd|rd|th)|C_/.test(text)) return text
  let result = /[^\0-\x7f]/.test(text) ? typography(text) : text
  result = result.replace(wordBase, (_, word: string) => `_{${bases.indexOf(word) + 2}}`)
  for (const [pattern, replacement] of replacements) result = result.replace(pattern, replacement)
  return result
}

function ascii(character: string): string {
  const code = character.charCodeAt(0)
  if (code >= 0xff01) return String.fromCharCode(code - 0xfee0)
  return String.fromCharCode(48 + (code >= 0x0966 ? code - 0x0966 : code & 0xf))
}
