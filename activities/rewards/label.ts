/**
 * 1 where the last box agrees with a label voted by the initial model, right (`majority`) or kept for being wrong
 * (`incorrect`). The two differ in which problems the labelled data set keeps, not in how a completion is judged.
 */
import type { Problem } from '../benchmarks/problem.ts'
import { boxOnly, grade } from '../grading/index.ts'
import type { Signal } from './signal.ts'

/** A reward that cannot be computed on these problems. */
export class InvalidReward extends Error {
  override readonly name = 'InvalidReward'
}

export function requireLabels(reward: 'majority' | 'incorrect', problems: readonly Problem[]): void {
  for (const problem of problems) labelOf(reward, problem)
}

export const label =
  (reward: 'majority' | 'incorrect'): Signal =>
  ({ problem, completion }) => {
    const voted = labelOf(reward, problem)
    const { verdict, reason } = grade({ gold: voted, completion, policy: boxOnly })
    // The verdict would be about the label, not about the answer, so it is left out.
    return { value: verdict === 'correct' ? 1 : 0, verdict: 'none', reason: `label ${voted}: ${reason}` }
  }

function labelOf(reward: 'majority' | 'incorrect', problem: Problem): string {
  const voted = problem['label']
  if (typeof voted === 'string' && voted !== '') return voted
  throw new InvalidReward(`reward ${reward}: needs labels, and problem ${problem.id} has no column "label"`)
}
