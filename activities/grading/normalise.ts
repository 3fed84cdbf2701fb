/**
 * One spelling for what answers spell in many ways: typographic digits and signs, sizes and spaces, doubly escaped LaTeX.
 * Replacements run in this order, each linear in the text.
 */

/** Stands for the `\\\\` between the rows of a matrix, which would look like an escaped space. */
export const rowEnd = '\u0001'

const known =
  'frac|dfrac|tfrac|cfrac|sqrt|left|right|text|mathrm|pi|infty|cup|cap|boxed|cdot|times|le|leq|ge|geq|pm|circ|binom|begin|end|in|ne|neq'

const end = '(?![a-zA-Z])'

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
    '∛': '\\sqrt[3]',
    '∜': '\\sqrt[4]',
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
  ...{
    η: '\\eta ',
    ξ: '\\xi ',
    χ: '\\chi ',
    ψ: '\\psi ',
    τ: '\\tau ',
    ζ: '\\zeta ',
    κ: '\\kappa ',
    ν: '\\nu ',
  },
  ...{ ϕ: '\\phi ', Δ: '\\Delta ', Ω: '\\Omega ', Γ: '\\Gamma ', Φ: '\\Phi ', Σ: '\\Sigma ', Λ: '\\Lambda ' },
  ...{ ℝ: 'R', ℤ: 'Z', ℕ: 'N', ℚ: 'Q', ℂ: 'C', ℓ: '\\ell ', ⅈ: 'i', ⅇ: 'e' },
  ...{
    '¼': '\\frac14 ',
    '¾': '\\frac34 ',
    '⅓': '\\frac13 ',
    '⅔': '\\frac23 ',
    '⅛': '\\frac18 ',
    '⅕': '\\frac15 ',
  },
  ...{
    '∅': '\\emptyset ',
    '→': '\\to ',
    '⇒': '\\Rightarrow ',
    '⇔': '\\iff ',
    '↦': '\\mapsto ',
    '∉': '\\notin ',
    '⊂': '\\subset ',
    '⊆': '\\subseteq ',
    '∣': '|',
    '⋯': '...',
    '∘': '\\circ ',
    '∑': '\\sum ',
    '∏': '\\prod ',
  },
  ...{
    '⩽': '\\le ',
    '≦': '\\le ',
    '⩾': '\\ge ',
    '≧': '\\ge ',
    '≡': '\\equiv ',
    '∠': '\\angle ',
    '⁄': '/',
    '∕': '/',
  },
  ...{
    '。': '.',
    '٫': '.',
    '、': ',',
    '٪': '%',
    '【': '[',
    '】': ']',
    '《': '(',
    '》': ')',
    '—': '-',
    '‑': '-',
    '﹣': '-',
  },
  ...{
    º: '\\degree ',
    '℃': '\\degree \\text{C}',
    '℉': '\\degree \\text{F}',
    '㎝': '\\text{cm}',
    '㎡': '\\text{m}^2',
  },
  ...{
    ⁿ: '^n ',
    ₙ: '_n ',
    ᵢ: '_i ',
    ₖ: '_k ',
    '²': '^2',
    '³': '^3',
    '∙': '\\cdot ',
    '•': '\\cdot ',
    '∗': '*',
    '\u00a0': ' ',
    '\u202f': ' ',
    '\u2009': ' ',
  },
}

/** Full-width forms, and the decimal digits of Arabic, Persian and Devanagari. */
const foreign = /[！-～٠-٩۰-۹०-९]/g
const alphabets = /[\u{1d400}-\u{1d7ff}]/gu // 𝑥 and 𝟑: letters and digits as fonts
const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹'
const lowered = '₀₁₂₃₄₅₆₇₈₉'

