/**
 * What a reward can come to on a problem, whatever a completion says: 0, 1 or both. A reward that cannot be 1 on a problem
 * never rewards it; one that cannot differ teaches nothing. Parts of a reward are looked at one by one: that two of them
 * exclude each other is not seen.
 */
import type { Reward } from '../contracts.ts'

export interface Possible {
  readonly zero: boolean
  readonly one: boolean
}

/** Of a problem: whether an answer can be right by its gold answers, and by its label. */
export interface Can {
  readonly gold: boolean
  readonly label: boolean
}

const either: Possible = { zero: true, one: true }
const never: Possible = { zero: true, one: false }

export function possibleOf(reward: Reward, can: Can): Possible {
  if (typeof reward !== 'string') {
    if ('random' in reward) return { zero: reward.random < 1, one: reward.random > 0 }
    if ('not' in reward) {
      const { zero, one } = possibleOf(reward.not, can)
      return { zero: one, one: zero }
    }
    const parts = reward.all.map((part) => possibleOf(part, can))
    return { zero: parts.some(({ zero }) => zero), one: parts.every(({ one }) => one) }
  }
  if (reward === 'ground-truth') return can.gold ? either : never
  if (reward === 'majority' || reward === 'incorrect') return can.label ? either : never
  return either
}

/** Whether chance alone can part the rewards of equal completions. */
export function hasCoin(reward: Reward): boolean {
  if (typeof reward === 'string') return false
  if ('random' in reward) return reward.random > 0 && reward.random < 1
  return 'not' in reward ? hasCoin(reward.not) : reward.all.some(hasCoin)
}

/** Of problems, so many whose gold answers, and whose labels, no completion can be right by. */
export interface Counts {
  readonly problems: number
  readonly golds: number
  readonly labels: number
}

/** Problems that are never rewarded, at the least. */
export function neverRewarded(reward: Reward, { problems, golds, labels }: Counts): number {
  const lacks = (can: Can) => !possibleOf(reward, can).one
  if (lacks({ gold: true, label: true })) return problems
  return Math.max(
    lacks({ gold: false, label: true }) ? golds : 0,
    lacks({ gold: true, label: false }) ? labels : 0,
  )
}
