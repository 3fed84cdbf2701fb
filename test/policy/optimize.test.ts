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
