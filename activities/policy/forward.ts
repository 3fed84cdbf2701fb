/**
 * The sampler's one graph: S new tokens for each of N x R rows, given what the rows have seen. A slot is one prompt; its
 * keys and values are held once and shared by the slot's R rows, and each row has its own behind them. Prefill is the
 * same graph with R = 1, S = the prompt's tokens and nothing before; decode has S = 1. One session does both, so the
 * weights are packed once.
 *
 * The layers are those of block.ts in fewer and larger operators, because a decode step has little work for each: q, k
 * and v are one product (the runtime joins their weights when it opens them), residual and norm one kernel. Attention is one softmax over [prompt | own | new], C+P+S positions, G query heads to a key head. All queries of a slot
 * meet the prompt's keys in one product per key head; a row's own keys meet one query at a time, because the runtime
 * reads them in place for a single query and copies them for more.
 */
import { GraphBuilder, type Dim, type Graph, type Value } from '../onnx/graph.ts'
import {
  embeddingName,
  families,
  finalNormName,
  headName,
  layerTensor,
  qkNormNames,
  type ModelConfig,
} from './config.ts'
import { declareDraw, draw } from './draw.ts'
import { externalOf, type OpenPolicy } from './open.ts'

/**
 * Floats that the widest vector kernel adds at once. The capacities P and C are multiples of it: appending masked
 * positions then changes no bit of a row's softmax.
 */
export const laneWidth = 16
/** Added to the score of a position that a row must not see: its weight is then exactly 0. */
export const masked = -1e9

/** Names of a layer's cache inputs: prompt [N, KV, P, D] and own [N, KV, 1, R, C, D], of keys and of values. */
export const cacheNames = ['promptKeys', 'promptValues', 'ownKeys', 'ownValues'] as const
type LayerCaches = Readonly<Record<(typeof cacheNames)[number], Value>>

/** What every layer needs. */
interface Scope {
  readonly g: GraphBuilder
  readonly config: ModelConfig
  /** A tensor of the policy, or several joined along their first axis. */
  readonly weight: (...names: string[]) => Value
  readonly positions: Value // i64 [T, 1]
  readonly cos: Value // [positions, D/2]
  readonly sin: Value
  readonly mask: Value // [N, 1, 1, R, S, C+P+S]
}

/**
 * Inputs: token and position [T, 1] with T = N·R·S; last [B], the index of each row's last token, B = N·R; mask; cos and
 * sin; the caches; what `draw` needs. Outputs: drawn [B], logprob [B], and of each layer `newKeys` and `newValues`
 * [N, KV, 1, R, S, D].
 */
export function forwardGraph(policy: OpenPolicy, { nucleus }: { nucleus: boolean }): Graph {
  const { config } = policy
  const { headDim } = config
  const g = new GraphBuilder(nucleus ? 'forward-nucleus' : 'forward')
  const weight = weightsOf(g, policy)
  const token = g.input('token', 'i64', ['T', 1])
  const scope: Scope = {
    g,
    config,
    weight,
    positions: g.input('position', 'i64', ['T', 1]),
    cos: g.input('cos', 'f32', ['positions', headDim / 2]),
    sin: g.input('sin', 'f32', ['positions', headDim / 2]),
    mask: g.input('mask', 'f32', ['N', 1, 1, 'R', 'S', 'C+P+S']),
  }
  const last = g.input('last', 'i64', ['B'])
  const drawInputs = declareDraw(g, nucleus)

  let residual: Residual = { sum: g.gather(weight(embeddingName), token), delta: null } // [T, 1, width]
  for (let layer = 0; layer < config.layers; layer++) {
    const { names } = families[config.family]
    const own = (name: string) => layerTensor(layer, name)
    const caches = declareCaches(g, config, layer)
    residual = sublayer(scope, residual, own(names.attentionNorm), (x) => {
      const { queries, keys, values } = project(scope, layer, x)
      g.output(`newKeys${layer}`, keys)
      g.output(`newValues${layer}`, values)
      return linear(scope, attend(scope, queries, keys, values, caches), own(names.o))
    })
    residual = sublayer(scope, residual, own(names.mlpNorm), (x) => {
      const gate = g.op('QuickGelu', [linear(scope, x, own(names.gate))], { alpha: 1 }) // SiLU
      return linear(scope, g.mul(gate, linear(scope, x, own(names.up))), own(names.down))
    })
  }
  const ends = g.gather(g.add(residual.sum, residual.delta!), last) // [B, 1, width]
  const final = g.reshape(rmsNorm(scope, ends, finalNormName), ['B', config.width])
  const head = weight(config.tied ? embeddingName : headName)
  const { token: drawn, logprob } = draw(g, g.op('Gemm', [final, head], { transB: true }), drawInputs)
  g.output('drawn', drawn)
  g.output('logprob', logprob)
  return g.finish()
}

function declareCaches(g: GraphBuilder, { kvHeads, headDim }: ModelConfig, layer: number): LayerCaches {
  const input = (name: string, shape: Dim[]) => g.input(`${name}${layer}`, 'f32', shape)
  return {
    promptKeys: input('promptKeys', ['N', kvHeads, 'P', headDim]),
    promptValues: input('promptValues', ['N', kvHeads, 'P', headDim]),
    ownKeys: input('ownKeys', ['N', kvHeads, 1, 'R', 'C', headDim]),
    ownValues: input('ownValues', ['N', kvHeads, 1, 'R', 'C', headDim]),
  }
}

/** The residual stream, and what the last sublayer adds to it: the next norm does both at once. */
interface Residual {
  readonly sum: Value
  readonly delta: Value | null
}

