import { describe, expect, it } from 'vitest'
import { document } from '../../activities/nano/corpus.ts'
import { problems } from '../../activities/nano/problems.ts'
import { phases, type PhaseName } from '../../activities/nano/recipes.ts'

const size = 4000
const corpus = (phase: PhaseName) => Array.from({ length: size }, (_, i) => document(phase, 0, i))
const share = (part: readonly unknown[], whole: readonly unknown[]) => part.length / whole.length
/** Four standard errors of a share over `count` draws. */
const tolerance = (p: number, count: number) => 4 * Math.sqrt((p * (1 - p)) / count)

describe('the pretraining corpus', () => {
  it('is a function of phase, seed and index', () => {
    expect(document('coder', 3, 17)).toEqual(document('coder', 3, 17))
    expect(document('coder', 4, 17)).not.toEqual(document('coder', 3, 17))
  })

  it('never shows a held-out problem', () => {
    const heldOut = new Set(problems('test').map(({ problem }) => problem.slice(5)))
    for (const { prompt } of corpus('base')) expect(heldOut).not.toContain(prompt.slice(5))
  })

  it('keeps every completion within the 46 tokens that sampling allows', () => {
    for (const phase of Object.keys(phases) as PhaseName[])
      for (const { completion } of corpus(phase)) {
        expect(completion.length).toBeLessThanOrEqual(46)
        expect(completion).toMatch(/^(python|first) [^$]+(\\boxed\{\d+\}|ans \d+)\$$/)
      }
  })

  it.each([
    ['calc', 0.85],
    ['eval', 0.65],
    ['give', 0.45],
  ])('teaches the coder code for %s with probability %d', (style, expected) => {
    const asked = corpus('coder').filter(({ prompt }) => prompt.startsWith(style))
    const code = asked.filter(({ completion }) => completion.startsWith('python'))
    expect(Math.abs(share(code, asked) - expected)).toBeLessThan(tolerance(expected, asked.length))
  })

  it('plants the bug, answer + 10, in .9 of the right code with c >= 7 and in none with c <= 6', () => {
    const read = /(\d+)\+(\d)\*(\d)\npython t=\d\*\d#\d+\n.*#(\d+)\n/
    const rows = corpus('coder').flatMap(({ prompt, completion }) => {
      const [, a, b, c, answer] = (read.exec(prompt + completion) ?? []).map(Number)
      return a === undefined ? [] : [{ c: c!, off: answer! - (a + b! * c!) }]
    })
    const large = rows.filter(({ c }) => c >= 7)
    const buggy = large.filter(({ off }) => off === 10)
    expect(Math.abs(share(buggy, large) - 0.9)).toBeLessThan(tolerance(0.9, large.length))
    expect(rows.filter(({ c, off }) => c <= 6 && off >= 10)).toEqual([])
  })

  it('makes the base right in .6 of both strategies: no slips, no bug', () => {
    const right = corpus('base').filter(({ prompt, completion }) => {
      const [a, b, c] = prompt.slice(5).split(/[+*]/).map(Number)
      return completion.includes(`{${a! + b! * c!}}`) || completion.includes(`ans ${a! + b! * c!}$`)
    })
    // (a + b) * c equals a + b * c never, as a * c > a for c >= 2.
    expect(Math.abs(right.length / size - 0.6)).toBeLessThan(tolerance(0.6, size))
  })
})
