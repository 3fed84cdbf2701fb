import { describe, expect, it } from 'vitest'
import { GRADER_VERSION, boxOnly, grade, type Grade, type Policy } from '../../activities/grading/index.ts'

describe('a grade', () => {
  it.each<[gold: string, completion: string, verdict: Grade['verdict'], route: Grade['route'], why: string]>([
    ['47', 'print(15+t)#47\n\\boxed{47}', 'correct', 'box', 'a nano completion'],
    ['47', 'so \\boxed{57}', 'incorrect', 'box', 'another number'],
    ['47', '\\boxed{}', 'unparsed', 'box', 'an empty box'],
    [
      '8',
      '\\boxed{4\\sqrt2 + 8 (}',
      'incorrect',
      'box',
      'no stray number is taken from a box that cannot be read',
    ],
    ['2', '\\boxed{1}, \\boxed{2}', 'correct', 'box', 'the last box'],
    ['1, 2', '\\boxed{2} and \\boxed{1}', 'correct', 'boxes', 'a run of boxes'],
    ['47', 'so the answer is 47', 'correct', 'stated', 'not boxed'],
    ['47', '', 'unparsed', 'none', 'nothing'],
    ['So it is \\boxed{47}.', '\\boxed{47}', 'correct', 'box', 'a gold text with a box'],
    ['(D) Alina', 'I choose D', 'correct', 'choice', 'a choice'],
  ])('of gold %j for %j is %s by %s: %s', (gold, completion, verdict, route) => {
    expect(grade({ gold, completion })).toMatchObject({ verdict, route })
  })

  it('says what it found, where, how it compared and under which version', () => {
    expect(grade({ gold: '1/2', completion: '\\boxed{0.5}' })).toEqual({
      verdict: 'correct',
      reason: 'equals the gold answer (exact)',
      route: 'box',
      given: '0.5',
      gold: '1/2',
      version: GRADER_VERSION,
    })
    expect(GRADER_VERSION).toMatch(/^placebo-\d+$/)
  })
})

describe('a policy', () => {
  it.each<[flags: Partial<Policy>, gold: string, given: string, default_: boolean, flagged: boolean]>([
    [{ percent: 'strict' }, '50\\%', '50', true, false],
    [{ percent: 'strict' }, '50\\%', '0.5', true, true],
    [{ units: 'compared' }, '5\\text{ cm}', '5\\text{ m}', true, false],
    [{ units: 'compared' }, '5°', '5 degrees', true, true],
    [{ units: 'compared' }, '\\$5', '5 dollars', true, true],
    [{ base: 'required' }, '1011_2', '1011', true, false],
    [{ base: 'required' }, '1011_2', '1011_{2}', true, true],
    [{ relations: 'apart' }, '-2 \\le x \\le 7', '[-2,7]', true, false],
    [{ duplicates: 'counted' }, '1,2', '1,2,2', true, false],
    [{ decimalMark: 'point' }, '1.22', '1,22', true, false],
    [{ rationalDigits: 3 }, '1/3', '0.333', false, true],
    [{ rationalDigits: 4 }, '1/3', '0.333', false, false],
    [{ rationalDigits: Infinity }, '1/3', '0.3333333333333333', true, false],
    [{ irrationalDigits: 4 }, '\\frac13, \\sqrt3', '1/3, 1.732', false, true],
    [{ scientificDigits: Infinity }, '1/7', '1.43 \\times 10^{-1}', true, false],
    [{ scientificDigits: 2 }, '1/7', '1.4 \\times 10^{-1}', false, true],
    [{ irrationalDigits: Infinity }, '\\sqrt{17}', '4.123105625617661', true, false],
  ])('%j judges gold %j and %j: %j by default, then %j', (flags, gold, completion, byDefault, flagged) => {
    const verdict = (policy: Partial<Policy>) =>
      grade({ gold, completion, policy: { extract: 'whole', ...policy } }).verdict === 'correct'
    expect([verdict({}), verdict(flags)]).toEqual([byDefault, flagged])
  })

  it('takes an answer from a box, from anywhere or as a whole', () => {
    const verdict = (completion: string, policy: Partial<Policy>) =>
      grade({ gold: '47', completion, policy }).verdict
    expect(verdict('the answer is 47', boxOnly)).toBe('unparsed')
    expect(verdict('the answer is 47', { extract: 'any' })).toBe('correct')
    expect(verdict('the answer is 47', { extract: 'whole' })).toBe('incorrect')
    expect(verdict('47', { extract: 'whole' })).toBe('correct')
  })
})
