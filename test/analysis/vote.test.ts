import { describe, expect, it } from 'vitest'
import { labelledOf, labelOf } from '../../activities/analysis/labelled.ts'
import { vote, voteOf, type VoteRule } from '../../activities/analysis/vote.ts'
import type { Label } from '../../activities/contracts.ts'

describe('a vote', () => {
  it.each<[VoteRule, (string | null)[], string, number, number, number, string]>([
    ['equivalent', ['7', '8', '8'], '8', 2, 3, 2, 'most votes win'],
    ['equivalent', ['7', '8', '8', '7'], '7', 2, 4, 2, 'of a tie the answer that came first'],
    ['equivalent', ['8', '0.5', '\\frac{1}{2}', '8', '1/2'], '0.5', 3, 5, 2, 'one value in three spellings'],
    ['string', ['8', '0.5', '\\frac{1}{2}', '8', '1/2'], '8', 2, 5, 4, 'three texts'],
    ['equivalent', ['0.5', '1/2', '1/2'], '1/2', 3, 3, 1, 'called as most of them wrote it'],
    ['equivalent', ['0.5', '1/2'], '0.5', 2, 2, 1, 'of two spellings the first'],
    ['equivalent', [null, null, '3', ''], '3', 1, 1, 1, 'those without an answer have no vote'],
    ['equivalent', ['50\\%', '50', '0.5', '0.5'], '0.5', 4, 4, 1, 'both agree with the first, 50%'],
    [
      'equivalent',
      ['50', '0.5', '0.5', '50\\%'],
      '50',
      2,
      4,
      2,
      'and not with each other: the order decides',
    ],
    ['string', ['x', 'X', 'x '], 'x', 1, 3, 3, 'texts as they are'],
  ])('%s of %j is %s, %i of %i votes, %i answers: %s', (rule, answers, label, votes, answered, count) => {
    expect(vote(answers, rule)).toEqual({ label, votes, answered, answers: count })
  })

  it('without any answer elects nobody', () => {
    expect(vote([], 'equivalent')).toBeNull()
    expect(vote([null, ''], 'string')).toBeNull()
  })

  it.each([
    ['\\boxed{1} then \\boxed{ 2 }', 'box', '2'],
    ['the answer is 3', 'box', null],
    ['the answer is 3', 'any', '3'],
    ['\\boxed{}', 'box', ''],
    ['<think>\\boxed{1}</think> \\boxed{4}', 'box', '4'],
  ] as const)('is cast by %j, looking at %s, for %j', (completion, extract, answer) => {
    expect(voteOf(completion, extract)).toBe(answer)
  })
})

describe('labels of a problem set', () => {
  const row = (problem: string, label: string, votes: number, verdict: Label['verdict']): Label => ({
    problem, label, votes, answered: votes, samples: 4, answers: 1, verdict,
  }) // prettier-ignore

  it('are counted: who has one, who has a wrong one, how many samples agree', () => {
    const summary = labelledOf([
      row('a', '1', 4, 'correct'),
      row('b', '2', 3, 'incorrect'),
      row('c', '3', 2, 'incorrect'),
      row('d', '', 0, 'none'),
    ])
    expect(summary).toMatchObject({ problems: 4, samples: 4, labelled: 3, wrong: 2 })
    expect(summary.labelledShare).toMatchObject({ value: 0.75 })
    expect(summary.wrongShare).toMatchObject({ value: 2 / 3 })
    // Wilson, 2 of 3: centre (2/3 + 3.8415/6) / (1 + 3.8415/3) = .5732, half .3655
    expect(summary.wrongShare!.low).toBeCloseTo(0.2077, 3)
    expect(summary.wrongShare!.high).toBeCloseTo(0.9385, 3)
    // (1 + .75 + .5) / 3 = .75; deviation .25, error .25 / sqrt(3) = .1443, t of 2 degrees 4.303: ± .621, cut to 0..1
    expect(summary.agreement!.value).toBeCloseTo(0.75, 12)
    expect(summary.agreement!.low).toBeCloseTo(0.129, 3)
    expect(summary.agreement!.high).toBe(1)
  })

  it.each([
    ['1/2', ['0.5', '0.5', '7'], { label: '0.5', votes: 2, verdict: 'correct' }],
    ['1/2', ['7', '0.5', '7'], { label: '7', votes: 2, verdict: 'incorrect' }],
    ['1/2', [null, ''], { label: '', votes: 0, answered: 0, samples: 2, verdict: 'none' }],
  ])('with gold answer %s and answers %j, one is %j', (gold, answers, expected) => {
    expect(labelOf('p', [gold], answers, 'equivalent')).toMatchObject(expected)
  })

  it('may be none at all', () => {
    expect(labelledOf([row('a', '', 0, 'none')])).toMatchObject({
      labelled: 0,
      wrong: 0,
      wrongShare: null,
      agreement: null,
    })
  })
})
