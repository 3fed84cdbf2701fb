import { expect, test } from 'vitest'
import type { Optimizer } from '../../activities/contracts.ts'
import { adamFactors, adamw } from '../../activities/grpo/adam.ts'
import { clipScale, sgd } from '../../activities/grpo/sgd.ts'

const settings = {
  name: 'adamw',
  learningRate: 0.1,
  betas: [0.9, 0.99],
  eps: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
} satisfies Optimizer

test('the first AdamW step is the learning rate against the sign of the gradient', () => {
  const [w, m, v] = [Float32Array.of(1, 1), new Float32Array(2), new Float32Array(2)]
  adamw(w, Float32Array.of(0.5, -3), m, v, adamFactors(settings, 0.1, 1, 1))
  expect(w[0]).toBeCloseTo(0.9, 6)
  expect(w[1]).toBeCloseTo(1.1, 6)
  expect(m[0]).toBeCloseTo(0.05, 6) // (1 - 0.9)·0.5
  expect(v[1]).toBeCloseTo(0.09, 6) // (1 - 0.99)·9
})

test('a second step by hand', () => {
  // g = 1 then 2. m = .1·.9 + .1·2 = .29, / (1 - .81) = 1.52632; v = .01·.99 + .01·4 = .0499, / (1 - .9801) = 2.50754
  // w = 1 - .1 - .1·1.52632 / √2.50754 = .9 - .096388
  const [w, m, v] = [Float32Array.of(1), new Float32Array(1), new Float32Array(1)]
  adamw(w, Float32Array.of(1), m, v, adamFactors(settings, 0.1, 1, 1))
  adamw(w, Float32Array.of(2), m, v, adamFactors(settings, 0.1, 2, 1))
  expect(w[0]).toBeCloseTo(0.803612, 5)
})

test('weight decay is decoupled: a zero gradient only shrinks the weight', () => {
  const [w, m, v] = [Float32Array.of(2), new Float32Array(1), new Float32Array(1)]
  adamw(w, Float32Array.of(0), m, v, adamFactors({ ...settings, weightDecay: 0.5 }, 0.1, 1, 1))
  expect(w[0]).toBeCloseTo(2 * (1 - 0.1 * 0.5), 6)
})

test('sgd follows the clipped gradient', () => {
  const w = Float32Array.of(1, 1)
  sgd(w, Float32Array.of(3, 4), 0.5, clipScale(5, 1)) // norm 5, so a fifth of it
  expect(w[0]).toBeCloseTo(1 - 0.5 * 0.6, 5)
  expect(w[1]).toBeCloseTo(1 - 0.5 * 0.8, 5)
})

test('a gradient below the limit is left alone', () => {
  expect(clipScale(0.5, 1)).toBe(1)
})
