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

/** Full-width forms, and the decimal digits of Arabic, Persian and Devanagari. */
const foreign = /[！-～。、٠-٩۰-۹०-९٪٫]/g

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
  rule(`\\^\\s*\\{?\\s*\\\\circ\\s*\\}?|°|\\\\degrees?${end}`, '\\degree '),
  rule('\\\\[()[\\]]', ' '),
  rule('(?<=\\.\\d{1,60})\\s*(?:\\\\l?dots(?![a-z])|\\.{3}|…)', ''), // 0.333…
  rule('…|\\.{3}', '\\ldots '),
  rule('′', "'"),
  rule('[−–‐]', '-'),
  rule(`[×·∙⋅*]|\\\\(?:times|cdot|ast)${end}`, ' * '),
  rule('\\* +\\*', '^'), // 2**3
  rule(`÷|\\\\div${end}`, '/'),
  rule('√', '\\sqrt '),
  rule('π', '\\pi '),
  rule('∞', '\\infty '),
  rule('∪', '\\cup '),
  rule('∈', '\\in '),
  rule('≈', '\\approx '),
  rule('≠', '\\ne '),
  rule(`≤|<=|\\\\leqslant${end}|\\\\leq${end}`, '\\le '),
  rule(`≥|>=|\\\\geqslant${end}|\\\\geq${end}`, '\\ge '),
  rule('±', '\\pm '),
  rule('²', '^2'),
  rule('³', '^3'),
  rule('½', '\\frac12 '),
]

/** Whether none of the replacements can apply: digits, ASCII letters and plain marks only. Most answers are such. */
const plain = /^[\w\s.+\-/=(){}|!':;%[\]]*$/

export function normalise(text: string): string {
  if (plain.test(text) && !/[_\d](?:st|nd|rd|th)/.test(text)) return text
  let result = text.replace(foreign, ascii)
  for (const [pattern, replacement] of replacements) result = result.replace(pattern, replacement)
  return result
}

function ascii(character: string): string {
  const code = character.charCodeAt(0)
  if (character === '。' || character === '٫') return '.'
  if (character === '、') return ','
  if (character === '٪') return '%'
  if (code >= 0xff01) return String.fromCharCode(code - 0xfee0)
  return String.fromCharCode(48 + (code >= 0x0966 ? code - 0x0966 : code & 0xf))
}
