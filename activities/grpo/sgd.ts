/**
 * Plain stochastic gradient descent, w -= lr · scale · g, without momentum: nothing to remember between updates. Says
 * whether all weights are finite, as float32.
 */
export function sgd(
  weights: Float32Array,
  gradient: Float32Array,
  learningRate: number,
  scale: number,
): boolean {
  const step = learningRate * scale
  let sum = 0 // of 0·w: NaN as soon as one of them is not finite
  for (let i = 0; i < weights.length; i++) {
    weights[i] = weights[i]! - step * gradient[i]!
    sum += 0 * weights[i]!
  }
  return sum === 0
}

/**
 * The factor that brings a gradient of 2-norm `norm` to at most `limit`, as torch's clip_grad_norm_ computes it:
 * min(1, limit / (norm + 1e-6)).
 */
export function clipScale(norm: number, limit: number): number {
  return Math.min(1, limit / (norm + 1e-6))
}
