import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boxes, lastBox } from '../../activities/grading/extract.ts'
import { GRADER_VERSION, equivalent, grade, type Grade } from '../../activities/grading/index.ts'

describe('the answer of a completion', () => {
  it.each<[completion: string, answer: string | null, why: string]>([
    ['so \\boxed{47}$', '47', 'text after the box does not matter'],
    ['\\boxed{1} then \\boxed{2}', '2', 'the last box'],
    ['\\boxed{\\frac{1}{2}}', '\\frac{1}{2}', 'braces inside'],
    ['\\boxed{\\{1, 2\\}}', '\\{1, 2\\}', 'escaped braces are no braces'],
    ['\\boxed {7}', '7', 'a space before the brace'],
    ['\\fbox{7}', '7', 'the other command'],
    ['\\boxed{5} and \\boxed{', '5', 'an unclosed box is none'],
    ['\\boxed{ \\boxed{5}', '5', 'an unclosed box around one'],
    ['\\boxed{\\boxed{3}}', '3', 'nested: the innermost'],
    ['<think>\\boxed{1}</think> it is \\boxed{2}', '2', 'after thinking'],
    ['<think>\\boxed{1}</think> it is 2', null, 'a box inside the thinking is not the answer'],
    ['ans 47', null, 'no box, no answer'],
    ['\\boxed 47', null, 'no braces'],
    ['', null, 'nothing'],
  ])('of %j is %j: %s', (completion, answer) => {
    expect(lastBox(completion)).toBe(answer)
  })

  it('costs one pass however many boxes stay open', () => {
    // A search for the matching brace from each box would look at 20,000 x 140,000 characters.
    expect(boxes('\\boxed{'.repeat(20_000))).toEqual([])
    expect(boxes(`${'\\boxed{'.repeat(20_000)}1${'}'.repeat(20_000)}`)).toHaveLength(20_000)
  })
})

describe('a grade', () => {
  it.each<[gold: string, completion: string, verdict: Grade['verdict'], why: string]>([
    ['47', 'print(15+t)#47\n\\boxed{47}', 'correct', 'a nano completion'],
    ['47', 'so ans 47', 'unparsed', 'right, but not boxed'],
    ['47', '\\boxed{}', 'unparsed', 'an empty box'],
    ['47', '\\boxed{57}', 'incorrect', 'another number'],
    ['8', '\\boxed{4\\sqrt2 + 8 (}', 'incorrect', 'no stray number is taken from a box that cannot be read'],
  ])('of gold %j for %j is %s: %s', (gold, completion, verdict) => {
    expect(grade({ gold, completion }).verdict).toBe(verdict)
  })

  it('says what it found, how it compared and under which version', () => {
    expect(grade({ gold: '1/2', completion: '\\boxed{0.5}' })).toEqual({
      verdict: 'correct',
      reason: 'equals the gold answer (exact)',
      route: 'exact',
      given: '0.5',
      gold: '1/2',
    })
    expect(GRADER_VERSION).toMatch(/^placebo-\d+$/)
  })

  it('takes a whole answer string where the policy says so', () => {
    expect(grade({ gold: '47', completion: '47', policy: { extract: 'whole' } }).verdict).toBe('correct')
  })

  it('is total: any text has a verdict', () => {
    const piece = fc.constantFrom(
      '\\frac',
      '{',
      '}',
      '\\sqrt',
      '^',
      '_',
      '12',
      'x',
      '(',
      ']',
      '\\boxed{',
      ',',
      '-',
      '\\pm',
      '=',
      '|',
      '!',
      ':',
    )
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
    )
    fc.assert(
      fc.property(text, text, (gold, answer) => {
        expect(['correct', 'incorrect', 'unparsed']).toContain(
          grade({ gold, completion: `\\boxed{${answer}}` }).verdict,
        )
      }),
      { numRuns: 500, seed: 1 },
    )
  })

  it.each([
    ['9^{9^{9^{9}}}', 'a power tower is never expanded'],
    ['100000!', 'nor a factorial'],
    [`${'9'.repeat(900)}^{4000}`, 'nor a power beyond the budget of bits'],
    ['{'.repeat(50_000) + '1' + '}'.repeat(50_000), 'depth'],
    ['-'.repeat(1900) + '1', 'signs'],
    ['\\frac1'.repeat(300) + '2', 'fractions of fractions'],
    ['123,'.repeat(400) + '1', 'what almost groups thousands'],
  ])('of %.20s… comes without an error: %s', (answer) => {
    expect(grade({ gold: '5', completion: `\\boxed{${answer}}` }).verdict).toBe('incorrect')
  })
})

