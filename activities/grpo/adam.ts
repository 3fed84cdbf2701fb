/**
 * AdamW as a pure function of one tensor: the reference that the kernel (policy/adam-kernel.ts) is tested against.
 *
 * Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (arXiv 1711.05101), algorithm 2, in the order
 * of torch.optim.AdamW: decay, moments, then w -= lr/(1 - β1^t) · m / (√v/√(1 - β2^t) + ε).
 * Every value is rounded to float32 where it is stored, and nowhere else.
 */
import type { Optimizer } from '../contracts.ts'

type AdamW = Extract<Optimizer, { name: 'adamw' }>

export interface AdamFactors {
  /** What the gradient is multiplied by (gradient-norm clipping). */
  readonly scale: number
  readonly beta1: number
  readonly beta2: number
  /** lr / (1 - β1^t) */
  readonly stepSize: number
  /** 1 / √(1 - β2^t) */
  readonly rootCorrection: number
  readonly eps: number
  /** 1 - lr · weight decay */
  readonly keep: number
}

/** The scalars of update number `updates` (1 for the first). */
export function adamFactors(
  { betas: [beta1, beta2], eps, weightDecay }: AdamW,
  learningRate: number,
  updates: number,
  scale: number,
): AdamFactors {
  return {
    scale,
    beta1,
    beta2,
    stepSize: learningRate / (1 - beta1 ** updates),
    rootCorrection: 1 / Math.sqrt(1 - beta2 ** updates),
    eps,
    keep: 1 - learningRate * weightDecay,
  }
}

/** Updates weights and both moments in place; all of one length. */
export function adamw(
  weights: Float32Array,
  gradient: Float32Array,
  m: Float32Array,
  v: Float32Array,
  { scale, beta1, beta2, stepSize, rootCorrection, eps, keep }: AdamFactors,
): void {
  for (let i = 0; i < weights.length; i++) {
    const g = gradient[i]! * scale
    const mi = beta1 * m[i]! + (1 - beta1) * g
    const vi = beta2 * v[i]! + (1 - beta2) * g * g
    m[i] = mi
    v[i] = vi
    weights[i] = keep * weights[i]! - (stepSize * mi) / (Math.sqrt(vi) * rootCorrection + eps)
  }
}
