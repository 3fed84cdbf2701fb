/**
 * Today, as a chat template asks for it (`strftime_now`): the date that the spec gives, never the clock's, in the words
 * of C's strftime in its own locale, which is what transformers gives a template by Python. Arithmetic on the civil
 * calendar; no time zone takes part. Leaves out: directives of other locales, and what only a clock can know.
 */
import { daysOf, type Moment } from '../contracts/moment.ts'
import { PromptRefused } from './refused.ts'

/** How a spec writes it. */
export const dateForm =
  '"date": "2024-07-26" (or "2024-07-26T14:05:00", where the template asks for the hour)'

const months = 'January February March April May June July August September October November December'.split(
  ' ',
)
const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** 1 to 366. */
function dayOfYear({ year, month, day }: Moment): number {
  let days = day
  for (let before = 1; before < month; before++) days += daysOf(year, before)
  return days
}

/** 0 is Sunday. Gauss: the 1st of January of year y is 1 + 5 ((y-1) mod 4) + 4 ((y-1) mod 100) + 6 ((y-1) mod 400), mod 7. */
function weekday(moment: Moment): number {
  const y = moment.year - 1
  const first = (1 + 5 * (y % 4) + 4 * (y % 100) + 6 * (y % 400)) % 7
  return (first + dayOfYear(moment) - 1) % 7
}

const nth = (words: readonly string[], i: number) => words[i] ?? ''
const two = (n: number) => String(n).padStart(2, '0')

/** Of a moment's day. */
const dates: Readonly<Record<string, (moment: Moment) => string>> = {
  Y: ({ year }) => String(year),
  C: ({ year }) => String(Math.floor(year / 100)),
  y: ({ year }) => two(year % 100),
  m: ({ month }) => two(month),
  B: ({ month }) => nth(months, month - 1),
  b: ({ month }) => nth(months, month - 1).slice(0, 3),
  h: ({ month }) => nth(months, month - 1).slice(0, 3),
  d: ({ day }) => two(day),
  e: ({ day }) => String(day).padStart(2),
  j: (moment) => String(dayOfYear(moment)).padStart(3, '0'),
  A: (moment) => nth(weekdays, weekday(moment)),
  a: (moment) => nth(weekdays, weekday(moment)).slice(0, 3),
  w: (moment) => String(weekday(moment)),
  u: (moment) => String(weekday(moment) || 7),
  U: (moment) => two(Math.floor((dayOfYear(moment) + 6 - weekday(moment)) / 7)),
  W: (moment) => two(Math.floor((dayOfYear(moment) + 6 - ((weekday(moment) + 6) % 7)) / 7)),
  F: (moment) => strftime('%Y-%m-%d', moment),
  D: (moment) => strftime('%m/%d/%y', moment),
  x: (moment) => strftime('%m/%d/%y', moment),
  n: () => '\n',
  t: () => '\t',
  '%': () => '%',
  // A date without a zone has none to name.
  Z: () => '',
  z: () => '',
}

type Time = NonNullable<Moment['time']>
/** Of the time of day. */
const times: Readonly<Record<string, (time: Time) => string>> = {
  H: ({ hour }) => two(hour),
  I: ({ hour }) => two(hour % 12 || 12),
  M: ({ minute }) => two(minute),
  S: ({ second }) => two(second),
  f: () => '000000',
  p: ({ hour }) => (hour < 12 ? 'AM' : 'PM'),
  T: (time) => [time.hour, time.minute, time.second].map(two).join(':'),
  X: (time) => [time.hour, time.minute, time.second].map(two).join(':'),
  R: ({ hour, minute }) => `${two(hour)}:${two(minute)}`,
}

/** What is made of several numbers, whose zeros a flag leaves alone. */
const composites = 'FDxcTXR'

/**
 * `%-d` is glibc's: a number without zeros or blanks before it. Python alone knows %f, so that %-f stays as it stands.
 * Throws PromptRefused, naming the directive.
 */
export function strftime(format: string, moment: Moment): string {
  return format.replace(/%(-?)([\s\S]|$)/g, (whole, bare: string, directive: string) => {
    if (whole === '%-f') return whole
    const text = valueOf(directive, moment)
    return bare === '' || composites.includes(directive) ? text : text.replace(/^[0 ]+(?=.)/, '')
  })
}

function valueOf(directive: string, moment: Moment): string {
  const ofDay = Object.hasOwn(dates, directive) ? dates[directive] : undefined
  if (ofDay !== undefined) return ofDay(moment)
  if (directive === 'c') return `${strftime('%a %b %e', moment)} ${valueOf('T', moment)} ${moment.year}`
  const ofTime = Object.hasOwn(times, directive) ? times[directive] : undefined
  if (ofTime === undefined) {
    const known = [...Object.keys(dates), ...Object.keys(times), 'c'].map((one) => `%${one}`).join(' ')
    throw new PromptRefused(`the chat template asks strftime_now for another directive than ${known}`)
  }
  if (moment.time === null)
    throw new PromptRefused(
      `the chat template asks for the time of day (%${directive}), expected ${dateForm}`,
    )
  return ofTime(moment.time)
}
