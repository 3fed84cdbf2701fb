/**
 * One transformer block, for every family: what differs between them is a row of data (config.ts), what differs between
 * training, prefill and decode is how queries meet keys, the caller's `attend`. Tokens of all rows lie behind one
 * another, h [N, width], so that norms, projections and rope know nothing of rows or padding.
 *
 * Source: transformers 5.23, modeling_llama, modeling_qwen2 (bias on q, k, v) and modeling_olmo2 (norms after attention
 * and MLP, an RMS norm over all of q and of k). Weights are [out, in], as safetensors files hold them.
 */
import type { GraphBuilder, Value } from '../onnx/graph.ts'
import { families, qkNormNames, type ModelConfig } from './config.ts'

/** The layer's tensor of that name, as in `layerTensor`: ('self_attn.q_proj', 'bias'). */
export type WeightOf = (name: string, kind?: 'weight' | 'bias') => Value

export interface Rope {
  readonly positions: Value // i64 [N, 1]
  readonly cos: Value // [positions, headDim / 2]
  readonly sin: Value
}

export interface Projected {
  readonly q: Value // [N, heads * headDim], rotated
  readonly k: Value // [N, kvHeads * headDim], rotated
  readonly v: Value // [N, kvHeads * headDim]
}

/** What attention gives for all heads, [N, heads * headDim]. */
export type Attend = (projected: Projected) => Value

/** h [N, width] → h' [N, width]. */
export function block(
  g: GraphBuilder,
  config: ModelConfig,
  weight: WeightOf,
  h: Value,
  rope: Rope,
  attend: Attend,
): Value {
  return finishBlock(g, config, weight, h, attend(project(g, config, weight, h, rope)))
}

/** The block up to attention: norm (where it comes first), projections, their norms, rope. */
export function project(
  g: GraphBuilder,
  config: ModelConfig,
  weight: WeightOf,
  h: Value,
  rope: Rope,
): Projected {
  const { names, norm, qkNorm, qkvBias } = families[config.family]
  const x = norm === 'pre' ? rmsNorm(g, config, h, weight(names.attentionNorm)) : h
  const linear = (name: string): Value =>
    affine(g, x, weight(name), qkvBias ? weight(name, 'bias') : undefined)
  const normed = (y: Value, name: string): Value =>
    qkNorm === 'full' ? rmsNorm(g, config, y, weight(name)) : y
  return {
    q: rotate(g, normed(linear(names.q), qkNormNames.q), rope),
    k: rotate(g, normed(linear(names.k), qkNormNames.k), rope),
    v: linear(names.v),
  }
}

/** The block after attention: output projection, residual, MLP, residual. */
export function finishBlock(
  g: GraphBuilder,
  config: ModelConfig,
  weight: WeightOf,
  h: Value,
  attended: Value,
): Value {
  const { names, norm } = families[config.family]
  const pre = norm === 'pre'
  const linear = (x: Value, name: string): Value => affine(g, x, weight(name))
  const o = linear(attended, names.o)
  const middle = g.add(h, pre ? o : rmsNorm(g, config, o, weight(names.attentionNorm)))
  const x = pre ? rmsNorm(g, config, middle, weight(names.mlpNorm)) : middle
  const gate = g.op('QuickGelu', [linear(x, names.gate)], { alpha: 1 }) // SiLU
  const gated = g.mul(gate, linear(x, names.up))
  const down = linear(gated, names.down)
  return g.add(middle, pre ? down : rmsNorm(g, config, down, weight(names.mlpNorm)))
}

/** x / √(mean x² + ε) · w over the last axis. */
export function rmsNorm(g: GraphBuilder, { normEps }: ModelConfig, x: Value, weight: Value): Value {
  return g.op('SimplifiedLayerNormalization', [x, weight], { axis: -1, epsilon: normEps })
}

/** x [N, in] · wᵀ [in, out] + b [out] */
function affine(g: GraphBuilder, x: Value, weight: Value, bias?: Value): Value {
  return g.op('Gemm', [x, weight, ...(bias ? [bias] : [])] as [Value, Value, Value?], { transB: true })
}

/** The kernel takes [batch, sequence, width]: every token is a batch of its own, with its own position. */
function rotate(g: GraphBuilder, x: Value, { positions, cos, sin }: Rope): Value {
  const [n, width] = x.shape as [Value['shape'][0], Value['shape'][0]]
  const rotated = g.op('RotaryEmbedding', [g.reshape(x, [n, 1, width]), positions, cos, sin])
  return g.reshape(rotated, [n, width])
}
