import { describe, expect, it } from 'vitest'
import { momentOf, type Moment } from '../../activities/contracts/moment.ts'
import { strftime } from '../../activities/policy/strftime.ts'

const at = (text: string): Moment => momentOf(text) ?? expect.fail(`${text} is no date`)

describe('a date of a spec', () => {
  it.each(['2024-07-26', '2024-02-29', '2000-02-29', '2024-07-26T14:05', '2024-07-26T23:59:59'])(
    'may be %s',
    (text) => expect(momentOf(text)).not.toBeNull(),
  )

  it.each(['2024-02-30', '2023-02-29', '1900-02-29', '2024-13-01', '2024-00-10', '2024-01-00', '2024-7-26', '26 Jul 2024', '2024-07-26T24:00', '2024-07-26T10:60', '2024-07-26 ', '0000-01-01'])(
    'is not %s',
    (text) => expect(momentOf(text)).toBeNull(),
  ) // prettier-ignore
})

describe('strftime', () => {
  // As Python 3.12's datetime(2024, 7, 6, 9, 5, 3).strftime says it: a Saturday, the 188th day of a leap year.
  it.each([
    ['%d %b %Y', '06 Jul 2024'],
    ['%Y-%m-%d', '2024-07-06'],
    ['%d %B %Y', '06 July 2024'],
    ['%A, %B %-d, %Y', 'Saturday, July 6, 2024'],
    ['%a %e %h %y', 'Sat  6 Jul 24'],
    ['%j %U %W %u %w %C', '188 26 27 6 6 20'],
    ['%F %D %x', '2024-07-06 07/06/24 07/06/24'],
    ['%H:%M:%S %I %p %T %R %X %f', '09:05:03 09 AM 09:05:03 09:05 09:05:03 000000'],
    ['%-H %-I %-m %-j', '9 9 7 188'],
    ['%c', 'Sat Jul  6 09:05:03 2024'],
    ['100%% [%Z%z]%n%t', '100% []\n\t'],
    ['no directive', 'no directive'],
  ])('writes %s as %s', (format, expected) =>
    expect(strftime(format, at('2024-07-06T09:05:03'))).toBe(expected),
  )

  // As Python 3.11's datetime(999, 1, 2, 0, 5, 9) says it: a flag changes numbers, not what is made of several.
  it.each([
    ['%-T %-R %-X %T', '00:05:09 00:05 00:05:09 00:05:09'],
    ['%-D %-x %D', '01/02/99 01/02/99 01/02/99'],
    ['%-f %f', '%-f 000000'],
    ['%C %-C %-H %-M %-d %-j', '9 9 0 5 2 2'],
  ])('writes %s early in the day, long ago, as %s', (format, expected) =>
    expect(strftime(format, at('0999-01-02T00:05:09'))).toBe(expected),
  )

  // 1 January 2000 was a Saturday, 1 March 2100 will be a Monday, 29 February 2024 was a Thursday.
  it.each([
    ['2000-01-01', 'Saturday 001'],
    ['2100-03-01', 'Monday 060'],
    ['2024-02-29', 'Thursday 060'],
    ['1970-01-01', 'Thursday 001'],
  ])('knows what day %s was', (text, expected) => expect(strftime('%A %j', at(text))).toBe(expected))

  it('invents no time of day for a date alone, and no word for a directive that there is not', () => {
    expect(() => strftime('%H', at('2024-07-26'))).toThrow('asks for the time of day (%H), expected "date": ')
    expect(() => strftime('%q', at('2024-07-26'))).toThrow('another directive than %Y')
    expect(() => strftime('%', at('2024-07-26'))).toThrow('another directive than')
  })
})
