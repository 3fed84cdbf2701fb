/**
 * 1 where the last box agrees with a label voted by the initial model, right (`majority`) or kept for being wrong
 * (`incorrect`). The two differ in which problems the labelled data set keeps, not in how a completion is judged.
 */
import { grade } from '../grading/index.ts'
import type { Signal } from './signal.ts'

/** A reward that cannot be computed on these problems. */
export class InvalidReward extends Error {
  override readonly name = 'InvalidReward'
}

export const label =
  (reward: 'majority' | 'incorrect'): Signal =>
  ({ problem, completion }) => {
    const voted = problem['label']
    if (typeof voted !== 'string' || voted === '')
      throw new InvalidReward(
        `reward ${reward}: needs labels, and problem ${problem.id} has no column "label"`,
      )
    const { verdict, reason } = grade({ gold: voted, completion })
    // The verdict would be about the label, not about the answer, so it is left out.
    return { value: verdict === 'correct' ? 1 : 0, verdict: 'none', reason: `label ${voted}: ${reason}` }
  }
