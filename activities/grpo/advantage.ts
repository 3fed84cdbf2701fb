/**
 * Advantages: each reward against its group, and whitening over the batch where the objective asks for it.
 *
 * Source: GRPO (arXiv 2402.03300), section 4.1.2; `scale` as TRL's scale_rewards. The standard deviation is the
 * sample's (ddof 1), as in TRL and in the published code of arXiv 2506.10947. That code whitens afterwards, weighted by
 * tokens, with the population's variance; so there a group without variance can get an advantage that is not zero.
 */
import type { Objective } from '../contracts.ts'

type Grpo = Extract<Objective, { name: 'grpo' }>

export interface Rewarded {
  readonly group: string
  readonly reward: number
  /** Length of the completion in tokens, the weight in whitening. */
  readonly tokens: number
}

/** Keeps a group of nearly equal rewards finite; a group of equal ones is exactly 0 without it. */
const EPSILON = 1e-6
/** Least variance that whitening divides by, as in the published code. */
const LEAST_VARIANCE = 1e-8

/** One advantage per completion, in the same order. */
export function advantages(
  completions: readonly Rewarded[],
  { scale, whiten }: Pick<Grpo, 'scale' | 'whiten'>,
): number[] {
  const groups = groupsOf(completions)
  const batchDeviation = deviation(completions.map(({ reward }) => reward))
  const centred = completions.map(({ group, reward }) => {
    const rewards = groups.get(group)!
    const own = deviation(rewards)
    if (own === 0) return 0
    const difference = reward - mean(rewards)
    switch (scale) {
      case 'group':
        return difference / (own + EPSILON)
      case 'batch':
        return difference / (batchDeviation + EPSILON)
      case 'none':
        return difference
    }
  })
  return whiten ? whitened(centred, completions) : centred
}

/** Mean over groups of their standard deviation, and the share of groups that have none. */
export function spread(completions: readonly Pick<Rewarded, 'group' | 'reward'>[]): {
  deviation: number
  shareZero: number
} {
  const deviations = [...groupsOf(completions).values()].map(deviation)
  return {
    deviation: mean(deviations),
    shareZero: deviations.filter((d) => d === 0).length / Math.max(deviations.length, 1),
  }
}

function groupsOf(completions: readonly Pick<Rewarded, 'group' | 'reward'>[]): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const { group, reward } of completions) {
    const rewards = groups.get(group)
    if (rewards) rewards.push(reward)
    else groups.set(group, [reward])
  }
  return groups
}

/** (A - mean) / deviation over all tokens of the batch: a completion counts as often as it has tokens. */
function whitened(values: readonly number[], completions: readonly Rewarded[]): number[] {
  const total = completions.reduce((sum, { tokens }) => sum + tokens, 0)
  const average = values.reduce((sum, a, i) => sum + a * completions[i]!.tokens, 0) / total
  const variance = values.reduce((sum, a, i) => sum + (a - average) ** 2 * completions[i]!.tokens, 0) / total
  return values.map((a) => (a - average) / Math.sqrt(Math.max(variance, LEAST_VARIANCE)))
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, x) => sum + x, 0) / values.length
}

/** Of the sample (ddof 1); equal values give exactly 0, and so does a single one. */
function deviation(values: readonly number[]): number {
  if (values.every((x) => x === values[0])) return 0
  const average = mean(values)
  return Math.sqrt(values.reduce((sum, x) => sum + (x - average) ** 2, 0) / (values.length - 1))
}
