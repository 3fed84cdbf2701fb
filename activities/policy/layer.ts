/**
 * One layer's two graphs, shared by all layers because weights are inputs: forward, h → h', and backward, (h, dh') → dh
 * and the gradient of every weight, computing the forward pass again inside. So a model's training memory is one h a
 * layer and one layer's intermediates.
 * Dimensions are symbolic (attention.ts names them), so one session serves every micro-batch.
 */
import { GraphBuilder, type Graph, type Value } from '../onnx/graph.ts'
import { gradients } from '../onnx/gradients.ts'
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
  const { attended } = attention(g, config, inputs, project(g, config, weight, h, rope))
  g.output('out', finishBlock(g, config, weight, h, attended))
  return g.finish()
}

/** Inputs: the forward graph's and dOut [M, width]. Outputs: dh [M, width], and d.NAME for each weight. */
export function backwardGraph(config: ModelConfig): Graph {
  const { g, weight, weights, h, rope, inputs } = declare(config, 'layer backward')
  const dOut = g.input('dOut', 'f32', ['M', config.width])
  const projected = project(g, config, weight, h, rope)
  const { attended, cores } = attention(g, config, inputs, projected)
  // The residual by a name of its own: what reaches h past attention, apart from what reaches it through attention.
  const residual = g.op('Identity', [h])
  const out = finishBlock(g, config, weight, residual, attended)
  const names = [...weights.keys()]
  const all = names.map((name) => weights.get(name)!)
  const [dResidual, ...after] = gradients(
    g,
    [{ output: out, seed: dOut }],
    [residual, ...cores.map((c) => c.o), ...all],
  )
  const seeds = cores.flatMap((core, i) => {
    const { dq, dk, dv } = coreGradients(g, config, core, after[i]!)
    return [
      { output: core.q, seed: dq },
      { output: core.k, seed: dk },
      { output: core.v, seed: dv },
    ]
  })
  const [dInput, ...before] = gradients(g, seeds, [h, ...all])
  g.output('dh', g.add(dResidual!, dInput!))
  // A weight lies before attention or after it, never on both sides.
  for (const [i, name] of names.entries()) g.output(`d.${name}`, (before[i] ?? after[cores.length + i])!)
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
