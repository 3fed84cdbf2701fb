import { describe, expect, test } from 'vitest'
import type { Objective } from '../../activities/contracts.ts'
import type { Sequence } from '../../activities/engine/port.ts'
import { k3, Tally, tokenLoss, tokenWeights } from '../../activities/grpo/objective.ts'

const grpo: Extract<Objective, { name: 'grpo' }> = {
  name: 'grpo',
  clip: [0.2, 0.28],
  kl: 0,
  scale: 'group',
  whiten: false,
  average: 'tokens',
}

test('on-policy the ratio is 1: the loss is -A and its slope -A', () => {
  expect(tokenLoss(grpo, -1.5, -1.5, 0.7)).toEqual({ loss: -0.7, slope: -0.7, clipped: null })
})

describe('the clip cuts only what would move further out', () => {
  test.each([
    // ratio, advantage, loss, slope, clipped
    [1.5, 1, -1.28, 0, 'high'], // min(1.5, 1.28)
    [1.5, -1, 1.5, 1.5, null], // max side: moving back is free
    [0.5, -1, 0.8, 0, 'low'],
    [0.5, 1, -0.5, -0.5, null],
    [1.27, 1, -1.27, -1.27, null],
    [0.81, -2, 1.62, 1.62, null],
  ] as const)('ratio %f, advantage %f', (ratio, advantage, loss, slope, clipped) => {
    const found = tokenLoss(grpo, Math.log(ratio), 0, advantage)
    expect(found.loss).toBeCloseTo(loss, 12)
    expect(found.slope).toBeCloseTo(slope, 12)
    expect(found.clipped).toBe(clipped)
  })
})

test('without a clip nothing is cut', () => {
  const found = tokenLoss({ ...grpo, clip: null }, Math.log(3), 0, 1)
  expect(found.loss).toBeCloseTo(-3, 12)
  expect(found.clipped).toBe(null)
})

test('the slope is the derivative of the loss, with and without KL', () => {
  for (const kl of [0, 0.3])
    for (const [logprob, old, advantage] of [
      [-1.2, -1, 0.8],
      [-0.5, -1, 0.8],
      [-0.5, -1, -0.8],
      [-2, -1, -0.8],
    ] as const) {
      const at = (x: number) => tokenLoss({ ...grpo, kl }, x, old, advantage)
      const difference = (at(logprob + 1e-5).loss - at(logprob - 1e-5).loss) / 2e-5
      expect(at(logprob).slope).toBeCloseTo(difference, 8)
    }
})

test('k3 is 0 on-policy and positive elsewhere', () => {
  expect(k3(-1, -1)).toBe(0)
  expect(k3(-2, -1)).toBeCloseTo(Math.E - 2, 12) // e¹ - 1 - 1
  expect(k3(-1, -2)).toBeCloseTo(1 / Math.E, 12) // e⁻¹ + 1 - 1
})

const sequence = (tokens: number): Sequence => ({
  group: 'a',
  prompt: [1],
  completion: new Array<number>(tokens).fill(2),
  logprobs: new Array<number>(tokens).fill(-1),
  advantage: 1,
})
const lengths = [1, 3, 4, 2, 6]

describe('token weights', () => {
  const of = (average: typeof grpo.average) => tokenWeights(lengths.map(sequence), { ...grpo, average })

  test('tokens: every token alike', () => {
    expect(of('tokens')).toEqual(lengths.map(() => 1 / 16))
  })
  test('sequence: every sequence alike', () => {
    expect(of('sequence')).toEqual(lengths.map((n) => 1 / (5 * n)))
  })
  test('microbatch: four completions in a row (10 tokens), then the last (6), alike', () => {
    expect(of('microbatch')).toEqual([1 / 20, 1 / 20, 1 / 20, 1 / 20, 1 / 12])
  })
  test.each(['tokens', 'sequence', 'microbatch'] as const)(
    '%s: the weights of a minibatch sum to 1',
    (average) => {
      const total = of(average).reduce((sum, weight, i) => sum + weight * lengths[i]!, 0)
      expect(total).toBeCloseTo(1, 12)
    },
  )
  test('nll is the mean over tokens', () => {
    expect(tokenWeights(lengths.map(sequence), { name: 'nll' })).toEqual(lengths.map(() => 1 / 16))
  })
})

test('a tally counts clips by decile of the old probability', () => {
  const tally = new Tally()
  const add = (old: number, ratio: number, advantage: number) =>
    tally.add(grpo, {
      logprob: Math.log(old * ratio),
      old: Math.log(old),
      advantage,
      weight: 0.25,
      entropy: 0.5,
    })
  add(0.05, 1.5, 1) // high, decile 0
  add(0.35, 0.5, -1) // low, decile 3
  add(1, 1, 1) // certain: the last decile
  add(0.35, 1, 1)
  const sums = tally.sums(2, 0.1)
  expect(sums.clipHighByDecile).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  expect(sums.clipLowByDecile).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  expect(sums.tokensByDecile).toEqual([1, 0, 0, 2, 0, 0, 0, 0, 0, 1])
  expect([sums.clipLow, sums.clipHigh, sums.tokens]).toEqual([1, 1, 4])
  expect(sums.ratio).toBeCloseTo(1.5 + 0.5 + 1 + 1, 12)
  expect(sums.loss).toBeCloseTo(0.25 * (-1.28 + 0.8 - 1 - 1), 12)
  expect(sums.logprobDifference).toBeCloseTo(Math.log(1.5) + Math.log(2), 12)
  expect(sums.logprobDifferenceMax).toBeCloseTo(Math.log(2), 12)
  expect([sums.entropy, sums.gradNorm, sums.learningRate]).toEqual([2, 2, 0.1])
})
