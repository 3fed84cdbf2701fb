import { beforeAll, describe, expect, it } from 'vitest'
import type { RunResult } from '../../activities/contracts.ts'
import { driftText, effectsText, report, stoppedText } from '../../activities/report/index.ts'
import { html } from '../../activities/report/page.ts'
import { looks } from '../../activities/report/palette.ts'
import { points } from '../../activities/report/text.ts'
import { madeUpSweep } from './sweep.ts'

const { runs, evaluations } = madeUpSweep()
type Report = Awaited<ReturnType<typeof report>>
const count = (text: string, part: string | RegExp) => text.split(part).length - 1

describe('the report of a sweep', () => {
  let made: Report
  beforeAll(async () => {
    made = await report({ sweep: 'demo', runs, evaluations })
  })

  it('is the same bytes for the same runs in any order', async () => {
    const again = await report({ sweep: 'demo', runs: [...runs].reverse(), evaluations })
    expect(again.html).toBe(made.html)
    expect(again.rows).toEqual(made.rows)
  })

  it('runs no script, loads nothing and says so to the browser', () => {
    // It links to the tables beside it, and to nothing else.
    const links = /<a href="\.\.\/(results|runs)\.csv">/g
    expect([...made.html.matchAll(links)].map(([, name]) => name)).toEqual(['results', 'runs'])
    const others = made.html.replaceAll(links, '')
    expect(others).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\son\w+=|href=/i)
    expect(made.html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
    const addresses = [...made.html.matchAll(/https?:\/\/[^"' <]+/g)].map(([address]) => address)
    expect(new Set(addresses)).toEqual(
      new Set(['http://www.w3.org/2000/svg', 'http://www.w3.org/1999/xlink']),
    )
  })

  it('has a panel a model for effects, accuracy and code, and nine a model for training', () => {
    expect(count(made.html, '<svg ')).toBe(2 * 3 + 2 * 9)
    expect(count(made.html, 'aria-label="nano/coder: accuracy, %')).toBe(1)
  })

  it('draws in the arms’ fixed colours, null in grey', () => {
    for (const hue of ['grey', 'blue', 'green', 'vermilion'])
      expect(made.html).toContain(`stroke="var(--${hue})"`)
    expect(looks(['null', 'random']).get('null')?.colour).toBe(looks(['null', 'python']).get('null')?.colour)
  })

  it('gives a row an arm and model for the results table', () => {
    expect(made.rows).toHaveLength(8)
    const row = made.rows.find(({ model, arm }) => model === 'nano/coder' && arm === 'ground-truth')
    expect(row).toMatchObject({ sweep: 'demo', benchmark: 'nano', seeds: 3, failed: 0, steps: 15 })
    const { overNull, overNullLow, overNullHigh } = row ?? {}
    expect(overNull).toBeGreaterThan(overNullLow ?? NaN)
    expect(overNull).toBeLessThan(overNullHigh ?? NaN)
  })

  it('leads each model with what the treatment earned over the random reward', () => {
    const table = made.effects.rows.find(({ arm, model }) => arm === 'ground-truth' && model === 'nano/coder')
    expect(made.html).toContain(`${points(table?.overRandom?.value ?? NaN)}<span class="range"`)
    expect(count(made.html, 'more than the random reward')).toBe(2)
  })

  it('escapes whatever a name or a failure carries', async () => {
    const [first, ...others] = runs
    const hostile: RunResult = {
      ...(first as RunResult),
      status: 'failed',
      failure: '</td><script>alert(1)</script>',
    }
    const renamed = [hostile, ...others].map((run) => ({ ...run, model: `<b onload=x>"&'` }))
    const only = renamed.filter(({ run }) => run.includes('coder'))
    const page = await report({ sweep: '<script>', runs: only, evaluations })
    expect(page.html).not.toMatch(/<script|<b onload/)
    expect(page.html).toContain('&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(effectsText(page.effects)).toContain('failed: ')
  })

  it('compares with the nights before, and names the runs that a rule stopped', async () => {
    const [head, ...others] = runs
    const stopped = [{ ...(head as RunResult), stopped: 'entropy below 0.1 for 3 steps' }, ...others]
    const nights = ['2026-11-19T03:00:00Z', '2026-11-20T03:00:00Z'].map((due) => ({ due, runs }))
    const page = await report({ sweep: 'n', runs: stopped, evaluations, nights })
    expect(page.html).toContain('Against the nights before')
    expect(count(page.html, '<td>same</td>')).toBe(8)
    expect(page.html).toContain('entropy below 0.1 for 3 steps')
    expect(driftText(page.drifts)).toBe('8 of 8 cells ended as the night before\n')
    expect(stoppedText(stopped)).toMatch(/^stopped: .* entropy below 0.1 for 3 steps\n$/)
    expect(page.rows.every(({ drift, since }) => drift === 0 && since === '2026-11-19T03:00:00Z')).toBe(true)
    expect(made.html).not.toContain('Against the nights before')
  })

  it('says so when nothing was run or evaluated', async () => {
    const empty = await report({ sweep: 'empty', runs: [] })
    expect(empty.html).toContain('nothing to compare')
    expect(empty.rows).toEqual([])
    expect(effectsText(empty.effects)).toBe('no evaluated runs\n')
  })

  it('shows one, any and most of several samples where problems have several', async () => {
    expect(made.html).not.toContain('any of several')
    const several = new Map(
      [...evaluations].map(([key, { result, outcomes, ...rest }]) => [
        key,
        {
          ...rest,
          result: { ...result, samples: 8 },
          outcomes: outcomes.map((one, i) => ({ ...one, correct: 0.25 * (i % 4), majority: i % 2 })),
        },
      ]),
    )
    const page = await report({ sweep: 'demo', runs, evaluations: several })
    expect(page.html).toContain('any of several')
    // Of four problems three have a sample that is correct, and two a majority.
    for (const [name, value] of [
      ['avg@8', '37.5'],
      ['pass@8', '75.0'],
      ['maj@8', '50.0'],
    ] as const) {
      expect(count(page.html, `${name}, start`)).toBe(1)
      expect(page.html).toContain(`<td>${value}<span class="range">`)
    }
  })

  it('holds with one step, one seed and no outcomes', async () => {
    const small = madeUpSweep({ seeds: [1], steps: 1, every: 1 })
    const page = await report({ sweep: 'small', runs: small.runs })
    expect(page.html).toContain('[no interval]')
  })
})

describe('the text of the effects', () => {
  it('aligns every line of a block and gives intervals in points', async () => {
    const { effects } = await report({ sweep: 'demo', runs, evaluations })
    const lines = effectsText(effects).split('\n')
    const block = lines.slice(1, 6)
    expect(lines[0]).toBe('nano/coder on nano')
    expect(new Set(block.map(({ length }) => length)).size).toBe(1)
    expect(block[1]).toMatch(
      /^ {2}ground-truth +3 +40\.0 +\d\d\.\d \[.+\] +\+\d\d\.\d \[\+\d\d\.\d, \+\d\d\.\d\] /,
    )
    expect(block[4]).toMatch(/^ {2}null .* - +- /)
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(120)
  })

  it.each([
    [0.31, '+31.0'],
    [-0.004, '-0.4'],
    [0.0004, '0.0'],
    [-0.0004, '0.0'],
  ])('prints %d as %s points', (value, text) => {
    expect(points(value)).toBe(text)
  })

  it('keeps control characters of a failure from the terminal', () => {
    const failure = { model: 'm', arm: 'a', seed: 1, run: 'r', step: 2, failure: 'bad\u001b[2Jend\nnext' }
    expect(effectsText({ rows: [], failures: [failure] })).toBe(
      'failed: m a seed 1 after step 2: bad [2Jend next\n',
    )
  })
})

it('escapes values in a template and keeps templates in templates', () => {
  expect(html`<i title="${`"'`}">${['<', html`<b>${1}</b>`, null]}</i>`.text).toBe(
    '<i title="&quot;&#39;">&lt;<b>1</b></i>',
  )
})
