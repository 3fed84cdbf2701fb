import { expect, it } from 'vitest'
import { csv } from '../../activities/report/csv.ts'

it('has a header, CRLF at the end of each line, and quotes where a field has any of them, a comma or a line', () => {
  const rows = [
    { model: 'a,b', note: 'says "no"', steps: 3 },
    { model: 'two\nlines', note: 'two\r\nlines' },
  ]
  expect(csv(rows)).toBe('model,note,steps\r\n"a,b","says ""no""",3\r\n"two\nlines","two\r\nlines",\r\n')
})

it('numbers stay numbers, signs and exponents too; what was not measured is empty', () => {
  const row = { a: -0.5, b: 1e-7, c: 0, d: null, e: 12345678.25 }
  expect(csv([row])).toBe('a,b,c,d,e\r\n-0.5,1e-7,0,,12345678.25\r\n')
})

it.each([
  ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
  ['+1', `'+1`],
  ['-1+cmd', `'-1+cmd`],
  ['@SUM(A1)', `'@SUM(A1)`],
  ['\t=1', `'\t=1`],
  [' \u00a0=1', `' \u00a0=1`],
  ['\u200b=1', `'\u200b=1`],
  ['\r=1', `"'\r=1"`],
  ['＝1', `'＝1`],
])('a text that a spreadsheet would compute stays text: %j', (text, field) => {
  expect(csv([{ text }])).toBe(`text\r\n${field}\r\n`)
})

it.each(['nano/coder', 'a=b', '1-2', '47', "it's", '数学', ''])('any other text is as it was: %j', (text) => {
  expect(csv([{ text }])).toBe(`text\r\n${text}\r\n`)
})

it('columns that are named are there without a row', () => {
  expect(csv([], ['a', 'b'])).toBe('a,b\r\n')
  expect(csv([])).toBe('')
})
