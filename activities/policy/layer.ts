/**
 * One layer's graphs, shared by all layers because weights are inputs: forward, h → h', and backward, (h, dh') → dh and
 * the gradient of every weight. The backward graph computes the forward pass again inside, so that a model's training
 * memory is one h a layer and one layer's intermediates. (Keeping gate and up from the forward pass would save a tenth of
 * the time, for 12 kB a token and layer at 135M parameters.)
 * Dimensions are symbolic (attention.ts names them), so one session serves every micro-batch.
 */
import { GraphBuilder, type Graph, type Value } from '../onnx/graph.ts'
import { gradients, type Seed } from '../onnx/gradients.ts'
import { attention, coreGradients, declareAttention } from './attention.ts'
import { finishBlock, project, type Rope, type WeightOf } from './block.ts'
import { layerTensor, tensorShapes, type ModelConfig } from './config.ts'

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

/** Inputs: h [M, width], positions, cos, sin, those of attention, each weight by name. Output: out [M, width]. */
export function forwardGraph(config: ModelConfig): Graph {
  const { g, weight, h, rope, inputs } = declare(config, 'layer')
  const { attended } = attention(g, config, inputs, project(g, config, weight, h, rope), (o) => o)
  g.output('out', finishBlock(g, config, weight, h, attended))
  return g.finish()
}

/**
 * Inputs: the forward graph's, dOut [M, width], and sum.NAME, what the gradient of each weight is added to. Outputs: dh
 * [M, width], and d.NAME for each weight, the sum. The chain of derivatives is cut at each core of attention, for its own
 * derivative: the gradient of its output is taken first, and what coreGradients makes of it goes on from q, k and v.
 */
export function backwardGraph(config: ModelConfig): Graph {
  const { g, weight, weights, h, rope, inputs } = declare(config, 'layer backward')
  const dOut = g.input('dOut', 'f32', ['M', config.width])
  const projected = project(g, config, weight, h, rope)
  const { attended, cores } = attention(g, config, inputs, projected, (o) => g.stopGradient(o))
  const seeds: Seed[] = [{ output: finishBlock(g, config, weight, h, attended), seed: dOut }]
  for (const core of [...cores].reverse()) {
    const { dq, dk, dv } = coreGradients(g, config, core, gradients(g, seeds, [core.o])[0]!)
    seeds.push({ output: core.q, seed: dq }, { output: core.k, seed: dk }, { output: core.v, seed: dv })
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
