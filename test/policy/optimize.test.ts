import { expect, it } from 'vitest'
import type { Optimizer } from '../../activities/contracts.ts'
import { adamFactors, adamw } from '../../activities/grpo/adam.ts'
import { clipScale } from '../../activities/grpo/sgd.ts'
import { kernelFloats, openAdamKernel } from '../../activities/policy/adam-kernel.ts'
import { optimizerStep, type Moments } from '../../activities/policy/optimize.ts'
import { stream } from '../../activities/seed.ts'

/** Values of either sign over 24 orders of magnitude, denormal squares among them. */
function values(seed: number, length: number): Float32Array {
  const drawn = stream({ seed, purpose: 'sample' })
  return Float32Array.from({ length }, (_, i) => (drawn.uniform(i) - 0.5) * 10 ** -(i % 24))
}

it.each([0, 0.1])('AdamW over chunks is the reference, weight decay %d', (weightDecay) => {
  const optimizer = {
    name: 'adamw',
    learningRate: 1e-3,
    betas: [0.9, 0.95],
    eps: 1e-8,
    weightDecay,
    maxGradNorm: 1,
  } satisfies Optimizer
  const length = 2 * kernelFloats + 5
  const weights = values(1, length)
  const moments: Moments = { m: new Float32Array(0), v: new Float32Array(0) }
  const [w, m, v] = [weights.slice(), new Float32Array(length), new Float32Array(length)]
  for (let updates = 1; updates <= 3; updates++) {
    const gradient = values(10 + updates, length)
    optimizerStep(optimizer, weights, gradient, moments, { updates, norm: 2, learningRate: 1e-3 })
    adamw(w, gradient, m, v, adamFactors(optimizer, 1e-3, updates, clipScale(2, 1)))
  }
  // A few roundings of what was added up.
  const size = (i: number) => 10 ** -(i % 24)
  for (let i = 0; i < length; i++) {
    expect(Math.abs(weights[i]! - w[i]!)).toBeLessThan(2e-7 * Math.max(size(i), 1e-2))
    expect(Math.abs(moments.m[i]! - m[i]!)).toBeLessThan(2e-7 * size(i))
    expect(Math.abs(moments.v[i]! - v[i]!)).toBeLessThan(2e-7 * size(i) ** 2 + 1e-44)
  }
})

it('the kernel rounds every operation to float32, in the order it says', () => {
  const f = Math.fround
  const factors = { keepM: f(0.9), addG: f(0.07), keepV: f(0.95), addGG: f(0.03), stepSize: f(1e-3), eps: f(1e-8), keepW: f(0.999) } // prettier-ignore
  const kernel = openAdamKernel()
  const count = kernelFloats - 3
  const [w, g, m, v] = [values(1, count), values(2, count), values(3, count), values(4, count).map(Math.abs)]
  for (const [held, array] of [[kernel.w, w], [kernel.g, g], [kernel.m, m], [kernel.v, v]] as const) held.set(array) // prettier-ignore
  kernel.run(count, factors)
  const { keepM, addG, keepV, addGG, stepSize, eps, keepW } = factors
  for (let i = 0; i < count; i++) {
    const nextM = f(f(keepM * m[i]!) + f(addG * g[i]!))
    const nextV = f(f(keepV * v[i]!) + f(f(addGG * g[i]!) * g[i]!))
    const step = f(f(stepSize * nextM) / f(f(Math.sqrt(nextV)) + eps))
    expect([kernel.m[i], kernel.v[i], kernel.w[i]]).toEqual([nextM, nextV, f(f(keepW * w[i]!) - step)])
  }
})

const adamw9 = { name: 'adamw', learningRate: 1e-3, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0, maxGradNorm: 1 } satisfies Optimizer // prettier-ignore
const sgd9 = { name: 'sgd', learningRate: 1, maxGradNorm: 1e9 } satisfies Optimizer

// Weights of 1, a gradient of 1e-3 each. AdamW's first step is lr · m̂ / (√v̂ + ε) = lr · 1e-3 / 1e-3 = lr.
it.each<[string, Optimizer, boolean, number]>([
  ['AdamW at 1e38: 1 - 1e38', { ...adamw9, learningRate: 1e38 }, true, -1e38],
  ['AdamW at 1e39, which float32 has not', { ...adamw9, learningRate: 1e39 }, false, -Infinity],
  ['AdamW at 1e308', { ...adamw9, learningRate: 1e308 }, false, -Infinity],
  [
    'a weight decay of 1e38, 1 - 1e-3·1e38 = -1e35 times the weight',
    { ...adamw9, weightDecay: 1e38 },
    true,
    -1e35,
  ],
  ['a weight decay of 1e45', { ...adamw9, weightDecay: 1e45 }, false, -Infinity],
  ['β1 = 1, whose correction divides by 1 - 1', { ...adamw9, betas: [1, 0.95] }, false, NaN],
  ['β2 = 1, a moment of 0 over an infinite correction', { ...adamw9, betas: [0.9, 1] }, false, NaN],
  ['β1 = β2 = 0, m = g and v = g²', { ...adamw9, betas: [0, 0] }, true, 0.999],
  ['an ε that float32 rounds to 0, over a gradient that is not', { ...adamw9, eps: 5e-324 }, true, 0.999],
  ['SGD at 1e38: 1 - 1e38 · 1e-3', { ...sgd9, learningRate: 1e38 }, true, -1e35],
  ['SGD at 1e42, finite as a double: 1e42 · 1e-3 = 1e39', { ...sgd9, learningRate: 1e42 }, false, -Infinity],
  ['SGD at 1e308', { ...sgd9, learningRate: 1e308 }, false, -Infinity],
])('whether all that a step wrote is finite: %s', (_, optimizer, isFinite, weight) => {
  for (const length of [1, 6, kernelFloats, kernelFloats + 7]) {
    const weights = new Float32Array(length).fill(1)
    const moments: Moments = { m: new Float32Array(0), v: new Float32Array(0) }
    const { learningRate } = optimizer
    const gradient = new Float32Array(length).fill(1e-3)
    expect(
      optimizerStep(optimizer, weights, gradient, moments, { updates: 1, norm: 1e-3, learningRate }),
    ).toBe(isFinite)
    if (Number.isFinite(weight)) expect(weights.at(-1)! / weight).toBeCloseTo(1, 4)
    else expect(weights.at(-1)).toBe(weight)
    expect(Number.isFinite(weights[0])).toBe(isFinite)
  }
})

it('one value that is not finite is found wherever it stands, in weights and in either moment, and stays', () => {
  const length = kernelFloats + 6
  for (const kind of ['w', 'm', 'v'] as const)
    for (const value of [NaN, Infinity, -Infinity])
      for (const at of [0, kernelFloats - 1, kernelFloats, length - 1]) {
        const arrays = { w: values(1, length), m: values(2, length), v: values(3, length).map(Math.abs) }
        const { w, ...moments } = arrays
        arrays[kind][at] = value
        for (const updates of [1, 2]) {
          const step = { updates, norm: 1, learningRate: 1e-3 }
          expect(optimizerStep(adamw9, w, values(4, length), moments, step)).toBe(false)
        }
      }
  // What a refused step left in the kernel's memory says nothing of the next.
  const moments: Moments = { m: new Float32Array(0), v: new Float32Array(0) }
  const step = { updates: 1, norm: 1, learningRate: 1e-3 }
  expect(optimizerStep(adamw9, values(1, 5), values(4, 5), moments, step)).toBe(true)
})
