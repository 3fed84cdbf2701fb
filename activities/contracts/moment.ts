/** A date as a spec writes it, with or without a time of day: the civil calendar's (Gregory's), of no time zone. */

export interface Moment {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  /** Of its day, null where the spec gives a date alone. */
  readonly time: { readonly hour: number; readonly minute: number; readonly second: number } | null
}

const written = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?)?$/

/** The moment that `2024-07-26` or `2024-07-26T14:05:00` names; null for any other text, the 30th of February too. */
export function momentOf(text: string): Moment | null {
  const found = written.exec(text)
  if (found === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0))
  const isDay = year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
  if (!isDay || hour > 23 || minute > 59 || second > 59) return null
  return { year, month, day, time: found[4] === undefined ? null : { hour, minute, second } }
}

const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
export const daysOf = (year: number, month: number) =>
  month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
