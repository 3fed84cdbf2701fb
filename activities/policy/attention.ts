/**
 * Training attention over a micro-batch whose prompts are computed once: U prompts of P tokens attend causally among
 * themselves, B rows of T tokens attend to their prompt and to themselves. Prompt keys and values reach their rows by a
 * product with a one-hot matrix [B, U]: exact, differentiable, and its transpose sums what the rows send back.
 *
 * Query heads that share a key head are merged into one product, [B, KV, G·T, D]. The softmax's derivative is written
 * out, dS = P ∘ (dP - rowsum(dO ∘ O)), as in FlashAttention (arXiv 2205.14135, appendix B.2): the row sum runs over the
 * head width instead of the context.
 */
import type { Dim, GraphBuilder, Value } from '../onnx/graph.ts'
import type { ModelConfig } from './config.ts'
import type { Projected } from './block.ts'

/** Masks are 0 where a query sees a key and -1e9 where it does not. */
export interface AttentionInputs {
  readonly causal: Value // [P, P], prompt queries and keys
  readonly owner: Value // [B, U], one-hot: whose prompt a row continues
  readonly mask: Value // [B, 1, T, P+T], row queries; prompt keys, then the row's own
}

/** One softmax attention: what its backward pass needs. */
export interface Core {
  readonly q: Value // [n, KV, G·S, D]
  readonly k: Value // [n, KV, C, D]
  readonly v: Value // [n, KV, C, D]
  readonly p: Value // [n, KV, G·S, C]
  readonly o: Value // [n, KV, G·S, D]
}

export interface Attention {
  readonly attended: Value // [M, heads * headDim]
  readonly cores: readonly Core[]
}

export function declareAttention(g: GraphBuilder): AttentionInputs {
  return {
    causal: g.input('causal', 'f32', ['P', 'P']),
    owner: g.input('owner', 'f32', ['B', 'U']),
    mask: g.input('mask', 'f32', ['B', 1, 'T', 'P+T']),
  }
}

/** `projected` has M = U·P + B·T tokens, prompts first; what `cut` returns is used in place of a core's output. */
export function attention(
  g: GraphBuilder,
  config: ModelConfig,
  { causal, owner, mask }: AttentionInputs,
  projected: Projected,
  cut: (o: Value) => Value,
): Attention {
  const { kvHeads, headDim } = config
  const parts = (x: Value): readonly Value[] => g.split(x, ['U*P', 'B*T'], 0)
  const [[qPrompt, qRow], [kPrompt, kRow], [vPrompt, vRow]] = [
    parts(projected.q),
    parts(projected.k),
    parts(projected.v),
  ] as [[Value, Value], [Value, Value], [Value, Value]]
  const [keys, values] = [keyHeads(g, config, kPrompt, 'U', 'P'), keyHeads(g, config, vPrompt, 'U', 'P')]
  /** Prompt keys or values given to rows, and the rows' own behind them: [B, KV, P+T, D]. */
  const joined = (prompt: Value, row: Value): Value => {
    const flat = g.matmul(owner, g.reshape(prompt, ['U', merge(kvHeads * headDim, 'P')]))
    return g.concat([g.reshape(flat, ['B', kvHeads, 'P', headDim]), keyHeads(g, config, row, 'B', 'T')], 2)
  }
  const prompts = core(g, config, cut, queryHeads(g, config, qPrompt, 'U', 'P'), keys, values, causal)
  const rows = core(
    g,
    config,
    cut,
    queryHeads(g, config, qRow, 'B', 'T'),
    joined(keys, kRow),
    joined(values, vRow),
    mask,
  )
  const all = g.concat([tokensOf(g, config, prompts.o, 'U', 'P'), tokensOf(g, config, rows.o, 'B', 'T')], 0)
  return { attended: g.reshape(all, ['M', config.heads * headDim]), cores: [prompts, rows] }
}

/** Gradients of Σ dO∘O with respect to q, k and v of one core. */
export function coreGradients(
  g: GraphBuilder,
  { headDim }: ModelConfig,
  { q, k, v, p, o }: Core,
  dO: Value,
): { dq: Value; dk: Value; dv: Value } {
  const alpha = 1 / Math.sqrt(headDim)
  const dp = g.op('FusedMatMul', [dO, v], { transB: true })
  const ds = g.mul(p, g.sub(dp, g.sum(g.mul(dO, o), [-1])))
  return {
    dq: g.op('FusedMatMul', [ds, k], { alpha }),
    dk: g.op('FusedMatMul', [ds, q], { transA: true, alpha }),
    dv: g.op('FusedMatMul', [p, dO], { transA: true }),
  }
}

/** softmax(q·kᵀ / √D + mask)·v; the mask ends in [S, C], queries and keys of one of n batches. */
function core(
  g: GraphBuilder,
  { heads, headDim }: ModelConfig,
  cut: (o: Value) => Value,
  q: Value,
  k: Value,
  v: Value,
  mask: Value,
): Core {
  const scores = g.op('FusedMatMul', [q, k], { transB: true, alpha: 1 / Math.sqrt(headDim) })
  const [n, s, c] = [q.shape[0]!, mask.shape.at(-2)!, mask.shape.at(-1)!]
  const masked = g.add(g.reshape(scores, [n, heads, s, c]), mask)
  const p = g.reshape(g.softmax(masked), scores.shape)
  return { q, k, v, p, o: cut(g.matmul(p, v)) }
}

/** [n·S, H·D] → [n, KV, G·S, D] */
function queryHeads(
  g: GraphBuilder,
  { heads, kvHeads, headDim }: ModelConfig,
  x: Value,
  n: Dim,
  s: Dim,
): Value {
  const group = heads / kvHeads
  const split = g.reshape(x, [n, s, kvHeads, group, headDim])
  return g.reshape(g.transpose(split, [0, 2, 3, 1, 4]), [n, kvHeads, merge(group, s), headDim])
}

/** [n·S, KV·D] → [n, KV, S, D] */
function keyHeads(g: GraphBuilder, { kvHeads, headDim }: ModelConfig, x: Value, n: Dim, s: Dim): Value {
  return g.transpose(g.reshape(x, [n, s, kvHeads, headDim]), [0, 2, 1, 3])
}

/** [n, KV, G·S, D] → [n·S, H·D] */
function tokensOf(
  g: GraphBuilder,
  { heads, kvHeads, headDim }: ModelConfig,
  o: Value,
  n: string,
  s: string,
): Value {
  const split = g.reshape(o, [n, kvHeads, heads / kvHeads, s, headDim])
  return g.reshape(g.transpose(split, [0, 3, 1, 2, 4]), [`${n}*${s}`, heads * headDim])
}

/** A number times a named size. */
function merge(factor: number, size: Dim): Dim {
  if (typeof size === 'number') return factor * size
  return factor === 1 ? size : `${factor}*${size}`
}
