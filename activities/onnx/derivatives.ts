/**
 * Derivative rules: a flat, total table over the operators. A rule gets the gradient of its node's outputs and gives
 * one gradient per input, null where there is none (indices, axes, conditions); a rule that is itself null belongs to an
 * operator without a derivative. Rules never undo broadcasting and never skip work nobody asked for: the reverse walk in
 * gradients.ts does the first, `finish` drops the second.
 * Choices where mathematics leaves one: Min and Max give a tie to their first input, ReduceMax shares it evenly.
 */
import { axisOf, integers, product } from './dims.ts'
import type { GraphBuilder } from './graph.ts'
import type { Attributes, Inputs, Op } from './ops.ts'
import type { Dim, Shape, Value } from './value.ts'

type Gradient = Value | null
export interface Application<K extends Op> {
  readonly g: GraphBuilder
  /** The inputs and the outputs of the node. */
  readonly x: Inputs<K>
  readonly y: readonly Value[]
  readonly attributes: Attributes<K>
  /** Gradient of the first output, and of every output. */
  readonly dy: Value
  readonly dys: readonly Gradient[]
}
export type Derivative<K extends Op> = (at: Application<K>) => readonly Gradient[]

export const derivatives: { readonly [K in Op]: Derivative<K> | null } = {
  Add: ({ dy }) => [dy, dy],
  Sub: ({ g, dy }) => [dy, g.neg(dy)],
  Mul: ({ g, dy, x: [a, b] }) => [g.mul(dy, b), g.mul(dy, a)],
  Div: ({ g, dy, x: [, b], y: [y] }) => [g.div(dy, b), g.neg(g.div(g.mul(dy, y!), b))],
  Pow: ({ g, dy, x: [a, b], y: [y] }) => [
    g.mul(dy, g.mul(b, g.op('Pow', [a, g.sub(b, g.f32(1))]))),
    g.mul(dy, g.mul(y!, g.log(a))),
  ],
  Min: ({ g, dy, x: [a, b] }) => choose(g, g.op('LessOrEqual', [a, b]), dy),
  Max: ({ g, dy, x: [a, b] }) => choose(g, g.op('GreaterOrEqual', [a, b]), dy),
  Where: ({ g, dy, x: [condition] }) => [null, ...choose(g, condition, dy)],
  Neg: ({ g, dy }) => [g.neg(dy)],
  Abs: ({ g, dy, x: [x] }) => [g.where(g.op('Less', [x, g.f32(0)]), g.neg(dy), dy)],
  Exp: ({ g, dy, y: [y] }) => [g.mul(dy, y!)],
  Log: ({ g, dy, x: [x] }) => [g.div(dy, x)],
  Sqrt: ({ g, dy, y: [y] }) => [g.mul(g.f32(0.5), g.div(dy, y!))],
  Reciprocal: ({ g, dy, y: [y] }) => [g.neg(g.mul(dy, g.mul(y!, y!)))],
  Sigmoid: ({ g, dy, y: [y] }) => [g.mul(dy, g.mul(y!, g.sub(g.f32(1), y!)))],
  Tanh: ({ g, dy, y: [y] }) => [g.mul(dy, g.sub(g.f32(1), g.mul(y!, y!)))],
  // y = x σ(αx), y' = σ + αy(1 - σ)
  QuickGelu: ({ g, dy, x: [x], y: [y], attributes: { alpha } }) => {
    const scale = (v: Value): Value => (alpha === 1 ? v : g.mul(g.f32(alpha), v))
    const gate = g.op('Sigmoid', [scale(x)])
    return [g.mul(dy, g.add(gate, g.mul(scale(y!), g.sub(g.f32(1), gate))))]
  },
  Identity: ({ dy, attributes: { stopGradient } }) => [stopGradient ? null : dy],
  Cast: ({ g, dy, x: [x] }) => [g.cast(dy, x.dtype)],

  MatMul: ({ g, dy, x: [a, b] }) => productGradient(g, dy, a, b, {}),
  FusedMatMul: ({ g, dy, x: [a, b], attributes }) => productGradient(g, dy, a, b, attributes),
  Gemm: ({ g, dy, x: [a, b, c], attributes: { transA = false, transB = false, alpha = 1, beta = 1 } }) => {
    const gemm = (p: Value, q: Value, tp: boolean, tq: boolean): Value =>
      g.op('Gemm', [p, q], sides(tp, tq, alpha))
    return [
      transA ? gemm(b, dy, transB, true) : gemm(dy, b, false, !transB),
      transB ? gemm(dy, a, true, transA) : gemm(a, dy, !transA, false),
      ...(c ? [beta === 1 ? dy : g.mul(g.f32(beta), dy)] : []),
    ]
  },

  Reshape: ({ g, dy, x: [x] }) => [g.reshape(dy, x.shape), null],
  Expand: ({ dy }) => [dy, null],
  Transpose: ({ g, dy, attributes: { perm } }) => [
    g.transpose(
      dy,
      perm.map((_, i) => perm.indexOf(i)),
    ),
  ],
  Squeeze: ({ g, dy, x: [, axes] }) => [g.op('Unsqueeze', [dy, axes]), null],
  Unsqueeze: ({ g, dy, x: [, axes] }) => [g.op('Squeeze', [dy, axes]), null],
  Concat: ({ g, dy, x, attributes: { axis } }) =>
    g.split(
      dy,
      x.map((v) => v.shape[axisOf('concat', v, axis)]!),
      axis,
    ),
  Split: ({ g, x: [x], y, dys, attributes: { axis } }) => {
    const pieces = dys.map((dy, i) => dy ?? g.zeros(y[i]!.shape))
    // The sum of the pieces' sizes may go by another name than the axis.
    return [g.reshape(g.concat(pieces, axis), x.shape), null]
  },
  Slice: ({ g, dy, x: [x, starts, , axes, steps] }) => [
    unslice(g, dy, x, starts, axes, steps),
    null,
    null,
    null,
  ],
  Gather: ({ g, dy, x: [x, indices], attributes: { axis } }) => [ungather(g, dy, x, indices, axis), null],
  GatherElements: ({ g, dy, x: [x, indices], attributes: { axis } }) => [
    g.op('ScatterElements', [g.zeros(x.shape), indices, dy], { axis, reduction: 'add' }),
    null,
  ],

  ReduceSum: ({ g, dy, x: [x, axes], attributes: { keepdims = true } }) => [
    g.expand(keepdims ? dy : g.op('Unsqueeze', [dy, axes]), x.shape),
    null,
  ],
  ReduceMean: ({ g, dy, x: [x, axes], attributes: { keepdims = true } }) => {
    const summed = integers('mean', 'axes', axes).map((a) => x.shape[axisOf('mean', x, a)]!)
    const share = g.div(keepdims ? dy : g.op('Unsqueeze', [dy, axes]), count(g, summed))
    return [g.expand(share, x.shape), null]
  },
  ReduceMax: ({ g, dy, x: [x, axes], y: [y], attributes: { keepdims = true } }) => {
    const kept = (v: Value): Value => (keepdims ? v : g.op('Unsqueeze', [v, axes]))
    const largest = g.cast(g.op('Equal', [x, kept(y!)]), x.dtype)
    const share = g.div(kept(dy), g.op('ReduceSum', [largest, axes], { keepdims: true }))
    return [g.mul(largest, share), null]
  },
  CumSum: ({ g, dy, x: [, axis], attributes: { exclusive = false, reverse = false } }) => [
    g.op('CumSum', [dy, axis], { exclusive, reverse: !reverse }),
    null,
  ],
  // p(dy - Σ dy·p)
  Softmax: ({ g, dy, y: [p], attributes: { axis } }) => [g.mul(p!, g.sub(dy, g.sum(g.mul(dy, p!), [axis])))],
  // dy - p Σ dy
  LogSoftmax: ({ g, dy, y: [y], attributes: { axis } }) => [g.sub(dy, g.mul(g.exp(y!), g.sum(dy, [axis])))],
  // With x̂ = x·inv and ĝ = dy·w: dx = inv(ĝ - x̂·mean(ĝ·x̂)), dw = dy·x̂ (summed over the rows by the walk).
  SimplifiedLayerNormalization: ({ g, dy, x: [x, w], y: [, inverse] }) => {
    const normal = g.mul(x, inverse!)
    const weighted = g.mul(dy, w)
    const mean = g.mean(g.mul(weighted, normal), [-1])
    return [g.mul(inverse!, g.sub(weighted, g.mul(normal, mean))), g.mul(dy, normal)]
  },
  // A rotation's transpose is the rotation back.
  RotaryEmbedding: ({ g, dy, x: [, positions, cos, sin], attributes }) => [
    g.op('RotaryEmbedding', [dy, positions, cos, g.neg(sin)], attributes),
    null,
    null,
    null,
  ],

  Less: null,
  LessOrEqual: null,
  Greater: null,
  GreaterOrEqual: null,
  Equal: null,
  And: null,
  Or: null,
  Not: null,
  Pad: null,
  ScatterElements: null,
  ScatterND: null,
  ArgMax: null,
  TopK: null,
  Shape: null,
  ConstantOfShape: null,
  Range: null,
  SkipSimplifiedLayerNormalization: null,
  GroupQueryAttention: null,
}

