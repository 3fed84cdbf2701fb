/**
 * The loss of one token and its derivative with respect to log π, in closed form, and the weights that average it.
 *
 * Source: PPO's clipped surrogate as GRPO writes it (arXiv 2402.03300, eq. 3) with ρ = exp(log π - log π_old):
 * loss = -min(ρA, clip(ρ, 1 - ε_low, 1 + ε_high) A) + kl·k3. Departure: the KL term is against the sampler's policy, not
 * against a frozen reference model, so that no second model has to be kept; k3 = exp(-log ρ) + log ρ - 1.
 * The gradient (policy/ending.ts) and the metrics both come from here.
 */
import type { Objective } from '../contracts.ts'
import type { MinibatchSums, Sequence } from '../engine/port.ts'

export interface TokenLoss {
  readonly loss: number
  /** d loss / d log π */
  readonly slope: number
  /** The bound that the loss was cut at; a cut token has no gradient from the surrogate. */
  readonly clipped: 'low' | 'high' | null
}

export function tokenLoss(objective: Objective, logprob: number, old: number, advantage: number): TokenLoss {
  if (objective.name === 'nll') return { loss: -logprob, slope: -1, clipped: null }
  const { clip, kl } = objective
  const ratio = Math.exp(logprob - old)
  const penalty = kl === 0 ? 0 : kl * k3(logprob, old)
  const penaltySlope = kl === 0 ? 0 : kl * (1 - 1 / ratio)
  const clipped =
    clip === null
      ? null
      : advantage < 0 && ratio < 1 - clip[0]
        ? 'low'
        : advantage > 0 && ratio > 1 + clip[1]
          ? 'high'
          : null
  if (clip === null || clipped === null)
    return { loss: -ratio * advantage + penalty, slope: -ratio * advantage + penaltySlope, clipped }
  const bound = clipped === 'low' ? 1 - clip[0] : 1 + clip[1]
  return { loss: -bound * advantage + penalty, slope: penaltySlope, clipped }
}

/** Schulman's k3 estimate of KL(π_old ‖ π) at one token: never negative. */
export function k3(logprob: number, old: number): number {
  return Math.exp(old - logprob) - (old - logprob) - 1
}

/** Completions that the published code averages over before it averages the averages. */
const MICROBATCH = 4

/**
 * Weight of each token of each sequence, so that the minibatch's loss is Σ weight · token loss. The weights of a
 * minibatch sum to 1 whatever the average, and do not depend on how it is cut for memory: `microbatch` means the
 * published code's four completions in a row.
 */
export function tokenWeights(sequences: readonly Sequence[], objective: Objective): number[] {
  const lengths = sequences.map(({ completion }) => completion.length)
  const total = lengths.reduce((sum, n) => sum + n, 0)
  const average = objective.name === 'nll' ? 'tokens' : objective.average
  switch (average) {
    case 'tokens':
      return lengths.map(() => 1 / total)
    case 'sequence':
      return lengths.map((n) => 1 / (n * lengths.length))
    case 'microbatch': {
      const count = Math.ceil(lengths.length / MICROBATCH)
      return lengths.map((_, i) => {
        const first = i - (i % MICROBATCH)
        const tokens = lengths.slice(first, first + MICROBATCH).reduce((sum, n) => sum + n, 0)
        return 1 / (tokens * count)
      })
    }
  }
}

/** Sums over tokens, in double, in the order they are added. */
export class Tally {
  sequences = 0
  tokens = 0
  loss = 0
  entropy = 0
  ratio = 0
  kl = 0
  logprobDifference = 0
  logprobDifferenceMax = 0
  readonly clipLowByDecile = new Array<number>(10).fill(0)
  readonly clipHighByDecile = new Array<number>(10).fill(0)
  readonly tokensByDecile = new Array<number>(10).fill(0)

  add(
    objective: Objective,
    token: { logprob: number; old: number; advantage: number; weight: number; entropy: number },
  ): void {
    const { logprob, advantage, weight } = token
    // What nll learns from has no sampler: its ratio is 1 and no difference is counted.
    const old = objective.name === 'nll' ? logprob : token.old
    const { loss, clipped } = tokenLoss(objective, logprob, old, advantage)
    const difference = Math.abs(logprob - old)
    const decile = Math.min(9, Math.max(0, Math.floor(Math.exp(old) * 10)))
    this.tokens += 1
    this.loss += weight * loss
    this.entropy += token.entropy
    this.ratio += Math.exp(logprob - old)
    this.kl += k3(logprob, old)
    this.logprobDifference += difference
    this.logprobDifferenceMax = Math.max(this.logprobDifferenceMax, difference)
    this.tokensByDecile[decile]! += 1
    if (clipped === 'low') this.clipLowByDecile[decile]! += 1
    if (clipped === 'high') this.clipHighByDecile[decile]! += 1
  }

  sums(gradNorm: number, learningRate: number): MinibatchSums {
    const count = (byDecile: readonly number[]): number => byDecile.reduce((sum, n) => sum + n, 0)
    return {
      sequences: this.sequences,
      tokens: this.tokens,
      loss: this.loss,
      gradNorm,
      learningRate,
      entropy: this.entropy,
      clipLow: count(this.clipLowByDecile),
      clipHigh: count(this.clipHighByDecile),
      clipLowByDecile: [...this.clipLowByDecile],
      clipHighByDecile: [...this.clipHighByDecile],
      tokensByDecile: [...this.tokensByDecile],
      ratio: this.ratio,
      kl: this.kl,
      logprobDifference: this.logprobDifference,
      logprobDifferenceMax: this.logprobDifferenceMax,
    }
  }
}
