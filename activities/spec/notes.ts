/**
 * What a person should know of a run's reward on its problems before anything is sampled: how many can never be rewarded.
 * A run none of whose problems can be rewarded is refused.
 */
import type { DataFindings, Reward } from '../contracts.ts'
import { InvalidReward } from '../rewards/label.ts'
import { nameOf } from '../rewards/index.ts'
import { neverRewarded, possibleOf } from '../rewards/possible.ts'

/** Of the problems that a run learns from. */
export interface Taught {
  readonly problems: number
  readonly findings?: DataFindings | undefined
  /** Problems with a label that nobody voted for. */
  readonly unlabelled?: number
}

/** Throws InvalidReward where no problem can be rewarded, although the reward could be 1 on others. */
export function rewardNotes(reward: Reward, { problems, findings, unlabelled = 0 }: Taught): string[] {
  const { count: golds, first } = findings?.never ?? { count: 0, first: [] }
  const count = neverRewarded(reward, { problems, golds, labels: unlabelled })
  if (count === 0 || !possibleOf(reward, { gold: true, label: true }).one) return []
  if (count >= problems)
    throw new InvalidReward(
      `reward ${nameOf(reward)}: expected problems that can be rewarded, found none among ${problems}` +
        `${first.length > 0 ? ` (${first.join('; ')})` : ''}: ` +
        'choose others, as with "where": { "answer": { "not": ["proof"] } }, or another column for columns.answer',
    )
  const share = ((100 * count) / problems).toPrecision(3)
  return [`Reward: ${count} of ${problems} problems (${share}%) can never be rewarded by ${nameOf(reward)}`]
}
