import { describe, expect, it } from 'vitest'
import type { Label, Reward } from '../../activities/contracts.ts'
import {
  InvalidReward,
  labelRewards,
  nameOf,
  relabel,
  requireRewardable,
  score,
} from '../../activities/rewards/index.ts'

const problem = { id: 'p', problem: 'calc 17+3*4', answer: '29' }
const at = { seed: 0, step: 1, problem: 'p', occurrence: 0, sample: 0 }
const value = (reward: Reward, completion: string) => score(reward, { problem, completion }, at).value

describe('a reward', () => {
  it.each<[Reward, string, number]>([
    ['ground-truth', '17+12, so \\boxed{29}', 1],
    ['ground-truth', '\\boxed{29} or rather \\boxed{80}', 0], // the last box is the answer
    ['ground-truth', 'the answer is 29', 0], // no box, no answer
    ['ground-truth', '\\boxed{\\frac{58}{2}}', 1],
    ['format', '\\boxed{80}', 1],
    ['format', '\\boxed{ } then \\boxed{x}', 1],
    ['format', '\\boxed{}', 0],
    ['format', '\\boxed{29', 0],
    ['python', 'In Python: print(29)', 1],
    ['python', 'first 3*4=12', 0],
    ['no-repetition', '0123456789'.repeat(9), 1],
    ['no-repetition', '0123456789'.repeat(10), 0],
    ['no-repetition', 'the '.repeat(20), 1], // periods 12, 16, …: 80 characters hold 6 copies of 12
    ['no-repetition', 'the '.repeat(30), 0], // 120 characters hold 10 copies of 12
    [{ not: 'python' }, 'first 3*4=12', 1],
    [{ all: ['format', { not: 'python' }] }, '\\boxed{29}', 1],
    [{ all: ['format', { not: 'python' }] }, 'python \\boxed{29}', 0],
  ])('%j of %s is %d', (reward, completion, expected) => {
    expect(value(reward, completion)).toBe(expected)
  })

  it('records every component, also those after a 0', () => {
    const reward: Reward = { all: ['python', { not: 'format' }] }
    const { components, value } = score(reward, { problem, completion: '\\boxed{29}' }, at)
    expect(value).toBe(0)
    expect(components).toEqual({ python: 0, format: 1, 'not(format)': 0, [nameOf(reward)]: 0 })
  })

  it('carries the verdict of the answer where it looks at it', () => {
    const of = (reward: Reward, completion: string) => score(reward, { problem, completion }, at).verdict
    expect(of('ground-truth', '\\boxed{29}')).toBe('correct')
    expect(of({ all: ['python', 'ground-truth'] }, 'python \\boxed{80}')).toBe('incorrect')
    expect(of('ground-truth', '29')).toBe('unparsed')
    expect(of('format', '\\boxed{29}')).toBe('none')
  })
})

describe('a random reward', () => {
  const coins = (gamma: number, seed: number, count: number) =>
    Array.from(
      { length: count },
      (_, sample) => score({ random: gamma }, { problem, completion: '' }, { ...at, seed, sample }).value,
    )

  it('is drawn from the coordinates, so that a retry gets the same coin', () => {
    expect(coins(0.5, 1, 64)).toEqual(coins(0.5, 1, 64))
    expect(coins(0.5, 1, 64)).not.toEqual(coins(0.5, 2, 64))
  })

  it('is 1 with probability γ: .3 within four standard errors of sqrt(.3 · .7 / 4000) = .0072', () => {
    const mean = coins(0.3, 0, 4000).reduce((sum, coin) => sum + coin, 0) / 4000
    expect(Math.abs(mean - 0.3)).toBeLessThan(4 * 0.0072)
  })

  it('is never 1 for γ = 0 and always 1 for γ = 1', () => {
    expect(new Set(coins(0, 0, 200))).toEqual(new Set([0]))
    expect(new Set(coins(1, 0, 200))).toEqual(new Set([1]))
  })

  it('does not look at the completion', () => {
    const of = (completion: string) => score({ random: 0.5 }, { problem, completion }, at).value
    expect(of('\\boxed{29}')).toBe(of(''))
  })
})

