/**
 * One optimizer step over the flat weights, in place. AdamW is a kernel that takes a chunk at a time (adam-kernel.ts);
 * grpo/adam.ts is the same formula and its reference. SGD is a line of JavaScript. What was written is looked at while
 * it is in the processor's cache: a number that left float32's range is found in the step that made it.
 */
import type { Optimizer } from '../contracts.ts'
import { adamFactors, type AdamFactors } from '../grpo/adam.ts'
import { clipScale, sgd } from '../grpo/sgd.ts'
import { kernelFloats, openAdamKernel, type AdamKernel, type KernelFactors } from './adam-kernel.ts'

/** First and second moments, of the weights' layout; empty until the first step that has them. */
export interface Moments {
  m: Float32Array
  v: Float32Array
}

let kernel: AdamKernel | null = null

/**
 * Changes weights (and moments); `updates` counts this step, `norm` is the gradient's. Says whether all that it wrote is
 * finite. What is not stays so: every later step makes it from a sum with itself or a product with it.
 */
export function optimizerStep(
  optimizer: Optimizer,
  weights: Float32Array,
  gradient: Float32Array,
  moments: Moments,
  { updates, norm, learningRate }: { updates: number; norm: number; learningRate: number },
): boolean {
  const scale = clipScale(norm, optimizer.maxGradNorm)
  if (optimizer.name === 'sgd') {
    let finite = true
    for (const [w, g] of chunks(weights, gradient)) finite = sgd(w, g, learningRate, scale) && finite
    return finite
  }
  if (moments.m.length === 0) {
    moments.m = new Float32Array(weights.length)
    moments.v = new Float32Array(weights.length)
  }
  const factors = kernelFactors(adamFactors(optimizer, learningRate, updates, scale))
  kernel ??= openAdamKernel()
  const held = [kernel.w, kernel.g, kernel.m, kernel.v] as const
  let finite = true
  for (const chunk of chunks(weights, gradient, moments.m, moments.v)) {
    const count = chunk[0].length
    for (const [i, array] of chunk.entries()) held[i]!.set(array)
    finite = kernel.run(count, factors) && finite
    for (const i of [0, 2, 3]) chunk[i]!.set(held[i]!.subarray(0, count))
  }
  return finite
}

/** Views of a chunk of each array. */
function* chunks(...all: [Float32Array, Float32Array, ...Float32Array[]]): Generator<typeof all> {
  for (let start = 0; start < all[0].length; start += kernelFloats)
    yield all.map((array) => array.subarray(start, start + kernelFloats)) as typeof all
}

/** Differences from 1 are taken in double; step size and ε are both over the correction of the root. */
function kernelFactors(f: AdamFactors): KernelFactors {
  return {
    keepM: f.beta1,
    addG: (1 - f.beta1) * f.scale,
    keepV: f.beta2,
    addGG: (1 - f.beta2) * f.scale * f.scale,
    stepSize: f.stepSize / f.rootCorrection,
    eps: f.eps / f.rootCorrection,
    keepW: f.keep,
  }
}
