/** Laws of equality, on answers that fast-check makes: the same numbers written in many ways, sums, roots and lists of them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareOpenly } from '../../activities/grading/equivalent.ts'
import { defaultPolicy, equivalent, grade } from '../../activities/grading/index.ts'

const whole = fc.integer({ min: -999, max: 999 })
const positive = fc.integer({ min: 2, max: 99 })
const fraction = fc.tuple(whole, positive).map(([n, d]) => `\\frac{${n}}{${d}}`)
const root = fc.tuple(positive, positive).map(([a, b]) => `${a}\\sqrt{${b}}`)
const term = fc.oneof(
  whole.map(String),
  fraction,
  root,
  positive.map((n) => `${n}\\pi`),
  positive.map((n) => `${n}x`),
)
const sum = fc.array(term, { minLength: 1, maxLength: 4 }).map((terms) => terms.join(' + '))
const tuple = fc.array(sum, { minLength: 2, maxLength: 3 }).map((items) => `(${items.join(', ')})`)
const answer = fc.oneof(sum, tuple, sum.map((text) => `x = ${text}`)) // prettier-ignore

const pieces =
  '\\frac|{|}|\\sqrt|^|_|12|x|(|]|[|)|\\boxed{|,|-|\\pm|=|<|\\le|\\in|\\cup||!|:|%|\\text{|\\left|\\begin{pmatrix}|\\\\|&|i|\\pi|\\infty|.|$|and|°|…| \\in |\\mathbb{Z}|\\mathbb{N}|A| \\to | \\Rightarrow | or '
const noise = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom(...pieces.split('|'), '|'), { maxLength: 40 }).map((parts) => parts.join('')),
)

/** What stands on both sides of relations that have a direction, and conditions beside values. */
const side = fc.constantFrom('x', 'k', 'A', 'B', '2', '\\mathbb{Z}', '\\mathbb{N}', '[0,1]', '\\{1,2\\}', '(1,2)') // prettier-ignore
const sign = fc.constantFrom(' \\in ', ' \\notin ', ' \\to ', ' \\Rightarrow ', ' \\mapsto ', ' \\subset ', ' = ', ' < ', ' \\ne ') // prettier-ignore
const statement = fc.tuple(side, sign, side).map((parts) => parts.join(''))
const statements = fc
  .tuple(
    fc.constantFrom('', 'k\\pi, ', 'x = 2k\\pi, '),
    fc.array(statement, { minLength: 1, maxLength: 3 }),
    fc.constantFrom(', ', ' and ', ' or ', '; '),
  ) // prettier-ignore
  .map(([value, all, join]) => value + all.join(join))

const settings = { numRuns: 400, seed: 1 }

/** Ways to write a sum that leave its value alone. */
const rewrites: readonly (readonly [name: string, rewrite: (text: string) => string])[] = [
  ['halves of twice it', (text) => `\\frac{2\\left(${text}\\right)}{2}`],
  ['its terms in reverse', (text) => text.split(' + ').reverse().join(' + ')],
  ['zero added', (text) => `${text} + 0`],
  ['subtracted twice', (text) => `-(-(${text}))`],
  ['display fractions', (text) => text.replaceAll('\\frac', '\\dfrac')],
  ['roots as powers', (text) => text.replace(/\\sqrt\{(\d+)\}/g, '{$1}^{1/2}')],
  ['quotients in plain text', (text) => text.replace(/\\frac\{(-?\d+)\}\{(\d+)\}/g, '($1/$2)')],
  ['dollars around it', (text) => `$${text}$`],
  ['a full stop', (text) => `${text}.`],
]

/** Changes of a sum that change its value. */
const mutations: readonly (readonly [name: string, mutate: (text: string) => string])[] = [
  ['one added', (text) => `${text} + 1`],
  ['a little added', (text) => `${text} + \\frac{1}{10^{12}}`],
  ['another variable added', (text) => `${text} + w`],
  ['a root of a prime added', (text) => `${text} + \\sqrt{101}`],
  ['a further value', (text) => `${text}, 12345`],
]

describe('equality of answers', () => {
  it('is reflexive, boxed too', () => {
    fc.assert(
      fc.property(answer, (text) => {
        expect(equivalent(text, ` ${text} `)).toBe(true)
        expect(equivalent(text, text.replaceAll(' ', ''))).toBe(true)
        expect(grade({ gold: text, completion: `so \\boxed{${text}}` }).verdict).toBe('correct')
      }),
      settings,
    )
  })

  it('is symmetric', () => {
    fc.assert(
      fc.property(fc.oneof(answer, noise, statements), fc.oneof(answer, noise, statements), (a, b) => {
        expect(equivalent(a, b)).toBe(equivalent(b, a))
      }),
      { ...settings, numRuns: 1500 },
    )
  })

  it.each(rewrites)('survives %s', (_, rewrite) => {
    fc.assert(
      fc.property(sum, (text) => {
        expect(equivalent(text, rewrite(text))).toBe(true)
      }),
      settings,
    )
  })

  it.each(mutations)('ends with %s', (_, mutate) => {
    fc.assert(
      fc.property(sum, (text) => {
        expect(equivalent(text, mutate(text))).toBe(false)
      }),
      settings,
    )
  })

  it('agrees with arithmetic on fractions', () => {
    fc.assert(
      fc.property(whole, positive, whole, positive, (a, b, c, d) => {
        expect(equivalent(`\\frac{${a}}{${b}}`, `${c}/${d}`)).toBe(a * d === c * b)
      }),
      settings,
    )
  })

  it('fails on no two statements, the guard against failures taken away', () => {
    fc.assert(
      fc.property(fc.oneof(statements, noise), fc.oneof(statements, noise), (a, b) => {
        expect(compareOpenly(a, b, defaultPolicy)).toHaveProperty('equal', equivalent(a, b))
      }),
      { ...settings, numRuns: 3000 },
    )
  })

  it('is total: any two texts have a verdict, and the same one again', () => {
    fc.assert(
      fc.property(noise, noise, (gold, text) => {
        for (const completion of [text, `\\boxed{${text}}`]) {
          const first = grade({ gold, completion })
          expect(['correct', 'incorrect', 'unparsed']).toContain(first.verdict)
          expect(grade({ gold, completion })).toEqual(first)
        }
      }),
      { ...settings, numRuns: 1500 },
    )
  })
})
