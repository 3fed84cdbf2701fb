/** Specs of training that no step could learn from, and specs that look like them. */
import { describe, expect, it } from 'vitest'
import { gradientNotes } from '../../activities/spec/gradient.ts'
import { resolveTrain } from '../../activities/spec/resolve.ts'
import { rewardNotes } from '../../activities/spec/notes.ts'
import { advantages } from '../../activities/grpo/advantage.ts'

const demo = { preset: 'demo', model: 'nano/coder', reward: 'ground-truth' } as const
const resolved = (more: object) => resolveTrain({ ...demo, ...more })

describe('a spec that cannot move a weight', () => {
  it.each([
    [{ batch: { group: 1 } }, 'batch.group: expected at least 2 in training, since grpo takes from each reward the mean of its own group: of 1 nothing is left, found 1'],
    [{ sampling: { temperature: 0 } }, 'sampling.temperature: expected at least 0.001 in training, since grpo takes'],
    [{ sampling: { temperature: 1e-300 } }, 'the same completion with the same reward, found 1e-300'],
    [{ sampling: { temperature: 9e-4 } }, 'sampling.temperature: expected at least 0.001 in training'],
    [{ sampling: { topP: 1e-9 } }, 'sampling.topP: expected at least 5.960464477539063e-8 in training'],
    [{ objective: { name: 'nll' } }, 'objective.name: expected one that learns from rollouts (grpo), found "nll"'],
  ])('is InvalidSpec: %j', (more, message) => {
    expect(() => resolved(more)).toThrow(expect.objectContaining({ name: 'InvalidSpec' }) as Error)
    expect(() => resolved(more)).toThrow(message)
  }) // prettier-ignore

  it('has advantages of 0, whitened or not: a group of 1, and a group of equal rewards', () => {
    const rewarded = (group: string, reward: number) => ({ group, reward, tokens: 3 })
    const ones = [rewarded('a', 1), rewarded('b', 0), rewarded('c', 1)]
    const equal = [rewarded('a', 1), rewarded('a', 1), rewarded('b', 0), rewarded('b', 0)]
    for (const whiten of [false, true])
      for (const scale of ['group', 'batch', 'none'] as const)
        for (const batch of [ones, equal])
          expect(advantages(batch, { scale, whiten })).toEqual(batch.map(() => 0))
  })

  it.each([
    [{ steps: 0, batch: { group: 1 }, sampling: { temperature: 0 } }, []],
    [{ batch: { group: 2 }, sampling: { temperature: 1e-3 } }, []],
    [{ batch: { group: 1 }, objective: { kl: 0.1 } }, [/^batch\.group: .*found 1; only the KL penalty moves weights$/]],
    [{ sampling: { temperature: 0 }, reward: { random: 0.5 } }, [/nothing but the coin of the reward/]],
    [{ reward: { not: { random: 1 } } }, [/^reward: not\(random\(1\)\) is 0 whatever a completion says/]],
  ])('is not, and is told of at most: %j', (more, notes) => {
    const found = gradientNotes(resolved(more))
    expect(found).toHaveLength(notes.length)
    for (const [i, note] of notes.entries()) expect(found[i]).toMatch(note)
  }) // prettier-ignore
})

describe('a reward on problems with answers that nobody can give', () => {
  const never = { count: 1, first: ['x:1: "proof"'] }
  const findings = { duplicates: { count: 0, first: [] }, unreadable: { count: 0, first: [] }, never }
  it('says how many of them it can never reward: 1 of 4 is 25%', () => {
    expect(rewardNotes('ground-truth', { problems: 4, findings })).toEqual([
      'Reward: 1 of 4 problems (25.0%) can never be rewarded by ground-truth',
    ])
    const both = { all: ['format' as const, 'ground-truth' as const] }
    expect(rewardNotes(both, { problems: 4, findings })[0]).toContain('by all(format,ground-truth)')
    for (const reward of ['format' as const, { not: 'ground-truth' as const }, { random: 0.5 }])
      expect(rewardNotes(reward, { problems: 4, findings })).toEqual([])
    expect(rewardNotes('majority', { problems: 4, unlabelled: 3 })[0]).toContain('3 of 4 problems (75.0%)')
  })

  it('is refused where it can reward none of them, and says what to do', () => {
    const refused = () => rewardNotes('ground-truth', { problems: 1, findings })
    expect(refused).toThrow(expect.objectContaining({ name: 'InvalidReward' }) as Error)
    expect(refused).toThrow(
      'reward ground-truth: expected problems that can be rewarded, found none among 1 (x:1: "proof"): choose others',
    )
  })
})