function choose(g: GraphBuilder, condition: Value, dy: Value): [Value, Value] {
  const zero = g.f32(0)
  return [g.where(condition, dy, zero), g.where(condition, zero, dy)]
}

/**
 * y = α·op(a)·op(b), batched. Where `b` is one matrix for all batches (a weight), its gradient is one product over all
 * rows instead of a sum of one product per batch.
 */
function productGradient(
  g: GraphBuilder,
  dy: Value,
  a: Value,
  b: Value,
  { transA = false, transB = false, alpha = 1 }: Attributes<'FusedMatMul'>,
): [Value, Value] {
  const multiply = (p: Value, q: Value, tp: boolean, tq: boolean): Value =>
    tp || tq || alpha !== 1 ? g.op('FusedMatMul', [p, q], sides(tp, tq, alpha)) : g.matmul(p, q)
  const da = transA ? multiply(b, dy, transB, true) : multiply(dy, b, false, !transB)
  if (b.shape.length === 2 && a.shape.length > 2 && !transA) {
    const [rows, drows] = [flattened(g, a), flattened(g, dy)]
    return [da, transB ? multiply(drows, rows, true, false) : multiply(rows, drows, true, false)]
  }
  return [da, transB ? multiply(dy, a, true, transA) : multiply(a, dy, !transA, false)]
}

