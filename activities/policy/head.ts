/**
 * The end of the model, over tokens that have a target, without padding: final norm, logits, and the way back to h. The
 * vocabulary is cut into slices that fit the cache, so that nothing of size [N, V] is ever in memory: a first walk over
 * the slices gives log Σ exp z, a second computes their logits again and gives gradients. With p = softmax(z) and
 * c = weight · d loss / d log π of each token, dz = c (onehot - p); the factor c moves to the narrow side:
 * dx = c ∘ W[target] - c ∘ (p·W), dW = -pᵀ·(c ∘ x) + (c ∘ x added at the targets, by the caller, in order).
 *
 * Source: the two walks are those of cut cross entropy (arXiv 2411.09009) without its filter: gradients are exact.
 */
import { GraphBuilder, type Graph, type Value } from '../onnx/graph.ts'
import { gradients } from '../onnx/gradients.ts'
import { rmsNorm } from './block.ts'
import type { ModelConfig } from './config.ts'

/** Inputs h [N, width], norm, own = the targets' rows of the head [N, width]. Outputs x [N, width], z of the target [N, 1]. */
export function headStartGraph(config: ModelConfig): Graph {
  const g = new GraphBuilder('head start')
  const { h, norm } = declare(g, config)
  const x = rmsNorm(g, config, h, norm)
  g.output('x', x)
  g.output('z', g.sum(g.mul(x, g.input('own', 'f32', ['N', config.width])), [-1]))
  return g.finish()
}

/**
 * Inputs x [N, width], head [S, width], a slice. Outputs [N, 1]: logSum = log Σ exp z and mean = Σ softmax(z) z, both
 * over the slice. log Σ exp z = max z - log max p, exact where p underflows.
 */
export function headSliceGraph({ width }: ModelConfig): Graph {
  const g = new GraphBuilder('head slice')
  const { x, head } = declareSlice(g, width)
  const z = logits(g, x, head)
  const p = g.softmax(z)
  g.output('logSum', g.sub(g.max(z, [-1]), g.log(g.max(p, [-1]))))
  // Σ p z as a product of vectors: one pass, nothing written.
  const mean = g.matmul(g.reshape(p, ['N', 1, 'S']), g.reshape(z, ['N', 'S', 1]))
  g.output('mean', g.reshape(mean, ['N', 1]))
  return g.finish()
}

/**
 * Inputs x, head as above, logSum [N, 1] over the whole vocabulary, scaled = c ∘ x [N, width], and what is added to:
 * sum.expected [N, width], sum.head [S, width]. Outputs: expected = the sum and p·W, d.head = the sum and -pᵀ·(c ∘ x).
 */
export function headSliceBackwardGraph({ width }: ModelConfig): Graph {
  const g = new GraphBuilder('head slice backward')
  const { x, head } = declareSlice(g, width)
  const p = g.exp(g.sub(logits(g, x, head), g.input('logSum', 'f32', ['N', 1])))
  g.output('expected', g.op('Gemm', [p, head, g.input('sum.expected', 'f32', ['N', width])]))
  const [scaled, sum] = [g.input('scaled', 'f32', ['N', width]), g.input('sum.head', 'f32', ['S', width])]
  g.output('d.head', g.op('Gemm', [p, scaled, sum], { transA: true, alpha: -1 }))
  return g.finish()
}

/** Inputs h, norm, dx [N, width], sum.norm. Outputs dh [N, width], d.norm, the sum. */
export function headEndGraph(config: ModelConfig): Graph {
  const g = new GraphBuilder('head end')
  const { h, norm } = declare(g, config)
  const seed = g.input('dx', 'f32', ['N', config.width])
  const [dh, dNorm] = gradients(g, [{ output: rmsNorm(g, config, h, norm), seed }], [h, norm])
  g.output('dh', dh!)
  g.output('d.norm', g.add(g.input('sum.norm', 'f32', [config.width]), dNorm!))
  return g.finish()
}

function declare(g: GraphBuilder, { width }: ModelConfig): { h: Value; norm: Value } {
  return { h: g.input('h', 'f32', ['N', width]), norm: g.input('norm', 'f32', [width]) }
}

function declareSlice(g: GraphBuilder, width: number): { x: Value; head: Value } {
  return { x: g.input('x', 'f32', ['N', width]), head: g.input('head', 'f32', ['S', width]) }
}

/** x·headᵀ, [N, S] */
function logits(g: GraphBuilder, x: Value, head: Value): Value {
  return g.op('Gemm', [x, head], { transB: true })
}