/** Between two values only: 1或2, but not 和为12. */
const betweenValues = /(?<=[\w)}\]$%°][\s$]*)(?:或者?|以及|[和与與及])(?=[\s$]*[\\\w({[-])/g
const many: Readonly<Record<string, string>> = {
  万: '*10000 ',
  萬: '*10000 ',
  亿: '*100000000 ',
  億: '*100000000 ',
  千: '*1000 ',
}

function typography(written: string): string {
  const text = /[\u3040-\u9fff]/.test(written)
    ? written
        .replace(betweenValues, ',')
        .replace(/(?<=\d\s*)(?:[万萬亿億]|千(?![米克瓦卡伏帕焦赫字万萬]))/g, (scale) => many[scale] ?? scale)
        .replace(/(?<=\d\s*)度/g, '\\degree ')
    : written
  const letters = text.includes('\ud835')
    ? text.replace(alphabets, (letter) => letter.normalize('NFKC'))
    : text
  return letters
    .replace(/⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (run) => `^{${digits(run.replace('⁻', '-'), raised)}}`)
    .replace(/[₀-₉]+/g, (run) => `_{${digits(run, lowered)}}`)
    .replace(foreign, ascii)
    .replace(/[^\0-\x7f]/g, (character) => characters[character] ?? character)
}

const digits = (run: string, of: string) =>
  [...run].map((digit) => (of.includes(digit) ? String(of.indexOf(digit)) : digit)).join('')

/** What a text has to contain for a rule to apply: a glance is cheaper than a search. */
const when = (needs: string, pattern: string, replacement: string) =>
  [needs, new RegExp(pattern, 'g'), replacement] as const

const functions = '(?:a|ar|arc)?(?:sin|cos|tan|cot|sec|csc)h?|(?:arc)?cosec|ln|lg|log|exp|max|min|gcd|lcm'
const space = '(?:[\\s~]|\\\\[ ,;:])'

const replacements: readonly (readonly [needs: string, RegExp, string])[] = [
  when('\\\\', `(?<!\\\\)\\\\\\\\(?=(?:${known})${end})`, '\\'),
  when('\\cr', `\\\\cr${end}`, '\\\\ '),
  when('\\newline', `\\\\newline${end}`, '\\\\ '),
  when('\\\\', '\\\\\\\\(?:\\[[\\d.]+\\s*(?:pt|em|ex|mm|cm)\\])?(?![a-zA-Z]{2})', rowEnd),
  when('\\begin', '\\\\\\\\', rowEnd), // \\ax: between the rows of a matrix
  when('\\!', ',\\s*\\\\!\\s*(?=\\d)', ','),
  when('{,}', '(?<=\\d)(?:\\\\!|\\s)*\\{,\\}(?:\\\\!|\\s)*(?=\\d)', ','),
  when('\\,', '(?<=\\d)\\\\,(?=\\d{3}(?!\\d))', ''), // 10\,000
  // 1 000 000, but neither 2 100/300 nor 1 000 2.
  when(
    '',
    `(?<=(?<![\\d.,])\\d{1,3}(?:${space}\\d{3})*)${space}(?=\\d{3}(?:${space}\\d{3})*(?!\\d|\\s+\\d|\\s*(?:/|\\\\[dt]?frac)))`,
    '',
  ),
  when('\\', `\\\\(?:left|right|middle|[bB]igg?[lrm]?)${end}\\.?`, ' '),
  when('', `\\\\[!,;:> ]|~|\\\\q?quad${end}|\\\\hspace\\{[^{}]*\\}`, ' '),
  when('frac', `\\\\[dtc]frac${end}`, '\\frac'),
  when(
    '{',
    '(?<=\\d)\\s*\\^?\\s*\\{?\\s*\\\\(?:text|mathrm|textsuperscript)\\{\\s*(?:st|nd|rd|th)\\s*\\}\\s*\\}?',
    ' ',
  ),
  when('', `(?<=\\d)(?:st|nd|rd|th)${end}`, ' '),
  // Degrees, and the scale of a temperature after them.
  when('^', `(?:\\{\\s*\\})?\\^\\s*(?:\\\\circ${end}|\\{\\s*\\\\circ\\s*\\})`, '\\degree '),
  when('o', `(?<=\\d\\s*)\\^\\s*(?:o${end}|\\{\\s*o\\s*\\})`, '\\degree '),
  when(
    '\\circ',
    `(?:\\{\\s*\\})?\\^\\s*\\{\\s*\\\\circ\\s*(?:\\\\(?:text|mathrm)\\s*\\{\\s*)?([CF])\\s*\\}?\\s*\\}`,
    '\\degree \\text{$1}',
  ),
  when('deg', `\\\\(?:degrees?|textdegree)${end}`, '\\degree '),
  when(
    'deg',
    '\\\\degree\\s*(?:\\\\mathrm\\s*\\{\\s*([CFK])\\s*\\}|\\{\\s*([CF])\\s*\\}|([CF])(?![a-zA-Z_^]))',
    '\\degree \\text{$1$2$3}',
  ),
  // \frac{\text{m}}{\text{s}^2} after a number is a unit.
  when(
    'frac',
    '(?<=[\\d})])\\s*\\\\frac\\s*\\{\\s*\\\\(?:text|mathrm)\\s*\\{([^{}\\d]*)\\}\\s*\\}\\s*\\{\\s*\\\\(?:text|mathrm)\\s*\\{([^{}\\d]*)\\}(?:\\s*\\^\\s*\\{?\\d\\}?)?\\s*\\}',
    '\\text{$1/$2}',
  ),
  when('\\vec', '\\\\vec\\s*\\{\\s*([A-Z])\\s*([A-Z])\\s*\\}', '\\overrightarrow{$1$2}'),
  // An index of words is one name, however it is set.
  when(
    '_',
    '_\\s*(?:\\{\\s*\\\\(?:text|mathrm|operatorname|mbox)\\s*\\{\\s*([a-zA-Z]+)\\s*\\}\\s*\\}|\\\\(?:text|mathrm|mbox)\\s*\\{\\s*([a-zA-Z]+)\\s*\\})',
    '_{$1$2}',
  ),
  when('_', `_\\s*(?:\\{\\s*\\\\(max|min|sup|inf|lim)\\s*\\}|\\\\(max|min|sup|inf)${end})`, '_{$1$2}'),
  // The reals and their positive half.
  when(
    'R',
    '\\\\(?:mathbb|mathbf|Bbb)\\s*(?:\\{\\s*R\\s*\\}|R(?![a-zA-Z]))\\s*(?:\\^\\s*(?:\\+|\\{\\s*\\+\\s*\\})|_\\s*(?:\\+|\\{\\s*(?:\\+|>\\s*0)\\s*\\}))',
    '(0,\\infty )',
  ),
  when('R', '\\\\(?:mathbb|mathbf|Bbb)\\s*(?:\\{\\s*R\\s*\\}|R(?![a-zA-Z]))', '\\reals '),
  when('\\', `\\\\(?:lor|vee)${end}`, ','),
  // ]0, 1[ is an open interval.
  when(']', '(?<=^|\\\\cup|\\\\in|=)\\s*\\]([^[\\]()]+[,;][^[\\]()]+)(?=[[\\]])', '($1'),
  when('[', '(?<=[[(][^[\\]()]+[,;][^[\\]()]+)\\[(?=\\s*(?:$|\\\\cup|[.,$]))', ')'),
  when('|', '^\\s*\\{\\s*([a-zA-Z](?:\\s*\\\\in[^|{}]{1,15})?)\\s*\\|([^{}]*)\\}\\s*$', '\\{$1|$2\\}'),
  // C_5^2 and A_5^2 count choices and arrangements.
  when('C_', '(?<![a-zA-Z\\\\])C_\\s*\\{?(\\d+)\\}?\\s*\\^\\s*\\{?(\\d+)\\}?', '\\binom{$1}{$2}'),
  when('A_', '(?<![a-zA-Z\\\\])A_\\s*\\{?(\\d+)\\}?\\s*\\^\\s*\\{?(\\d+)\\}?', '\\frac{$1!}{($1-$2)!}'),
  when('{', `\\\\(?:operatorname\\*?|mathrm|text)\\s*\\{\\s*(${functions})\\s*\\}`, '\\$1 '),
  when('to', '(?<=^-?\\d+)\\s*(?:\\\\text\\{\\s*)?to(?:\\s*\\})?\\s*(?=\\d+$)', ':'),
  when('[', '(?<![a-zA-Z\\\\])(?:(?:sympy|sp|np|numpy)\\.)?(?:Matrix|matrix|array)\\s*(?=\\(\\s*\\[)', ''),
  when('10', '(?<=\\d)\\s*[xX]\\s*(?=10\\s*\\^)', '*'), // 4.5 x 10^33
  when('\\', '\\\\[()[\\]]', ' '),
  when('angle', `\\\\langle${end}`, '('),
  when('angle', `\\\\rangle${end}`, ')'),
  when('choose', `\\{([^{}]{1,40})\\\\choose${end}([^{}]{1,40})\\}`, '\\binom{$1}{$2}'),
  when('C', '(?:\\{\\})?[_^]\\{?(\\d{1,9})\\}?\\s*C_\\{?(\\d{1,9})\\}?', '\\binom{$1}{$2}'),
  when('overline', '(?<!\\d)\\.(?=\\s*\\\\overline)', '0.'),
  when('.', '(?<=\\.\\d{1,60})\\s*(?:\\\\l?dots(?![a-z])|\\.{3})', ''), // 3.14…
  when('...', '\\.{3,}', '\\ldots '),
  when('!=', '(?<![\\d)\\]}!])\\s*!=|\\s!=', '\\ne '), // but 5!=120 has a factorial
  when('=/=', '=/=', '\\ne '),
  when('<>', '<>', '\\ne '),
  when('\\not', '\\\\not\\s*=', '\\ne '),
  when('\\not', `\\\\not\\s*\\\\in${end}`, '\\notin '),
  when('bigcup', `\\\\bigcup${end}`, '\\cup '),
  when('\\', `\\\\(?:colon|ratio)${end}`, ':'),
  when('$', `(?<![a-zA-Z])(?:US|AU|CA|HK|NT|NZ|A|C|S|R)\\s*\\\\\\$(?=\\s*\\d)`, '\\$$'),
  when('\\', `\\\\(?:textdollar|pounds|euro|yen)${end}`, '\\$$'),
  when("'", "(?<=\\d)'(?=\\d{3}(?!\\d))", ''), // 1'000
  when('', `[*]|\\\\(?:times|cdot|ast)${end}`, ' * '),
  when('*', '\\* +\\*', '^'), // 2**3
  when('div', `\\\\div${end}`, '/'),
  when('', `<=|\\\\leqslant${end}|\\\\leqq?${end}`, '\\le '),
  when('', `>=|\\\\geqslant${end}|\\\\geqq?${end}`, '\\ge '),
]

const bases = 'two three four five six seven eight nine ten eleven twelve'.split(' ')
const wordBase = new RegExp(`_\\{?\\\\text\\{\\s*(${bases.join('|')})\\s*\\}\\}?`, 'g') // 1010_{\text{two}}

/** Whether none of the replacements can apply: digits, ASCII letters and plain marks only. Most answers are such. */
const plain = /^[\w\s.+\-/=(){}|!':;%[\]]*$/

const special = /^-?\d+ to \d|\d\[|\]\d|^\s*\{.*\||\d(?:st|nd|rd|th)|C_|\d\s+\d{3}|!=|\d'\d|=\/=/

export function normalise(text: string): string {
  if (plain.test(text) && !special.test(text)) return text
  let result = /[^\0-\x7f]/.test(text) ? typography(text) : text
  result = result.replace(wordBase, (_, word: string) => `_{${bases.indexOf(word) + 2}}`)
  for (const [needs, pattern, replacement] of replacements)
    if (result.includes(needs)) result = result.replace(pattern, replacement)
  return result
}

function ascii(character: string): string {
  const code = character.charCodeAt(0)
  if (code >= 0xff01) return String.fromCharCode(code - 0xfee0)
  return String.fromCharCode(48 + (code >= 0x0966 ? code - 0x0966 : code & 0xf))
}
