/**
 * 1 where the last box agrees with a label voted by the initial model, right (`majority`) or kept for being wrong
 * (`incorrect`). The two differ in which problems the labelled data set keeps, not in how a completion is judged.
 */
import type { Problem } from '../benchmarks/problem.ts'
import type { Label, Labels } from '../contracts.ts'
import { boxOnly, grade } from '../grading/index.ts'
import { no, type Signal } from './signal.ts'

export type LabelReward = 'majority' | 'incorrect'

/** A reward that cannot be computed on these problems. */
export class InvalidReward extends Error {
  override readonly name = 'InvalidReward'
}

export function requireLabels(reward: LabelReward, problems: readonly Problem[]): void {
  for (const problem of problems) labelOf(reward, problem)
}

/**
 * Problems with their labels. `incorrect` keeps those whose label is wrong; without a label nothing can be rewarded, so
 * `drop` leaves such problems out, and `keep` has them as the published code does: sampled, and never rewarded.
 */
export function withLabels(
  problems: readonly Problem[],
  labels: readonly Label[],
  { onlyWrong, unlabelled }: { readonly onlyWrong: boolean; readonly unlabelled: Labels['unlabelled'] },
): Problem[] {
  const byProblem = new Map(labels.map((row) => [row.problem, row]))
  const kept = problems.flatMap((problem) => {
    const row = byProblem.get(problem.id)
    if (row === undefined) throw new InvalidReward(`labels: there is none of problem ${problem.id}`)
    if ((row.label === '' && unlabelled === 'drop') || (onlyWrong && row.verdict === 'correct')) return []
    return [{ ...problem, label: row.label }]
  })
  if (kept.length > 0) return kept
  const wrong = labels.filter(({ verdict }) => verdict === 'incorrect').length
  const voted = labels.filter(({ label }) => label !== '').length
  throw new InvalidReward(
    `labels: nothing to learn from, of ${problems.length} problems ${voted} have a label and ${wrong} a wrong one`,
  )
}

export const label =
  (reward: LabelReward): Signal =>
  ({ problem, completion }) => {
    const voted = labelOf(reward, problem)
    if (voted === '') return no('no label')
    const { verdict, reason } = grade({ gold: voted, completion, policy: boxOnly })
    // The verdict would be about the label, not about the answer, so it is left out.
    return { value: verdict === 'correct' ? 1 : 0, verdict: 'none', reason: `label ${voted}: ${reason}` }
  }

function labelOf(reward: LabelReward, problem: Problem): string {
  const voted = problem['label']
  if (typeof voted === 'string' || typeof voted === 'number') return String(voted)
  throw new InvalidReward(`reward ${reward}: needs labels, and problem ${problem.id} has no column "label"`)
}
