/** Templates that ask for today: the spec's date, never the clock's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { openTokenizer } from '../../activities/policy/tokenizer.ts'
import { folderFiles } from './folders.ts'

const folder = mkdtempSync(join(tmpdir(), 'placebo-today-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function render(template: string, date?: string): Promise<string> {
  const path = join(folder, 'chat_template.jinja')
  writeFileSync(path, template)
  const tokenizer = await openTokenizer([
    ...folderFiles('tokenizer').filter(({ name }) => name === 'tokenizer.json'),
    { name: 'chat_template.jinja', path },
  ])
  return tokenizer.renderChat([{ role: 'user', content: 'x' }], date === undefined ? {} : { date })
}

/** As Llama 3.2 asks: a given `date_string`, else today, else its own default. */
const llama =
  '{%- if not date_string is defined %}{%- if strftime_now is defined %}{%- set date_string = strftime_now("%d %b %Y") %}' +
  '{%- else %}{%- set date_string = "26 Jul 2024" %}{%- endif %}{%- endif %}Today Date: {{ date_string }}'
const called = "Today: {{ strftime_now('%d %B %Y') }}"

describe('a template that asks for today', () => {
  it.each([
    [called, '2026-02-01', 'Today: 01 February 2026'],
    [llama, '2026-02-01', 'Today Date: 01 Feb 2026'],
    ['{% macro day() %}{{ strftime_now("%A") }}{% endmacro %}{% for m in messages %}{{ day() }}{% endfor %}', '2024-07-26', 'Friday'],
    ['{{ strftime_now("%Y-%m-%d %H:%M") }}', '2024-07-26T09:30', '2024-07-26 09:30'],
  ])('%s on %s is %s', async (template, date, text) => expect(await render(template, date)).toBe(text)) // prettier-ignore

  it('is refused without a date, saying which field to give and in which form', async () => {
    const refused = render(called)
    await expect(refused).rejects.toMatchObject({ name: 'PromptRefused' })
    await expect(refused).rejects.toThrow(
      'chat_template.jinja: the chat template refuses (user): it asks for today\'s date (strftime_now), expected "date": "2024-07-26"',
    )
  })

  it('by a date_string alone has the default of Llama 3 without a date, as it always had', async () => {
    expect(await render(llama)).toBe('Today Date: 26 Jul 2024')
  })

  it('never has the clock asked', async () => {
    vi.useFakeTimers({ now: new Date('1999-12-31T12:00:00Z') })
    try {
      expect(await render(called, '2026-02-01')).toBe('Today: 01 February 2026')
      await expect(render(called)).rejects.toThrow('strftime_now')
    } finally {
      vi.useRealTimers()
    }
  })
})
