/**
 * The end of the model: final norm, logits, log-probabilities of the targets, and the way back to h, over tokens that
 * have a target, without padding. With p = softmax(z) and c = weight · d loss / d log π of each token,
 * dz = c (onehot - p); the factor c moves to the narrow side, so that nothing of size [N, V] is computed but z and p:
 * dx = c ∘ W[target] - c ∘ (p·W), dW = -pᵀ·(c ∘ x) + (c ∘ x added at the targets, by the caller, in order).
 * log π = z_target - max z + log max p, exact where p underflows. Temperature 1 always.
 */
import type { Objective } from '../contracts.ts'
import { GraphBuilder, type Graph, type Value } from '../onnx/graph.ts'
import { gradients } from '../onnx/gradients.ts'
import { rmsNorm } from './block.ts'
import type { ModelConfig } from './config.ts'

/** Elements of one chunk's logits: 64 MiB each for z and p, whatever the vocabulary. */
const CHUNK_ELEMENTS = 2 ** 24

export function chunkTokens({ vocabulary }: ModelConfig): number {
  return Math.max(1, Math.floor(CHUNK_ELEMENTS / vocabulary))
}

/**
 * Inputs: h [N, width], target [N, 1], norm, head; for an objective also weight [N, 1], sum.norm and
 * sum.head, what gradients are added to, and for grpo old and advantage [N, 1].
 * Outputs: logprob and entropy [N, 1]; for an objective also dh, scaled = c ∘ x [N, width], d.norm and d.head,
 * the sums.
 */
export function headGraph(config: ModelConfig, objective: Objective | null): Graph {
  const g = new GraphBuilder('head')
  const { width, vocabulary } = config
  const h = g.input('h', 'f32', ['N', width])
  const target = g.input('target', 'i64', ['N', 1])
  const norm = g.input('norm', 'f32', [width])
  const head = g.input('head', 'f32', [vocabulary, width])
  const x = rmsNorm(g, config, h, norm)
  const z = g.op('Gemm', [x, head], { transB: true }) // [N, V]
  const p = g.softmax(z)
  const logSum = g.sub(g.max(z, [-1]), g.log(g.max(p, [-1]))) // log Σ exp z, [N, 1]
  const logprob = g.sub(g.op('GatherElements', [z, target], { axis: 1 }), logSum)
  g.output('logprob', logprob)
  // Σ p z as a product of vectors: one pass, nothing written.
  const mean = g.matmul(g.reshape(p, ['N', 1, vocabulary]), g.reshape(z, ['N', vocabulary, 1]))
  g.output('entropy', g.sub(logSum, g.reshape(mean, ['N', 1])))
  if (objective === null) return g.finish()

  const c = g.mul(g.input('weight', 'f32', ['N', 1]), slope(g, objective, logprob))
  const scaled = g.mul(c, x)
  const own = g.reshape(g.gather(head, g.squeeze(target, 1)), ['N', width])
  const dx = g.mul(c, g.sub(own, g.matmul(p, head)))
  const [dh, dNorm] = gradients(g, [{ output: x, seed: dx }], [h, norm])
  g.output('dh', dh!)
  g.output('scaled', scaled)
  g.output('d.norm', g.add(g.input('sum.norm', 'f32', [width]), dNorm!))
  const sum = g.input('sum.head', 'f32', [vocabulary, width])
  g.output('d.head', g.op('Gemm', [p, scaled, sum], { transA: true, alpha: -1 }))
  return g.finish()
}

/** d loss / d log π of each token, [N, 1] (or a constant): the formula of grpo/objective.ts. */
function slope(g: GraphBuilder, objective: Objective, logprob: Value): Value {
  if (objective.name === 'nll') return g.f32(-1)
  const { clip, kl } = objective
  const advantage = g.input('advantage', 'f32', ['N', 1])
  const ratio = g.exp(g.sub(logprob, g.input('old', 'f32', ['N', 1])))
  const free = g.neg(g.mul(ratio, advantage))
  const surrogate = clip === null ? free : g.where(clipped(g, clip, ratio, advantage), g.f32(0), free)
  if (kl === 0) return surrogate
  return g.add(surrogate, g.mul(g.f32(kl), g.sub(g.f32(1), g.op('Reciprocal', [ratio]))))
}

function clipped(
  g: GraphBuilder,
  [low, high]: readonly [number, number],
  ratio: Value,
  advantage: Value,
): Value {
  const zero = g.f32(0)
  const below = g.op('And', [g.op('Less', [advantage, zero]), g.op('Less', [ratio, g.f32(1 - low)])])
  const above = g.op('And', [g.op('Greater', [advantage, zero]), g.op('Greater', [ratio, g.f32(1 + high)])])
  return g.op('Or', [below, above])
}