describe('problems that lack labels', () => {
  const labelled = { ...problem, label: '80' }
  it('are refused for every reward with a part that needs them', () => {
    expect(() => requireRewardable({ all: ['format', { not: 'incorrect' }] }, [labelled, problem])).toThrow(
      InvalidReward,
    )
  })
  it('are enough for the others', () => {
    requireRewardable({ all: ['ground-truth', { random: 0.5 }] }, [problem])
    requireRewardable('majority', [labelled])
  })
})

describe('a reward by label', () => {
  const labelled = { ...problem, label: '80' }

  it('rewards agreement with the label, right or wrong', () => {
    const of = (completion: string) => score('incorrect', { problem: labelled, completion }, at)
    expect(of('\\boxed{80}')).toMatchObject({ value: 1, verdict: 'none' })
    expect(of('\\boxed{29}')).toMatchObject({ value: 0, verdict: 'none' })
  })

  it('is refused without one, by problem', () => {
    expect(() => score('majority', { problem, completion: '\\boxed{29}' }, at)).toThrow(InvalidReward)
    expect(() => value('incorrect', '\\boxed{29}')).toThrow('problem p has no column "label"')
  })
})

describe('a problem set with labels', () => {
  const problems = ['right', 'wrong', 'nobody'].map((id) => ({ ...problem, id }))
  const row = (problem: string, label: string, verdict: Label['verdict']): Label => ({
    problem, label, votes: 1, answered: 1, samples: 1, answers: 1, verdict,
  }) // prettier-ignore
  const labels = [row('wrong', '80', 'incorrect'), row('nobody', '', 'none'), row('right', '29', 'correct')]

  it.each<[Reward, 'drop' | 'keep', string[]]>([
    ['majority', 'drop', ['right 29', 'wrong 80']],
    ['majority', 'keep', ['right 29', 'wrong 80', 'nobody ']],
    ['incorrect', 'drop', ['wrong 80']],
    ['incorrect', 'keep', ['wrong 80', 'nobody ']], // as the published code: no answer is no right answer
    [{ all: ['incorrect', { not: 'python' }] }, 'drop', ['wrong 80']],
    [{ all: ['majority', 'format'] }, 'drop', ['right 29', 'wrong 80']],
  ])('for %j, unlabelled ones to %s, is %j', (reward, unlabelled, expected) => {
    const labelled = relabel(problems, labels, reward, unlabelled)
    expect(labelled.map(({ id, label }) => `${id} ${(label as string | undefined) ?? '-'}`)).toEqual(expected)
    expect(labelled.every(({ answer }) => answer === problem.answer)).toBe(true)
    requireRewardable(reward, labelled)
  })

  it('never rewards a problem that nobody answered', () => {
    const labelled = { ...problem, label: '' }
    expect(score('majority', { problem: labelled, completion: '\\boxed{}' }, at)).toMatchObject({
      value: 0,
      reason: 'no label',
    })
  })

  it('is refused where nothing is left, or a label is missing', () => {
    expect(() => relabel(problems.slice(0, 1), labels, 'incorrect', 'drop')).toThrow(
      'labels: nothing to learn from, of 1 problems 2 have a label and 1 a wrong one',
    )
    expect(() => relabel([problem], labels, 'majority', 'drop')).toThrow('labels: there is none of problem p')
  })

  it('is needed by majority and incorrect alone', () => {
    expect(labelRewards({ all: ['format', { not: 'incorrect' }, { all: ['majority'] }] })).toEqual([
      'incorrect',
      'majority',
    ])
    expect(labelRewards({ all: ['ground-truth', { random: 0.5 }, { not: 'python' }] })).toEqual([])
  })
})
