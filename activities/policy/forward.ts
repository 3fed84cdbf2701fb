/**
 * The sampler's one graph: S new tokens for each of N x R rows, given what the rows have seen. A slot is one prompt; its
 * keys and values are held once and shared by the slot's R rows, and each row has its own behind them. Prefill is the
 * same graph with R = 1, S = the prompt's tokens and nothing before; decode has S = 1. One session does both, so the
 * weights are packed once.
 *
 * Attention is one softmax over [prompt | own | new]. All queries of a slot meet the prompt's keys in one product per
 * key head. Caches are inputs that the runtime only reads; what comes back is the new keys and values of all layers.
 * P and C must be multiples of `laneWidth`: appending masked positions then changes no bit of a row's softmax.
 */
import type { Dim, Graph, Value } from '../onnx/graph.ts'
import { GraphBuilder } from '../onnx/graph.ts'
import { block, rmsNorm, type Projected, type WeightOf } from './block.ts'
import { embeddingName, finalNormName, headName, layerTensor, type ModelConfig } from './config.ts'
import { declareDraw, draw } from './draw.ts'
import { externalOf, type OpenPolicy } from './open.ts'

/** Floats that the widest vector kernel adds at once; capacities are multiples of it. */
export const laneWidth = 16
/** Added to the score of a position that a row must not see: its weight is then exactly 0. */
export const masked = -1e9

/** Names of a layer's cache inputs: prompt [N, KV, P, D] and own [N, KV, R, 1, C, D], of keys and of values. */
export const cacheNames = ['promptKeys', 'promptValues', 'ownKeys', 'ownValues'] as const

interface LayerCaches {
  readonly promptKeys: Value
  readonly promptValues: Value
  readonly ownKeys: Value
  readonly ownValues: Value
}

/**
 * Inputs: token [T], position [T, 1] with T = N·R·S; last [B], the index of each row's last token; mask
 * [N, 1, R, 1, S, P+C+S]; cos, sin; the caches; what `draw` needs. Outputs: drawn [B], logprob [B], and of each layer
 * `newKeys` and `newValues` [N, KV, R, S, D].
 */
export function forwardGraph(policy: OpenPolicy, { nucleus }: { nucleus: boolean }): Graph {
  const { config } = policy
  const { kvHeads, headDim } = config
  const g = new GraphBuilder(nucleus ? 'forward-nucleus' : 'forward')
  const weight = weightsOf(g, policy)
  const token = g.input('token', 'i64', ['T'])
  const rope = {
    positions: g.input('position', 'i64', ['T', 1]),
    cos: g.input('cos', 'f32', ['positions', headDim / 2]),
    sin: g.input('sin', 'f32', ['positions', headDim / 2]),
  }
  const last = g.input('last', 'i64', ['B'])
  const mask = g.input('mask', 'f32', ['N', 1, 'R', 1, 'S', 'P+C+S'])
  const drawInputs = declareDraw(g, nucleus)

  let h = g.gather(weight(embeddingName), token) // [T, width]
  for (let layer = 0; layer < config.layers; layer++) {
    const input = (name: string, shape: Dim[]) => g.input(`${name}${layer}`, 'f32', shape)
    const caches: LayerCaches = {
      promptKeys: input('promptKeys', ['N', kvHeads, 'P', headDim]),
      promptValues: input('promptValues', ['N', kvHeads, 'P', headDim]),
      ownKeys: input('ownKeys', ['N', kvHeads, 'R', 1, 'C', headDim]),
      ownValues: input('ownValues', ['N', kvHeads, 'R', 1, 'C', headDim]),
    }
    const layerWeight: WeightOf = (name, kind) => weight(layerTensor(layer, name, kind))
    h = block(g, config, layerWeight, h, rope, (projected) => {
      const { attended, keys, values } = attend(g, config, projected, caches, mask)
      g.output(`newKeys${layer}`, keys)
      g.output(`newValues${layer}`, values)
      return attended
    })
  }
  const final = rmsNorm(g, config, g.gather(h, last), weight(finalNormName)) // [B, width]
  const head = weight(config.tied ? embeddingName : headName)
  const { token: drawn, logprob } = draw(g, g.op('Gemm', [final, head], { transB: true }), drawInputs)
  g.output('drawn', drawn)
  g.output('logprob', logprob)
  return g.finish()
}

