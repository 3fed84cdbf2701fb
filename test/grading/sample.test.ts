/** Formulas that bend: |x| and ⌊x⌋ are other formulas on either side of a value, and both sides are looked at. */
import { describe, expect, it } from 'vitest'
import { equivalent } from '../../activities/grading/index.ts'

const names = 'x y z a b c n m p q r s t u v w k \\theta x_1 x_2'.split(' ')
const pairs = names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b] as const))

describe('a formula that bends', () => {
  it.each(names)('at 0: |%s| is that of the opposite, and no other', (x) => {
    expect(equivalent(`|${x}|`, `|-${x}|`)).toBe(true)
    expect(equivalent(`|${x}|`, x)).toBe(false)
    expect(equivalent(`|${x}|`, `-${x}`)).toBe(false)
  })

  it(`in two names: |x| + |y| is |x + y| for one sign only (all ${pairs.length} pairs of names)`, () => {
    const accepted = (gold: (a: string, b: string) => string, answer: (a: string, b: string) => string) =>
      pairs.filter(([a, b]) => equivalent(gold(a, b), answer(a, b)))
    expect(
      accepted(
        (a, b) => `|${a}|+|${b}|`,
        (a, b) => `|${a}+${b}|`,
      ),
    ).toEqual([])
    expect(
      accepted(
        (a, b) => `|${a}|-|${b}|`,
        (a, b) => `|${a}-${b}|`,
      ),
    ).toEqual([])
    expect(
      accepted(
        (a, b) => `|${a}|+|${b}|=1`,
        (a, b) => `|${a}+${b}|=1`,
      ),
    ).toEqual([])
    expect(
      accepted(
        (a, b) => `|${a} ${b}|`,
        (a, b) => `|${a}||${b}|`,
      ),
    ).toEqual(pairs)
  })

  it.each([3, 30, 300, 1000])('away from 0: |x + %i| - %i is x for positive x only', (n) => {
    expect(equivalent(`|x+${n}|-${n}`, `|x+${n + 1}|-${n + 1}`)).toBe(false)
    expect(equivalent(`|x+${n}|-${n}`, 'x')).toBe(false)
    expect(equivalent(`|x+${n}|-${n}`, `|-x-${n}|-${n}`)).toBe(true)
  })

  it('by whole numbers: ⌊-x⌋ is -⌈x⌉, and not -⌊x⌋', () => {
    expect(equivalent('\\lfloor -x \\rfloor', '-\\lceil x \\rceil')).toBe(true)
    expect(equivalent('\\lfloor -x \\rfloor', '-\\lfloor x \\rfloor')).toBe(false)
  })
})
