/**
 * A step's metrics from its rollouts, its rewards and its updates' sums, under the names TRL 1.16 logs
 * (https://huggingface.co/docs/trl/grpo_trainer#logged-metrics). Departures: `entropy`, `kl` and the clip ratios are
 * means over all tokens of the step's updates, not over micro-batches; `clip_count/*` has the clips by decile of the
 * sampler's probability; `completions/code_ratio` is the share that reasons in code.
 */
import { clipCounts } from '../analysis/clipping.ts'
import type { Metrics, Rollout, Scored } from '../contracts.ts'
import type { MinibatchSums } from '../engine/port.ts'
import { spread } from './advantage.ts'
import { groupOf, type LearntFrom } from './learn.ts'

export function stepMetrics(table: readonly LearntFrom[], sums: readonly MinibatchSums[]): Metrics {
  const rewarded = table.map(({ rollout, reward }) => ({ group: groupOf(rollout), reward: reward.value }))
  const { deviation, shareZero } = spread(rewarded)
  return {
    reward: mean(rewarded.map(({ reward }) => reward)),
    reward_std: deviation,
    frac_reward_zero_std: shareZero,
    ...components(table.map(({ reward }) => reward)),
    ...completions(table.map(({ rollout }) => rollout)),
    ...updates(sums),
    ...clipCounts(sums),
  }
}

function components(rewards: readonly Scored[]): Metrics {
  const names = [...new Set(rewards.flatMap(({ components }) => Object.keys(components)))].sort()
  return Object.fromEntries(
    names.map((name) => [
      `rewards/${name}/mean`,
      mean(rewards.map(({ components }) => components[name] ?? 0)),
    ]),
  )
}

function completions(rollouts: readonly Rollout[]): Metrics {
  const lengths = rollouts.map(({ tokens }) => tokens.length)
  const share = (holds: (rollout: Rollout) => boolean): number =>
    mean(rollouts.map((r) => (holds(r) ? 1 : 0)))
  return {
    'completions/mean_length': mean(lengths),
    'completions/max_length': lengths.reduce((most, n) => Math.max(most, n), 0),
    'completions/clipped_ratio': share(({ stop }) => stop === 'length'),
    'completions/code_ratio': share(({ strategy }) => strategy === 'code'),
  }
}

/** Sums of one or more optimizer steps as means over their tokens (loss, gradient norm and rate: over the steps). */
export function updates(sums: readonly MinibatchSums[]): Metrics {
  const total = (of: (s: MinibatchSums) => number): number => sums.reduce((sum, s) => sum + of(s), 0)
  const tokens = Math.max(
    1,
    total((s) => s.tokens),
  )
  const [low, high] = [total((s) => s.clipLow) / tokens, total((s) => s.clipHigh) / tokens]
  return {
    loss: mean(sums.map((s) => s.loss)),
    grad_norm: mean(sums.map((s) => s.gradNorm)),
    learning_rate: sums.at(-1)?.learningRate ?? 0,
    entropy: total((s) => s.entropy) / tokens,
    kl: total((s) => s.kl) / tokens,
    'clip_ratio/low_mean': low,
    'clip_ratio/high_mean': high,
    'clip_ratio/region_mean': low + high,
    'sampling/importance_sampling_ratio/mean': total((s) => s.ratio) / tokens,
    // On-policy only in the first update: there the difference is the runtime's alone.
    'sampling/sampling_logp_difference/mean': sums[0]
      ? sums[0].logprobDifference / Math.max(1, sums[0].tokens)
      : 0,
    'sampling/sampling_logp_difference/max': sums[0]?.logprobDifferenceMax ?? 0,
  }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, x) => sum + x, 0) / values.length
}
