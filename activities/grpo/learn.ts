/**
 * From a step's stored rollouts and rewards to the minibatches its policy learns from: advantages over the whole step,
 * then the shuffle. A group is one occurrence of a problem in the batch. Empty completions, which have nothing to learn
 * from, still count in their group's mean.
 */
import type { ResolvedTrain, Rollout, Scored } from '../contracts.ts'
import type { Minibatch, Sequence } from '../engine/port.ts'
import { advantages } from './advantage.ts'
import { minibatches } from './batch.ts'

export interface LearntFrom {
  readonly rollout: Rollout
  readonly reward: Scored
}

export function learn(
  table: readonly LearntFrom[],
  { objective, batch, seed }: Pick<ResolvedTrain, 'objective' | 'batch' | 'seed'>,
  step: number,
): Minibatch[] {
  if (objective.name !== 'grpo')
    throw new Error(`learn: rollouts are learnt from by the grpo objective, found ${objective.name}`)
  const rewarded = table.map(({ rollout, reward }) => ({
    group: groupOf(rollout),
    reward: reward.value,
    tokens: rollout.tokens.length,
  }))
  const advantage = advantages(rewarded, objective)
  const sequences = table.map(({ rollout }, i): Sequence => ({
    group: groupOf(rollout),
    prompt: rollout.promptTokens,
    completion: rollout.tokens,
    logprobs: rollout.logprobs,
    advantage: advantage[i]!,
  }))
  const learnable = sequences.filter(({ completion }) => completion.length > 0)
  return minibatches(learnable, batch.minibatch, { seed, step }).map((cut) => ({ sequences: cut }))
}

export function groupOf({ problem, occurrence }: Pick<Rollout, 'problem' | 'occurrence'>): string {
  return `${problem} ${occurrence}`
}
