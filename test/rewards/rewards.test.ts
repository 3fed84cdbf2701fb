import { describe, expect, it } from 'vitest'
import type { Reward } from '../../activities/contracts.ts'
import { nameOf, score, type At } from '../../activities/rewards/index.ts'

const problem = { id: 'p', problem: '15+4*8', answer: '47' }
const at: At = { seed: 1, step: 3, problem: 'p', occurrence: 0, sample: 0 }
const valueOf = (reward: Reward, completion: string) => score(reward, { problem, completion }, at).value
const repeated = (times: number, text: string) => `so ${text.repeat(times)} end`

describe('a reward', () => {
  it.each<[Reward, string, number, string]>([
    ['ground-truth', '\\boxed{47}', 1, 'the gold answer'],
    ['ground-truth', '\\boxed{57}', 0, 'another'],
    ['ground-truth', 'ans 47', 0, 'right, but not boxed'],
    ['format', '\\boxed{57}', 1, 'a box, though wrong'],
    ['format', '\\boxed{ } \\boxed{}', 0, 'only empty boxes'],
    ['format', '\\boxed{} \\boxed{1}', 1, 'one of them has content'],
    ['format', '47', 0, 'no box'],
    ['python', 'def f(): # PyThOn', 1, 'in any case'],
    ['python', 'first 4*8=32', 0, 'in language'],
    ['no-repetition', repeated(10, '0123456789'), 0, 'ten characters ten times'],
    ['no-repetition', repeated(9, '0123456789'), 1, 'nine times is allowed'],
    ['no-repetition', repeated(40, 'abc'), 0, 'three characters 40 times are twelve characters ten times'],
    ['no-repetition', repeated(20, 'abc'), 1, 'three characters 20 times are only five times twelve'],
    ['no-repetition', 'the cat and the dog and the bird and the cow', 1, 'words come back, not in a row'],
    ['no-repetition', '', 1, 'nothing'],
    [{ random: 0 }, '\\boxed{47}', 0, 'never'],
    [{ random: 1 }, '', 1, 'always'],
    [{ not: 'python' }, 'python', 0, 'the opposite'],
    [{ not: 'python' }, 'first', 1, 'the opposite'],
    [{ all: ['format', { not: 'python' }] }, '\\boxed{1}', 1, 'both'],
    [{ all: ['format', { not: 'python' }] }, 'python \\boxed{1}', 0, 'only one'],
    [{ all: ['ground-truth', 'format'] }, 'python \\boxed{1}', 0, 'wrong, boxed'],
  ])('%j for %.40j is worth %i: %s', (reward, completion, value) => {
    expect(valueOf(reward, completion)).toBe(value)
  })

  it('records every component under its name, the whole one included', () => {
    const { value, components } = score(
      { all: ['ground-truth', { not: 'python' }] },
      { problem, completion: 'python \\boxed{47}' },
      at,
    )
    expect(value).toBe(0)
    expect(components).toEqual({
      'ground-truth': 1,
      python: 1,
      'not(python)': 0,
      'all(ground-truth,not(python))': 0,
    })
  })

  it('has a verdict on the answer only where it looked at the answer', () => {
    const verdictOf = (reward: Reward) => score(reward, { problem, completion: '\\boxed{47}' }, at).verdict
    expect(verdictOf('ground-truth')).toBe('correct')
    expect(verdictOf('format')).toBe('none')
    expect(verdictOf({ all: ['format', 'ground-truth'] })).toBe('correct')
  })

  it('is named as the spec writes it', () => {
    expect(nameOf({ all: ['format', { random: 0.5 }, { not: 'python' }] })).toBe(
      'all(format,random(0.5),not(python))',
    )
  })
})

describe('a random reward', () => {
  const coins = (gamma: number, count: number) =>
    Array.from(
      { length: count },
      (_, sample) => score({ random: gamma }, { problem, completion: '' }, { ...at, sample }).value,
    )

  it('is the same for the same coordinates, whatever the completion says', () => {
    const values = ['', '\\boxed{47}', 'python'].map(
      (completion) => score({ random: 0.5 }, { problem, completion }, at).value,
    )
    expect(new Set(values).size).toBe(1)
    expect(coins(0.5, 50)).toEqual(coins(0.5, 50))
  })

  it('differs over seeds, steps, problems, occurrences and samples', () => {
    const draw = (other: Partial<At>) =>
      Array.from(
        { length: 40 },
        (_, sample) => score({ random: 0.5 }, { problem, completion: '' }, { ...at, ...other, sample }).value,
      ).join('')
    const draws = [{}, { seed: 2 }, { step: 4 }, { problem: 'q' }, { occurrence: 1 }].map(draw)
    expect(new Set(draws).size).toBe(5)
  })

  it.each([0.001, 0.3, 0.5, 0.7])('is 1 with probability %d', (gamma) => {
    const n = 4000
    const share = coins(gamma, n).reduce((a, b) => a + b) / n
    // 4 binomial standard errors: sqrt(γ (1 - γ) / n)
    expect(Math.abs(share - gamma)).toBeLessThan(4 * Math.sqrt((gamma * (1 - gamma)) / n) + 1e-9)
  })
})

describe('rewards that need labels', () => {
  it.each(['majority', 'incorrect'] as const)('%s is refused where problems have none', (reward) => {
    expect(() => valueOf(reward, '\\boxed{47}')).toThrow(
      `reward ${reward}: needs labels, and problem p has no column "label"`,
    )
  })

  it.each(['majority', 'incorrect'] as const)(
    '%s rewards agreement with the label, not with the answer',
    (reward) => {
      const labelled = { ...problem, label: '152' }
      expect(score(reward, { problem: labelled, completion: '\\boxed{152}' }, at).value).toBe(1)
      expect(score(reward, { problem: labelled, completion: '\\boxed{47}' }, at).value).toBe(0)
    },
  )
})
