import { expect, test } from 'vitest'
import type { Rollout, Scored } from '../../activities/contracts.ts'
import type { MinibatchSums } from '../../activities/engine/port.ts'
import { learn } from '../../activities/grpo/learn.ts'
import { stepMetrics } from '../../activities/grpo/metrics.ts'

function row(problem: string, occurrence: number, sample: number, reward: number, tokens: number) {
  const rollout: Rollout = {
    problem,
    occurrence,
    sample,
    prompt: '',
    completion: '',
    promptTokens: [1, 2],
    tokens: new Array<number>(tokens).fill(3),
    logprobs: new Array<number>(tokens).fill(-0.5),
    stop: tokens === 4 ? 'length' : 'end',
    policy: '0'.repeat(64),
    strategy: sample === 0 ? 'code' : 'language',
  }
  const scored: Scored = {
    problem,
    occurrence,
    sample,
    value: reward,
    verdict: 'none',
    reason: '',
    components: { format: reward / 2 },
  }
  return { rollout, reward: scored }
}
const table = [row('p', 0, 0, 1, 4), row('p', 0, 1, 0, 2), row('p', 1, 0, 1, 3), row('p', 1, 1, 1, 3)]

const sums: MinibatchSums = {
  sequences: 2,
  tokens: 10,
  loss: 0.5,
  gradNorm: 2,
  learningRate: 0.1,
  entropy: 5,
  clipLow: 1,
  clipHigh: 2,
  clipLowByDecile: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  clipHighByDecile: [0, 2, 0, 0, 0, 0, 0, 0, 0, 0],
  tokensByDecile: [4, 6, 0, 0, 0, 0, 0, 0, 0, 0],
  ratio: 11,
  kl: 0.2,
  logprobDifference: 0.625,
  logprobDifferenceMax: 0.25,
}

test("a step's metrics have TRL's names and are means over tokens", () => {
  const second = { ...sums, tokens: 30, loss: 1.5, entropy: 7, logprobDifference: 9, learningRate: 0.05 }
  const metrics = stepMetrics(table, [sums, second])
  expect(metrics).toMatchObject({
    reward: 0.75,
    frac_reward_zero_std: 0.5, // the second occurrence is a group of its own
    'rewards/format/mean': 0.375,
    'completions/mean_length': 3,
    'completions/max_length': 4,
    'completions/clipped_ratio': 0.25,
    'completions/code_ratio': 0.5,
    loss: 1,
    grad_norm: 2,
    learning_rate: 0.05,
    entropy: 12 / 40,
    'clip_ratio/low_mean': 2 / 40,
    'clip_ratio/high_mean': 4 / 40,
    'clip_ratio/region_mean': 2 / 40 + 4 / 40,
    'sampling/sampling_logp_difference/mean': 0.0625, // of the first update, which alone is on-policy
    'sampling/sampling_logp_difference/max': 0.25,
    'clip_count/low/0': 2,
    'clip_count/tokens/1': 12,
  })
  expect(metrics.reward_std).toBeCloseTo(Math.SQRT1_2 / 2, 12)
})

test('every rollout is learnt from once, with the advantage of its group', () => {
  const objective = {
    name: 'grpo',
    clip: null,
    kl: 0,
    scale: 'none',
    whiten: false,
    average: 'tokens',
  } as const
  const batch = { problems: 2, group: 2, minibatch: 3, microbatchTokens: 100 }
  const cut = learn(table, { objective, batch, seed: 0 }, 1)
  expect(cut.map(({ sequences }) => sequences.length)).toEqual([3, 1])
  const byGroup = cut
    .flatMap(({ sequences }) => sequences)
    .map((s) => [s.group, s.completion.length, s.advantage])
    .sort()
  expect(byGroup).toEqual([
    ['p 0', 2, -0.5],
    ['p 0', 4, 0.5],
    ['p 1', 3, 0],
    ['p 1', 3, 0],
  ])
})

test('an empty completion counts in its group and is not learnt from', () => {
  const objective = {
    name: 'grpo',
    clip: null,
    kl: 0,
    scale: 'none',
    whiten: false,
    average: 'tokens',
  } as const
  const batch = { problems: 1, group: 2, minibatch: 2, microbatchTokens: 100 }
  const cut = learn([row('p', 0, 0, 1, 2), row('p', 0, 1, 0, 0)], { objective, batch, seed: 0 }, 1)
  expect(cut.flatMap(({ sequences }) => sequences.map((s) => s.advantage))).toEqual([0.5])
})
