/** Answers that are words, letters of a choice, or times of day: recognised by how they are written, before any grammar. */

/** Letters and digits only, in lower case, without articles: how words are compared. */
export function plainWords(text: string): string {
  return text
    .replace(/\\[[\]()]/g, ' ')
    .replace(/^\s*\$?[a-zA-Z]\s*=(?!.*=)/, '')
    .replace(/\\(?:text|textbf|textit|mathrm|mbox|left|right|[dt]?frac)(?![a-zA-Z])|\\[ ,;!]/g, ' ')
    .toLowerCase()
    .replace(/\b(?:the|an?)\s+(?=[a-z]{2})/g, '')
    .replace(/[\s{}()$;'"\\!*_]+|[.,](?!\d)|(?<=[a-z])-(?=[a-z])/g, '')
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
  if (answer.length > 200) return null
  const match = choice.exec(
    answer
      .replace(/\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}/g, '$1')
      .replace(/\\ |\$|~/g, ' ')
      .trim(),
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
  if (answer.length > 60) return null
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