/**
 * A row's own keys meet its queries one by one: products of a single row read the cache in place, where the runtime
 * copies it into another layout for two or more. The other products have many rows, or few keys.
 */
function attend(
  g: GraphBuilder,
  { heads, kvHeads, headDim }: ModelConfig,
  { q, k, v }: Projected,
  caches: LayerCaches,
  mask: Value,
): { attended: Value; keys: Value; values: Value } {
  const group = heads / kvHeads
  const transB = { transB: true }
  /** [T, KV·D] → [N, KV, R, S, D] */
  const perHead = (x: Value) => g.transpose(g.reshape(x, ['N', 'R', 'S', kvHeads, headDim]), [0, 3, 1, 2, 4])
  const [keys, values] = [perHead(k), perHead(v)]
  // Scaled here and not in the products, which are only read in place when they scale nothing.
  const scaled = g.reshape(g.mul(q, g.f32(1 / Math.sqrt(headDim))), ['N', 'R', 'S', kvHeads, group, headDim])
  const queries = g.transpose(scaled, [0, 3, 1, 4, 2, 5]) // [N, KV, R, G, S, D]
  const rowOf = (...last: Dim[]) => ['N', kvHeads, 'R', ...last]
  const all = `${group}*S`

  const inSlot = g.reshape(queries, ['N', kvHeads, `${group}*R*S`, headDim])
  const onPrompt = g.op('FusedMatMul', [inSlot, caches.promptKeys], transB)
  const single = g.reshape(queries, rowOf(all, 1, headDim))
  const onOwn = g.op('FusedMatMul', [single, caches.ownKeys], transB)
  const onNew = g.matmul(g.reshape(queries, rowOf(all, headDim)), g.transpose(keys, [0, 1, 2, 4, 3]))
  const seen = g.concat([g.reshape(onPrompt, rowOf(all, 'P')), g.reshape(onOwn, rowOf(all, 'C')), onNew], 4)
  const masked = g.add(g.reshape(seen, rowOf(group, 'S', 'P+C+S')), mask)
  const p = g.reshape(g.softmax(masked), rowOf(all, 'P+C+S'))
  const [ofPrompt, ofOwn, ofNew] = g.split(p, ['P', 'C', 'S'], 4) as [Value, Value, Value]

  const fromPrompt = g.matmul(g.reshape(ofPrompt, ['N', kvHeads, `${group}*R*S`, 'P']), caches.promptValues)
  const fromOwn = g.matmul(g.reshape(ofOwn, rowOf(all, 1, 'C')), caches.ownValues)
  const parts = [fromPrompt, fromOwn, g.matmul(ofNew, values)]
  const sum = parts.map((x) => g.reshape(x, rowOf(group, 'S', headDim))).reduce((a, b) => g.add(a, b))
  const perToken = g.transpose(sum, [0, 2, 4, 1, 3, 5]) // [N, R, S, KV, G, D]
  return { attended: g.reshape(perToken, ['T', heads * headDim]), keys, values }
}

/** Weights by name, each made once, straight from the policy's files; the runtime folds the cast when it opens them. */
function weightsOf(g: GraphBuilder, policy: OpenPolicy): (name: string) => Value {
  const made = new Map<string, Value>()
  return (name) => {
    const found = made.get(name)
    if (found) return found
    const tensor = policy.tensors.get(name)
    if (!tensor) throw new Error(`forward: the policy has no tensor ${name}`)
    const value = g.cast(g.weight(name, tensor.dtype, tensor.shape, externalOf(policy, tensor)), 'f32')
    made.set(name, value)
    return value
  }
}
