/** Answers that are words, letters of a choice, or times of day: recognised by how they are written, before any grammar. */

/** Letters and digits only, in lower case, without articles: how words are compared. */
export function plainWords(text: string): string {
  return text
    .replace(/\\[[\]()]/g, ' ')
    .replace(/^\s*\$?[a-zA-Z]\s*=(?!.*=)/, '')
    .replace(/\\(?:text|textbf|textit|mathrm|mbox|left|right|[dt]?frac)(?![a-zA-Z])|\\[ ,;!]/g, ' ')
    .replace(/(?<=\d)\s+(?=\d)/g, '|')
    .replace(/\\(?:p|b)?mod(?![a-z])/g, 'mod')
    .toLowerCase()
    .replace(/\b(?:the|an?)\s+(?=[a-z]{2})/g, '')
    .replace(/[\s{}()$;'"\\!*_]+|[.,](?!\d)|(?<=[a-z])-(?=[a-z])/g, '')
}

const nothing = new RegExp(
  '^(?:(?:there(?:is|are|exists?)|(?:(?:the)?(?:equation|system|inequality|problem)|it)?has)?no(?:such)?(?:real|integer|positive|rational|valid|possible|common|finite)*' +
    '(?:solutions?|roots?|values?|answers?|numbers?|integers?|pairs?|triples?|functions?|limit)(?:exists?|(?:in|of|for)?[xnkmr])?' +
    '|nosuch[a-z]{1,12}(?:exists?)?|none(?:exists?)?|dne|(?:it|(?:the)?limit|there)?(?:doesnot|doesnt|donot|not)exist(?:such[a-z]{1,20})?|nonexistent|nullset|solutionsetisempty' +
    '|(?:x=|xin)?(?:emptyset|varnothing)|无实?数?解|無解|不存在|空集|解なし|нетрешений|sinsolución|keinelösung|aucunesolution)$',
)

const mayBeNothing = /no|dne|emptyset|exist|[∅无無不空]|解なし|нет|sin|kein|aucune|\\\{/i

/** Whether a text says that there is no answer: \\emptyset, {}, "no real solutions", "DNE". */
export function isNothing(text: string): boolean {
  if (text.length > 80 || /\d/.test(text) || !mayBeNothing.test(text)) return false
  if (text.includes('\\{'))
    return /^[\s$]*\\\{\s*\\\}[\s$]*$/.test(text.replace(/\\(?:left|right)(?![a-z])/g, ''))
  return nothing.test(plainWords(text.replace(/∅/g, '\\emptyset')).replace(/[’∈]/g, ''))
}

/** The numbered statements that are right, ①③ or (1)(3), as a set; null for other answers. */
export function statementsOf(answer: string): string | null {
  if (answer.length > 100 || !/[①-⑳]|\)\s*\(/.test(answer)) return null
  const plain = answer.replace(/\\(?:text|mathrm)(?![a-zA-Z])|[\s${}\\]|[,，、和与]/g, '')
  if (!/^(?:[①-⑳]+|(?:\(\d\)){2,})$/.test(plain)) return null
  const marks = plain.match(/[①-⑳]|\d/g) ?? []
  return [...new Set(marks.map((mark) => (mark > '9' ? mark.charCodeAt(0) - 0x245f : Number(mark))))]
    .sort((a, b) => a - b)
    .join()
}

/** Letters of several right choices, and whether something stands between them; null for other answers. */
export function lettersOf(answer: string): { readonly letters: string; readonly apart: boolean } | null {
  if (answer.length > 60 || /\d/.test(answer) || !/[A-H]/.test(answer)) return null
  const plain = answer.replace(/\\(?:text|textbf|mathrm|mathbf)(?![a-zA-Z])|[${}()]/g, '').trim()
  const letters = plain.replace(/\s*(?:[,;、和]|\band\b|\s)\s*/g, '')
  if (!/^[A-H]{2,8}$/.test(letters) || new Set(letters).size < letters.length) return null
  return { letters: [...letters].sort().join(''), apart: letters !== plain }
}

/** Digits of base sixteen, 1A2B_{16} or 0x1F, as they stand; null for what may be a product, as 3x and 2A. */
function codeOf(answer: string): string | null {
  const plain = answer.replace(/[\s$]/g, '').replace(/_\{?\(?16\)?\}?$/, '')
  if (plain.length > 40 || !/^(?:0[xX][\dA-Fa-f]+|\d+[A-F][\dA-F]*\d[\dA-F]*)$/.test(plain)) return null
  return plain.toLowerCase()
}

/** 1A2B is no product beside 2B1A; beside 2AB it may be one. */
export function codesApart(gold: string, answer: string): boolean {
  const [a, b] = [codeOf(gold), codeOf(answer)]
  return a !== null && b !== null && a !== b
}

export interface Choice {
  readonly letter: string
  /** What follows the letter; empty for the letter alone. */
  readonly text: string
}

/** Letters of lettered choices in the public sets; beyond J a letter is more likely a quantity's name. */
const choice = /^\(?([A-J])(?:$|\)$|\)[.:\s]+(?=[^\s+\-*/=^,<>])|[.:]\s+(?=\S)|\s+(?=[A-Z][a-z]))([^]*)$/

/** A choice's letter, alone or before its text: E, (E), (E) 42, E. Alina. Null for other answers. */
export function choiceOf(answer: string): Choice | null {
  if (answer.length > 200 || !/[A-J]/.test(answer)) return null
  const match = choice.exec(
    answer
      .replace(/\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}/g, '$1')
      .replace(/\\ |\$|~/g, ' ')
      .trim()
      .replace(/^(?:option|choice|answer)\s*:?\s*(?=\(?[A-J]\)?\.?$)/i, ''),
  )
  return match === null ? null : { letter: match[1]!, text: match[2]!.trim() }
}

export interface Time {
  readonly seconds: number // after midnight, by the half of the day where one is written
  readonly hour: number // as written
  readonly half: 'am' | 'pm' | null
  /** Seconds or a half of the day are written, so it is no ratio. */
  readonly certain: boolean
}

const time = /^(\d{1,2}):(\d\d)(?::(\d\d))?\s*\(?([ap])?(?:(?<=[ap])\.?\s*m\.?)?\)?$/

export function timeOf(answer: string): Time | null {
  if (answer.length > 60 || !answer.includes(':')) return null
  const plain = answer
    .replace(/\\[[\]()]/g, ' ')
    .replace(/^\s*\$?[a-zA-Z]\s*=(?!.*=)/, '')
    .replace(/\\(?:text|textsc|mathrm|mbox)\s*\{([^{}]*)\}/g, '$1')
    .replace(/\\[!,;: ]|[$~{}]/g, ' ')
    .toLowerCase()
    .replace(/\s*:\s*/g, ':')
    .trim()
  const match = time.exec(plain)
  if (match === null) return null
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
  if (hour > 24 || minute > 59 || second > 59) return null
  const half = match[4] === undefined ? null : match[4] === 'a' ? 'am' : 'pm'
  const hours = half === null ? hour : (hour % 12) + (half === 'pm' ? 12 : 0)
  return {
    seconds: 3600 * hours + 60 * minute + second,
    hour,
    half,
    certain: half !== null || match[3] !== undefined,
  }
}