describe('equal answers', () => {
  it.each([
    ['142.0', '142', 'a whole decimal'],
    ['070', '70', 'a leading zero'],
    ['0.1', '.1', 'no leading zero'],
    ['1/2', '\\frac{1}{2}', 'two ways to write a fraction'],
    ['\\frac17', '\\frac{1}{7}', 'arguments without braces'],
    ['\\dfrac{2}{4}', '0.5', 'not in lowest terms'],
    ['$$\\frac {7}{9}$$', '7/9', 'dollars and spaces'],
    ['67.\\overline{3}', '\\frac{202}{3}', 'a repeating decimal: 67 + 1/3'],
    ['0.1\\overline{6}', '1/6', 'digits before the repetition'],
    ['1,\\!000,\\!000', '1000000', 'thousands'],
    ['10{,}000', '10,000', 'thousands in braces'],
    ['2\\frac{1}{3}', '7/3', 'a mixed number'],
    ['2 1/3', '7/3', 'a mixed number in plain text'],
    ['-2\\frac13', '-7/3', 'a negative mixed number'],
    ['32\\sqrt3+21\\frac13\\pi', '\\frac{64}{3}\\pi + 32\\sqrt{3}', 'a mixed number inside a sum'],
    ['22\\frac12^\\circ', '22.5', 'degrees'],
    ['50\\%', '50', 'percent left out'],
    ['50\\%', '0.5', 'percent divided out'],
    ['\\$18.90', '18.9', 'money'],
    ['5\\text{ cm}^2', '5', 'a unit and its power'],
    ['1152', '1152 cups of flour', 'words after a number'],
    ['\\sqrt{8}', '2\\sqrt2', 'a multiple of a root'],
    ['\\sqrt{16}', '4', 'an exact root'],
    ['\\sqrt[3]{-8}', '-2', 'an odd root'],
    ['\\frac{\\sqrt{3}}{3}', '\\frac{1}{\\sqrt{3}}', 'a rationalised denominator'],
    ['2^{10}', '1024', 'a power'],
    ['5!', '120', 'a factorial'],
    ['\\binom{5}{2}', '10', 'a binomial'],
    ['x^2+2x+1', '(x+1)^2', 'an identity in x'],
    ['3x+2', '2+3x', 'the order of a sum'],
    ['x=5', '5', 'a named value'],
    ['5', 'x = 5', 'and the other way round'],
    ['x \\in [0,1)', '[0,1)', 'membership'],
    ['y=2x+3', '2x - y + 3 = 0', 'one line, two equations'],
    ['x<5', '5 > x', 'an inequality turned round'],
    ['\\left( 3, \\frac{\\pi}{2} \\right)', '(3, \\pi/2)', 'a tuple'],
    ['1,2,3', '3, 1, 2', 'a list in any order'],
    ['\\{1\\pm\\sqrt5,-2\\}', '\\{-2, 1+\\sqrt5, 1-\\sqrt5\\}', 'plus or minus in a set'],
    ['3 \\pm 2\\sqrt2', '3+2\\sqrt{2}, 3-2\\sqrt{2}', 'plus or minus is two answers'],
    ['(-\\infty, 1) \\cup (2, 3]', '(2,3]\\cup(-\\infty,1)', 'a union'],
    [
      '\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}',
      '\\begin{pmatrix}1&\\frac42\\\\3&4\\end{pmatrix}',
      'a matrix',
    ],
    ['\\text{east}', 'East', 'a word'],
    ['\\text{(A)}', 'A', 'a choice'],
    ['1000101_{(2)}', '1000101', 'a base left out'],
    ['2^{100000}', '2^{100000}', 'beyond the budget: by structure'],
    ['\\frac{\\sqrt{3}}{3} \\approx 0.577', '\\frac{\\sqrt{3}}{3}', 'an approximation beside the value'],
  ])('%j and %j: %s', (gold, answer) => {
    expect(equivalent(gold, answer)).toBe(true)
    expect(equivalent(answer, gold)).toBe(true)
  })
})

describe('different answers', () => {
  it.each([
    ['1/3', '0.333', 'a decimal is exact, not rounded'],
    ['\\sqrt2', '1.41421356', 'nor a root'],
    ['2^{-99}', '2^{-98}', 'tolerance is relative'],
    ['3^{-174762.6667}', '3^{-174762.6668}', 'values that vanish in a double'],
    ['2^{100000}', '2^{100001}', 'values that overflow'],
    ['-274,285.74', '274,285.74', 'a sign'],
    ['(1,2)', '(2,1)', 'a tuple has an order'],
    ['(1,2)', '[1,2)', 'brackets of an interval'],
    ['1,2', '1,2,2', 'a list of another length'],
    ['(201,400]', '201400', 'a comma inside brackets separates'],
    ['x=5', 'y=5', 'another name'],
    ['x<5', 'x>5', 'another direction'],
    ['x<5', 'x \\le 5', 'strict or not'],
    ['32_{(8)}', '32_{(13)}', 'two bases'],
    ['51_{(10)} = 201_{(5)}', '51_{(10)} = 202_{(5)}', 'a chain of numerals'],
    ['x^2', 'x^3', 'another power'],
    ['x^2+1', 'y^2+1', 'another variable'],
    ['\\text{east}', '\\text{west}', 'a word'],
    ['A', 'B', 'a choice'],
    ['\\frac{3}{2}', '\\frac{2\\left(\\frac{3}{4}\\right)}{2}', 'a product in brackets is no mixed number'],
    ['1', '1:16', 'a ratio'],
    ['36', '536', 'a number inside another'],
  ])('%j and %j: %s', (gold, answer) => {
    expect(equivalent(gold, answer)).toBe(false)
    expect(equivalent(answer, gold)).toBe(false)
  })
})
