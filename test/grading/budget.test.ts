/** Hostile input: no pair throws, and none costs more than the budget and one step a character, whatever the machine. */
import { describe, expect, it } from 'vitest'
import { guarded, operations, spend, within } from '../../activities/grading/budget.ts'
import { budgetOfComparison } from '../../activities/grading/equivalent.ts'
import { grade } from '../../activities/grading/index.ts'

const many = (count: number, text: (i: number) => string, between = '+') =>
  Array.from({ length: count }, (_, i) => text(i)).join(between)

const hostile: readonly (readonly [name: string, text: string])[] = [
  ['a power tower', '9^{9^{9^{9}}}'],
  ['a tall power tower', '9^'.repeat(900) + '9'],
  ['a factorial', '100000!'],
  ['factorials of factorials', '(((9!)!)!)!'],
  ['a signed tower of factorials', '3' + '!'.repeat(1900)],
  ['a binomial of a huge number', '\\binom{10^{1000}}{300}'],
  ['a power beyond the budget of bits', `${'9'.repeat(900)}^{4000}`],
  ['a root of a huge number', `\\sqrt[60]{${'7'.repeat(900)}}`],
  ['digits', '9'.repeat(1999)],
  ['200 kB of digits', '9'.repeat(200_000)],
  ['200 kB of one letter', 'a'.repeat(200_000)],
  ['fractions without a common denominator', many(120, (i) => `1/${10_000_000_000 + 2 * i + 1}`)],
  ['fractions of fractions', '\\frac1'.repeat(300) + '2'],
  ['a continued fraction', '\\frac{1}{1+'.repeat(150) + '2' + '}'.repeat(150)],
  ['a product of sums', many(100, (i) => `(x+${i})`, '')],
  ['powers of powers of sums', '((((a+b)^8)^8)^8)^8'],
  ['roots of many numbers', many(200, (i) => `\\sqrt{${1_000_003 + 7 * i}}`)],
  ['a long list of symbols', many(300, (i) => `x+${i}`, ',')],
  ['a long list of roots', many(150, (i) => `\\sqrt{x+${i}}`, ',')],
  ['a product of many matrices', '\\begin{pmatrix}x&2\\\\3&4\\end{pmatrix}'.repeat(50)],
  ['50,000 braces', '{'.repeat(50_000) + '1' + '}'.repeat(50_000)],
  ['900 parentheses', '('.repeat(900) + '1' + ')'.repeat(900)],
  ['20,000 unclosed boxes', '\\boxed{'.repeat(20_000)],
  ['20,000 nested boxes', '\\boxed{'.repeat(20_000) + '1' + '}'.repeat(20_000)],
  ['18,000 boxes in a row', '\\boxed{1}, '.repeat(18_000)],
  ['unclosed texts', '\\text{'.repeat(300)],
  ['signs', '-'.repeat(1900) + '1'],
  ['what almost groups thousands', '123,'.repeat(400) + '1'],
  ['spaces', 'x' + ' '.repeat(199_990) + 'x'],
  ['dollars', '$1'.repeat(100_000)],
  ['unclosed formulas', '\\('.repeat(100_000)],
  ['statements', 'the answer is '.repeat(14_000)],
  ['closing tags', '</think>'.repeat(25_000)],
  ['opening tags', '<answer>'.repeat(25_000)],
  ['markers of turns', '<|im_end|>'.repeat(20_000)],
  ['backslashes', '\\'.repeat(200_000)],
  ['bidirectional text', '\u202e\u2066\u05d0\u0663'.repeat(50_000)],
  ['lone surrogates', '\ud800'.repeat(200_000)],
  ['lone surrogates in a box', `\\boxed{${'\udc00'.repeat(1000)}}`],
  ['combining marks', 'e' + '\u0301'.repeat(199_990)],
  ['null characters', '\u0000'.repeat(200_000)],
]

// Each candidate answer is compared with the gold text and with the answer within it: at most four comparisons.
const most = 4 * budgetOfComparison

describe.each(hostile)('%s', (_, text) => {
  it.each<[role: string, gold: string, completion: string]>([
    ['a completion', '5', text],
    ['a boxed answer', '5', `\\boxed{${text}}`],
    ['an answer beside its like', `${text}+1`, `\\boxed{${text}}`],
    ['a gold answer', text, '\\boxed{5}'],
  ])('has a verdict within the budget as %s', (_, gold, completion) => {
    const verdicts: string[] = []
    const spent = operations(() => verdicts.push(grade({ gold, completion }).verdict))
    expect(verdicts[0]).toMatch(/^(?:correct|incorrect|unparsed)$/)
    expect(spent).toBeLessThan(most + 2 * (gold.length + completion.length))
  })
})

describe('a budget', () => {
  it('ends work that would exceed it, and leaves an error of the work alone', () => {
    const forever = () => {
      for (;;) spend(1)
    }
    expect(within<string>(1000, forever, () => 'otherwise')).toBe('otherwise')
    expect(within(1000, () => 'done', () => 'otherwise')).toBe('done') // prettier-ignore
    expect(() => within(1000, () => { throw new TypeError('theirs') }, () => 0)).toThrow('theirs') // prettier-ignore
  })

  it('counts what was spent, 100 by 100 steps of 1', () => {
    expect(operations(() => { for (let i = 0; i < 100; i++) spend(1) })).toBe(100) // prettier-ignore
  })

  it('costs a fifth of itself at most on long answers that people write', () => {
    const gold = '\\frac{10 \\cdot \\binom{25}{6}\\binom{19}{7}\\binom{12}{4}}{\\binom{25}{5}\\binom{20}{5}}'
    const completion = `${'We count the ways. '.repeat(400)}\\boxed{${gold} + 0}`
    expect(operations(() => grade({ gold, completion }))).toBeLessThan(budgetOfComparison / 5)
  })
})

it('what fails in a guarded comparison is judged otherwise, and what runs out is for the budget around it', () => {
  const fails = () => {
    throw new TypeError('undefined is not iterable')
  }
  expect(guarded<number>(fails, () => 7)).toBe(7)
  expect(guarded(() => 5, fails)).toBe(5)
  expect(
    within(
      10,
      () => guarded(() => (spend(11), 'spent'), () => 'guarded'), // prettier-ignore
      () => 'exhausted',
    ),
  ).toBe('exhausted')
})