function sublayer(scope: Scope, { sum, delta }: Residual, norm: string, f: (x: Value) => Value): Residual {
  const { g, config, weight } = scope
  if (families[config.family].norm === 'post') {
    const joined = delta ? g.add(sum, delta) : sum
    return { sum: joined, delta: rmsNorm(scope, f(joined), norm) }
  }
  if (!delta) return { sum, delta: f(rmsNorm(scope, sum, norm)) }
  const outputs = g.ops('SkipSimplifiedLayerNormalization', [sum, delta, weight(norm)], {
    epsilon: config.normEps,
  })
  return { sum: outputs[3]!, delta: f(outputs[0]!) }
}

/** x [T, 1, width] → queries [N, KV, G, R, S, D], scaled, keys and values [N, KV, 1, R, S, D]; rotated. */
function project(scope: Scope, layer: number, x: Value): { queries: Value; keys: Value; values: Value } {
  const { g, config, weight, positions, cos, sin } = scope
  const { heads, kvHeads, headDim } = config
  const { names, qkvBias, qkNorm } = families[config.family]
  const all = [names.q, names.k, names.v]
  const product = linear(scope, x, ...all.map((name) => layerTensor(layer, name)))
  const biases = qkvBias ? all.map((name) => layerTensor(layer, name, 'bias')) : []
  const qkv = qkvBias ? g.add(product, weight(...biases)) : product
  const sizes = [heads, kvHeads, kvHeads].map((n) => n * headDim) as [number, number, number]
  let qk: Value
  let v: Value
  if (qkNorm === 'full') {
    const [q, k, rest] = g.split(qkv, sizes, 2) as [Value, Value, Value]
    const normed = [
      rmsNorm(scope, q, layerTensor(layer, qkNormNames.q)),
      rmsNorm(scope, k, layerTensor(layer, qkNormNames.k)),
    ]
    ;[qk, v] = [g.concat(normed, 2), rest]
  } else [qk, v] = g.split(qkv, [sizes[0] + sizes[1], sizes[2]], 2) as [Value, Value]

  /** [T, 1, n·D] → [N, n, R, S, D] */
  const perHead = (y: Value, n: number) =>
    g.transpose(g.reshape(y, ['N', 'R', 'S', n, headDim]), [0, 3, 1, 2, 4])
  const rotated = perHead(g.op('RotaryEmbedding', [qk, positions, cos, sin]), heads + kvHeads)
  const [q, k] = g.split(rotated, [heads, kvHeads], 1) as [Value, Value]
  // Scaled here and not in the products, which read the cache in place only when they scale nothing.
  const scaled = g.mul(q, g.f32(1 / Math.sqrt(headDim)))
  return {
    queries: g.reshape(scaled, ['N', kvHeads, heads / kvHeads, 'R', 'S', headDim]),
    keys: g.unsqueeze(k, 2),
    values: g.unsqueeze(perHead(v, kvHeads), 2),
  }
}

/** → [T, 1, heads·D] */
function attend(
  { g, config, mask }: Scope,
  queries: Value,
  keys: Value,
  values: Value,
  caches: LayerCaches,
): Value {
  const { heads, kvHeads, headDim } = config
  const group = heads / kvHeads
  const perRow = (x: Value, size: Dim) => g.reshape(x, ['N', kvHeads, group, 'R', 'S', size])
  const perSlot = (x: Value, size: Dim) => g.reshape(x, ['N', kvHeads, `${group}*R*S`, size])
  const meet = (q: Value, k: Value) => g.op('FusedMatMul', [q, k], { transB: true })

  const onPrompt = perRow(meet(perSlot(queries, headDim), caches.promptKeys), 'P')
  const scores = g.concat([onPrompt, meet(queries, caches.ownKeys), meet(queries, keys)], 5)
  const p = g.softmax(g.add(scores, mask)) // [N, KV, G, R, S, C+P+S]
  const [ofPrompt, ofOwn, ofNew] = g.split(p, ['P', 'C', 'S'], 5) as [Value, Value, Value]
  const fromPrompt = perRow(g.matmul(perSlot(ofPrompt, 'P'), caches.promptValues), headDim)
  const sum = g.add(g.add(fromPrompt, g.matmul(ofOwn, caches.ownValues)), g.matmul(ofNew, values))
  return g.reshape(g.transpose(sum, [0, 3, 4, 1, 2, 5]), ['T', 1, heads * headDim])
}

/** x [T, 1, in] times the transposed weights [out, in], joined along their outputs. */
function linear({ g, weight }: Scope, x: Value, ...names: string[]): Value {
  return g.op('FusedMatMul', [x, weight(...names)], { transB: true })
}

function rmsNorm({ g, config, weight }: Scope, x: Value, name: string): Value {
  return g.op('SimplifiedLayerNormalization', [x, weight(name)], { axis: -1, epsilon: config.normEps })
}

/** Weights straight from the policy's files, each made once; the runtime folds casts and joins when it opens them. */
function weightsOf(g: GraphBuilder, policy: OpenPolicy): Scope['weight'] {
  const made = new Map<string, Value>()
  const one = (name: string): Value => {
    const found = made.get(name)
    if (found) return found
    const tensor = policy.tensors.get(name)
    if (!tensor) throw new Error(`forward: the policy has no tensor ${name}`)
    const value = g.cast(g.weight(name, tensor.dtype, tensor.shape, externalOf(policy, tensor)), 'f32')
    made.set(name, value)
    return value
  }
  return (...names) => (names.length === 1 ? one(names[0]!) : g.concat(names.map(one), 0))
}