/** Attributes of a product, without those that say nothing: so that equal products are equal nodes. */
function sides(transA: boolean, transB: boolean, alpha: number): Attributes<'FusedMatMul'> {
  return { ...(transA && { transA }), ...(transB && { transB }), ...(alpha !== 1 && { alpha }) }
}

/** All but the last axis as one. */
function flattened(g: GraphBuilder, x: Value): Value {
  return g.reshape(x, [merged(x.shape.slice(0, -1)), x.shape.at(-1)!])
}

/** Several dimensions as one: their product, by name where they have names. */
function merged(shape: Shape): Dim {
  const { factor, names } = product(shape)
  if (names === '') return factor
  return factor === 1 ? names : `${factor}*${names}`
}

/** The cut put back among zeros; sizes are taken at run time. */
function unslice(g: GraphBuilder, dy: Value, x: Value, starts: Value, axes: Value, steps?: Value): Value {
  if (steps && integers('slice', 'steps', steps).some((s) => s !== 1))
    throw new Error('gradients: Slice has a derivative for steps of 1 only')
  const before = g.i64(
    ...integers('slice', 'starts', starts).map((s, i) => {
      const size = x.shape[axisOf('slice', x, integers('slice', 'axes', axes)[i]!)]!
      if (s < 0 && typeof size === 'string')
        throw new Error(`gradients: Slice from ${s} of symbolic axis ${size}`)
      return s < 0 ? s + Number(size) : s
    }),
  )
  const along = (v: Value): Value => g.gather(g.op('Shape', [v]), axes)
  const after = g.sub(g.sub(along(x), along(dy)), before)
  return g.op('Pad', [dy, g.concat([before, after], 0), null, axes], { dims: x.shape })
}

/**
 * Sums what was gathered, in order of the indices: ScatterElements runs on one thread. ScatterND would need no expanded
 * indices, but onnxruntime 1.30 adds to equal indices from several threads without a lock, so its sums are wrong.
 */
function ungather(g: GraphBuilder, dy: Value, x: Value, indices: Value, axis: number): Value {
  const at = axisOf('gather', x, axis)
  const rows = merged(indices.shape)
  const flat = g.reshape(dy, [...x.shape.slice(0, at), rows, ...x.shape.slice(at + 1)])
  const along = g.reshape(indices, [rows, ...x.shape.slice(at + 1).map(() => 1)])
  const everywhere = g.expand(along, flat.shape)
  return g.op('ScatterElements', [g.zeros(x.shape), everywhere, flat], { axis: at, reduction: 'add' })
}

/** Number of elements as a float32 that broadcasts. */
function count(g: GraphBuilder, shape: Shape): Value {
  const { factor, names } = product(shape)
  if (names === '') return g.f32(factor)
  return shape.map((d) => g.cast(g.size(d), 'f32')).reduce((a, b) => g.mul(a, b))
}
