/**
 * One layer's graphs, shared by all layers because weights are inputs: forward, h → h', and backward, (h, dh') → dh and
 * the gradient of every weight. The backward graph computes the forward pass again inside, so that a model's training
 * memory is one h a layer and one layer's intermediates; or it takes the matrix products kept by the forward pass (a
 * quarter of the time for `keptWidth` floats a token) and repeats only what is cheap. Both give the same bits.
 * Dimensions are symbolic (attention.ts names them), so one session serves every micro-batch.
 */
import { GraphBuilder, type Graph, type Value } from '../onnx/graph.ts'
import { gradients, type Seed } from '../onnx/gradients.ts'
import { attention, coreGradients, declareAttention } from './attention.ts'
import { finishBlock, project, type Keep, type Rope, type WeightOf } from './block.ts'
import { families, layerTensor, tensorShapes, type ModelConfig } from './config.ts'

export interface LayerWeight {
  /** The tensor's name without its layer: self_attn.q_proj.weight. */
  readonly name: string
  readonly shape: readonly number[]
}

/** Every weight of one layer, in a fixed order. */
export function layerWeights(config: ModelConfig): LayerWeight[] {
  const prefix = layerTensor(0, '').slice(0, -'.weight'.length) // model.layers.0.
  return [...tensorShapes(config)]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, shape]) => ({ name: name.slice(prefix.length), shape }))
}

/** Floats a token takes when a layer keeps its matrix products: q, k, v, attention, o, gate, up, and down for a norm. */
export function keptWidth({ family, heads, kvHeads, headDim, width, hidden }: ModelConfig): number {
  const down = families[family].norm === 'post' ? width : 0
  return 2 * (heads + kvHeads) * headDim + width + 2 * hidden + down
}

/**
 * Inputs: h [M, width], positions, cos, sin, those of attention, each weight by name. Outputs: out [M, width] and, with
 * `keeping`, kept.NAME for each matrix product that the backward graph needs.
 */
export function forwardGraph(config: ModelConfig, keeping: boolean): Graph {
  const { g, weight, h, rope, inputs } = declare(config, keeping ? 'layer keeping' : 'layer')
  const keep: Keep = (name, value) => {
    if (keeping) g.output(`kept.${name}`, value)
    return value
  }
  const { attended } = attention(g, config, inputs, project(g, config, weight, h, rope, keep), keep)
  g.output('out', finishBlock(g, config, weight, h, attended, keep))
  return g.finish()
}

/**
 * Inputs: the forward graph's, dOut [M, width], with `keeping` what the forward graph kept, and sum.NAME, what the
 * gradient of each weight is added to. Outputs: dh [M, width], and d.NAME for each weight, the sum.
 * Where a value is an input instead of the node it came from, the chain of derivatives is cut: the gradient of the input
 * is taken first and then given to the node, cut by cut from the last. Attention is cut for its own derivative.
 */
export function backwardGraph(config: ModelConfig, keeping: boolean): Graph {
  const { g, weight, weights, h, rope, inputs } = declare(config, 'layer backward')
  const dOut = g.input('dOut', 'f32', ['M', config.width])
  const cuts: { value: Value; node: Value }[] = []
  const keep: Keep = (name, node) => {
    const isCore = name.startsWith('attention.')
    if (!keeping && !isCore) return node
    const value = keeping ? g.input(`kept.${name}`, 'f32', node.shape) : g.stopGradient(node)
    cuts.push({ value, node })
    return value
  }
  const projected = project(g, config, weight, h, rope, keep)
  const { attended, cores } = attention(g, config, inputs, projected, keep)
  const out = finishBlock(g, config, weight, h, attended, keep)
  const seeds: Seed[] = [{ output: out, seed: dOut }]
  for (const { value, node } of cuts.reverse()) {
    const gradient = gradients(g, seeds, [value])[0]!
    const core = cores.find(({ o }) => o === value)
    if (!core) seeds.push({ output: node, seed: gradient })
    else {
      const { dq, dk, dv } = coreGradients(g, config, core, gradient)
      seeds.push({ output: core.q, seed: dq }, { output: core.k, seed: dk }, { output: core.v, seed: dv })
    }
  }
  const [dh, ...found] = gradients(g, seeds, [h, ...weights.values()])
  g.output('dh', dh!)
  for (const [i, [name, { shape }]] of [...weights].entries())
    g.output(`d.${name}`, g.add(g.input(`sum.${name}`, 'f32', shape), found[i]!))
  return g.finish()
}

function declare(config: ModelConfig, name: string) {
  const g = new GraphBuilder(name)
  const half = config.headDim / 2
  const h = g.input('h', 'f32', ['M', config.width])
  const rope: Rope = {
    positions: g.input('positions', 'i64', ['M', 1]),
    cos: g.input('cos', 'f32', ['R', half]),
    sin: g.input('sin', 'f32', ['R', half]),
  }
  const inputs = declareAttention(g)
  const weights = new Map<string, Value>(
    layerWeights(config).map(({ name, shape }) => [name, g.input(name, 'f32', shape)]),
  )
  const weight: WeightOf = (tensor, kind = 'weight') => {
    const found = weights.get(`${tensor}.${kind}`)
    if (!found) throw new Error(`layer: ${config.family} has no ${tensor}.${kind}`)
    return found
  }
  return { g, weight, weights, h, rope, inputs }
}
