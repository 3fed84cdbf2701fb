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

/** Names of a layer's cache inputs: prompt [N, KV, P, D] and own [N, KV, R, C, D], of keys and of values. */
export const cacheNames = ['promptKeys', 'promptValues', 'ownKeys', 'ownValues'] as const

interface LayerCaches {
  readonly promptKeys: Value
  readonly promptValues: Value
  readonly ownKeys: Value
  readonly ownValues: Value
}

/**
 * Inputs: token [T], position [T, 1] with T = N·R·S; last [B], the index of each row's last token; mask
 * [N, 1, R, 1, S, P+C+S]; cos, sin; the caches; what `draw` needs. Outputs: token [B], logprob [B], and kv
 * [layers, 2, N, KV, R, S, D], the new keys and values.
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
  const created: Value[] = []
  for (let layer = 0; layer < config.layers; layer++) {
    const input = (name: string, shape: Dim[]) => g.input(`${name}${layer}`, 'f32', shape)
    const caches: LayerCaches = {
      promptKeys: input('promptKeys', ['N', kvHeads, 'P', headDim]),
      promptValues: input('promptValues', ['N', kvHeads, 'P', headDim]),
      ownKeys: input('ownKeys', ['N', kvHeads, 'R', 'C', headDim]),
      ownValues: input('ownValues', ['N', kvHeads, 'R', 'C', headDim]),
    }
    const layerWeight: WeightOf = (name, kind) => weight(layerTensor(layer, name, kind))
    h = block(g, config, layerWeight, h, rope, (projected) => {
      const { attended, keys, values } = attend(g, config, projected, caches, mask)
      created.push(g.unsqueeze(keys, 0), g.unsqueeze(values, 0))
      return attended
    })
  }
  const final = rmsNorm(g, config, g.gather(h, last), weight(finalNormName)) // [B, width]
  const head = weight(config.tied ? embeddingName : headName)
  const { token: drawn, logprob } = draw(g, g.op('Gemm', [final, head], { transB: true }), drawInputs)
  g.output('drawn', drawn)
  g.output('logprob', logprob)
  g.output('kv', g.concat(created, 0))
  return g.finish()
}

function attend(
  g: GraphBuilder,
  { heads, kvHeads, headDim }: ModelConfig,
  { q, k, v }: Projected,
  caches: LayerCaches,
  mask: Value,
): { attended: Value; keys: Value; values: Value } {
  const group = heads / kvHeads
  const scores = (a: Value, b: Value) =>
    g.op('FusedMatMul', [a, b], { transB: true, alpha: 1 / Math.sqrt(headDim) })
  /** [T, KV·D] → [N, KV, R, S, D] */
  const perHead = (x: Value) => g.transpose(g.reshape(x, ['N', 'R', 'S', kvHeads, headDim]), [0, 3, 1, 2, 4])
  const [keys, values] = [perHead(k), perHead(v)]
  const queries = g.transpose(g.reshape(q, ['N', 'R', 'S', kvHeads, group, headDim]), [0, 3, 1, 4, 2, 5])
  const inSlot = g.reshape(queries, ['N', kvHeads, `${group}*R*S`, headDim])
  const inRow = g.reshape(queries, ['N', kvHeads, 'R', `${group}*S`, headDim])

  const seen = g.concat(
    [
      g.reshape(scores(inSlot, caches.promptKeys), ['N', kvHeads, 'R', `${group}*S`, 'P']),
      scores(inRow, caches.ownKeys),
      scores(inRow, keys),
    ],
    4,
  )
  const grouped = g.reshape(seen, ['N', kvHeads, 'R', group, 'S', 'P+C+S'])
  const p = g.reshape(g.softmax(g.add(grouped, mask)), ['N', kvHeads, 'R', `${group}*S`, 'P+C+S'])
  const [onPrompt, onOwn, onNew] = g.split(p, ['P', 'C', 'S'], 4) as [Value, Value, Value]

  const fromPrompt = g.matmul(g.reshape(onPrompt, ['N', kvHeads, `${group}*R*S`, 'P']), caches.promptValues)
  const fromRow = g.add(g.matmul(onOwn, caches.ownValues), g.matmul(onNew, values))
  const sum = g.add(g.reshape(fromPrompt, ['N', kvHeads, 'R', `${group}*S`, headDim]), fromRow)
  const perToken = g.transpose(g.reshape(sum, ['N', kvHeads, 'R', group, 'S', headDim]), [0, 2, 4, 1, 3, 5])
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
