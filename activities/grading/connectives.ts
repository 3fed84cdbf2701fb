/**
 * "and" and "or" between statements, which the lexer reads as commas. Between values of one name they say the same (x = 1 and
 * x = 2 are two solutions, however they are joined); between inequalities, and between statements about different names,
 * they do not: x < 1 and x > 5 is nothing, x = 1 or y = 2 does not say both.
 */

const and = /\band\b|\\(?:land|wedge)(?![a-zA-Z])|∧|且/i
const or = /\bor\b|\\(?:lor|vee)(?![a-zA-Z])|∨|或者?/i
const inequality = /[<>≤≥⩽⩾]|\\(?:[lg]eq?q?(?:slant)?|lt|gt)(?![a-zA-Z])/
const union = /\\(?:big)?cup(?![a-zA-Z])|∪/
const sign = '(?:[=<>≤≥⩽⩾]|\\\\(?:[lg]eq?q?(?:slant)?|lt|gt)(?![a-zA-Z]))'
const named = new RegExp(`(?<![a-zA-Z\\\\\\d+*/^_-]\\s*)([a-zA-Z](?:_\\{?\\w\\}?)?)\\s*${sign}`, 'g')
const longest = 400

/** Whether two answers join statements in ways that say different things. */
export function joinedApart(gold: string, answer: string): boolean {
  if (!joins(gold) && !joins(answer)) return false
  const [one, other] = [joinOf(gold), joinOf(answer)]
  if (one.between === 'and') return other.between === 'or' || union.test(answer)
  if (other.between === 'and') return one.between === 'or' || union.test(gold)
  return one.either !== other.either
}

const joins = (text: string) => text.length <= longest && (and.test(text) || or.test(text))

interface Join {
  /** What joins the inequalities of a text that has several and one kind of connective. */
  readonly between: 'and' | 'or' | null
  /** "or" stands between statements about different names. */
  readonly either: boolean
}

function joinOf(text: string): Join {
  const alternatives = joins(text) ? text.split(or) : []
  const names = alternatives.map(namesOf).filter(({ size }) => size > 0)
  const either = names.some((these) => names.some((those) => [...these].every((name) => !those.has(name))))
  const parts = alternatives.length === 1 ? text.split(and) : alternatives
  const several = parts.filter((part) => inequality.test(part)).length > 1
  const mixed = alternatives.length > 1 && and.test(text)
  return { between: !several || mixed ? null : alternatives.length > 1 ? 'or' : 'and', either }
}

const namesOf = (part: string) => new Set([...part.matchAll(named)].map(([, name]) => name))
