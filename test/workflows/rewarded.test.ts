import { expect, it } from 'vitest'
import type { Rewarded } from '../../activities/contracts.ts'
import { RewardedSteps } from '../../workflows/rewarded.ts'

const sample = { problem: 'p', statement: '1+1', completion: '2', reward: 1, verdict: 'correct' as const }
const by = (grader: string, before?: string): Partial<Rewarded> => ({
  grader,
  ...(before !== undefined && { before }),
  samples: [sample],
})

it('says nothing while one grader judged all, nor of steps that nobody says it of', () => {
  const steps = new RewardedSteps(undefined)
  steps.add(1)
  steps.add(2, by('placebo-3'))
  steps.add(3, by('placebo-3'))
  expect(steps.notes()).toEqual([])
  expect(steps.samples()).toEqual([{ step: 3, ...sample }])
})

it('names both graders and from which step, also where the history does not know who judged before', () => {
  const steps = new RewardedSteps(undefined)
  steps.add(1)
  steps.add(2)
  steps.add(3, by('placebo-3', 'placebo-2'))
  expect(steps.notes()).toEqual([
    'Graders: rewards were given by more than one version, of steps 1 to 2 by placebo-2, from step 3 on by placebo-3',
  ])
})

it('goes on in another history and after a restart where it was', () => {
  const first = new RewardedSteps(undefined)
  first.add(1, by('placebo-1'))
  const carried = { ...first.carried() }
  const second = new RewardedSteps(carried as ConstructorParameters<typeof RewardedSteps>[0])
  expect(second.samples()).toEqual([{ step: 1, ...sample }])
  second.add(2, by('placebo-2', 'placebo-1'))
  const third = new RewardedSteps(undefined)
  third.recall(2, { graders: second.carried().graders ?? [] })
  third.add(3, by('placebo-3', 'placebo-2'))
  expect(third.notes()).toEqual([
    'Graders: rewards were given by more than one version, of step 1 by placebo-1, step 2 by placebo-2, from step 3 on by placebo-3',
  ])
})
