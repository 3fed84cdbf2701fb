/**
 * Answers that say which quantity has their value: P(A \mid B) = 1/3, \tan A = 2, f(-1) = 3, AB/CD = 2, \int_0^1 x\,dx = 1/2.
 * The quantity is not compared, as the x of x = 5 is not (statement.ts, which knows names that the grammar reads).
 *
 * Left out on purpose: equations that are answers themselves, x + y = 7, x^2 = 4, \sin x = 1/2. They have no value.
 */
const letter = '(?:[A-WZa-wz]|\\\\(?!frac|sqrt|pi)[a-z]+)(?:_\\{?\\w{1,3}\\}?)?'
const points =
  '(?:\\\\(?:angle|triangle)\\s*)?(?:[A-Z]{1,3}|\\\\(?!frac|sqrt|pi)[a-z]+|[a-wz])(?:_\\{?\\w{1,3}\\}?)?'
const trigonometric = '\\\\?(?:sin|cos|tan|cot|sec|csc)'
const bracketed = '\\s*(?:\\\\left)?\\s*[([][^]*[)\\]]'
/** Numbers and constants only. */
const constant = '(?:[\\d\\s.,+\\-*/^{}]|\\\\(?:[dt]?frac|sqrt|pi|infty|cdot)(?![a-z]))+'

/** Of these the value may have symbols: \sum_{k=1}^n k = n(n+1)/2. */
const worked = [
  `\\\\(?:lim|iint|int|oint|sum|prod)(?![a-z])[^]*`,
  `(?:P|Pr|\\\\Pr|\\\\(?:mathbb|mathrm|operatorname|text)\\s*\\{(?:P|Pr|E)\\}|E)${bracketed}`,
  `[fghFGHPQp]\\s*(?:'+|\\^\\s*\\{\\s*(?:-1|\\(\\d\\)|\\\\prime)\\s*\\})?\\s*(?:\\\\left)?\\(${constant}(?:\\\\right)?\\)`,
]
/** Of these it may not, since a/b = c/d is an equation. */
const ratios = [
  `${trigonometric}\\s*(?:\\^\\s*\\{?\\s*2\\s*\\}?)?\\s*(?:\\(\\s*)?\\d?\\s*${points}(?:\\s*\\))?`,
  `\\\\[dt]?frac\\s*\\{\\s*(?:[A-Z]{2,3}|${letter})\\s*\\}\\s*\\{\\s*(?:[A-Z]{2,3}|${letter})\\s*\\}`,
  `(?:[A-Z]{2}|${letter})\\s*/\\s*(?:[A-Z]{2}|${letter})`,
]
const named = new RegExp(
  `^[\\s$]*(?:(?:${worked.join('|')})\\s*=(?=[^=]+$)|(?:${ratios.join('|')})\\s*=(?=${constant}\\$?\\s*$))`,
)

/** The value after the quantity; the text as it is where it names none. */
export function withoutQuantity(text: string): string {
  return text.length > longestNamed ? text : text.replace(named, '')
}

const longestNamed = 200
