/**
 * Shape and type rules: a total table over the operators, so that an operator without a rule does not compile.
 * A rule sees inputs and attributes and says what comes out, or throws `matmul: inner dims differ, left [2,3], right
 * [4,5]`. Different names are taken for different sizes; only 1 broadcasts. Sizes that depend on data come from
 * constants, or else from the `dims` the caller declares.
 */
import { axisOf, broadcast, describe, integers, product, show, sum } from './dims.ts'
import type { Attributes, Inputs, Op } from './ops.ts'
import type { Dim, DType, Shape, Value } from './value.ts'

export interface Inferred {
  readonly dtype: DType
  readonly shape: Shape
}
type Rule<K extends Op> = (inputs: Inputs<K>, attributes: Attributes<K>) => readonly Inferred[]

export function inferOutputs<K extends Op>(
  op: K,
  inputs: Inputs<K>,
  attributes: Attributes<K>,
): readonly Inferred[] {
  return (rules[op] as Rule<K>)(inputs, attributes)
}

const rules: { readonly [K in Op]: Rule<K> } = {
  Add: elementwise('add'),
  Sub: elementwise('sub'),
  Mul: elementwise('mul'),
  Div: elementwise('div'),
  Pow: elementwise('pow'),
  Min: elementwise('min'),
  Max: elementwise('max'),
  Neg: same,
  Abs: same,
  Exp: same,
  Log: same,
  Sqrt: same,
  Reciprocal: same,
  Sigmoid: same,
  Tanh: same,
  Identity: same,
  Softmax: same,
  LogSoftmax: same,
  CumSum: same,
  QuickGelu: same,
  Not: same,
  Cast: ([x], { to }) => [{ dtype: to, shape: x.shape }],
  Less: elementwise('less', 'bool'),
  LessOrEqual: elementwise('less or equal', 'bool'),
  Greater: elementwise('greater', 'bool'),
  GreaterOrEqual: elementwise('greater or equal', 'bool'),
  Equal: elementwise('equal', 'bool'),
  And: elementwise('and'),
  Or: elementwise('or'),
  Where: ([condition, yes, no]) => {
    if (condition.dtype !== 'bool') throw new Error(`where: expected bool, found ${describe(condition)}`)
    const [both] = elementwise('where')([yes, no])
    return [{ dtype: yes.dtype, shape: broadcast('where', condition.shape, both!.shape) }]
  },
  MatMul: ([a, b]) => product2('matmul', a, b, false, false),
  FusedMatMul: ([a, b], { transA = false, transB = false }) => product2('fused matmul', a, b, transA, transB),
  Gemm: ([a, b, c], { transA = false, transB = false }) => {
    for (const v of [a, b])
      if (v.shape.length !== 2) throw new Error(`gemm: expected a matrix, found ${v.name} [${show(v.shape)}]`)
    const [out] = product2('gemm', a, b, transA, transB)
    if (c) elementwise('gemm bias')([{ ...a, shape: out!.shape }, c])
    return [out!]
  },
  Reshape: ([x, shape], { dims }) => [{ dtype: x.dtype, shape: dims ?? constantShape('reshape', x, shape) }],
  Expand: ([x, shape], { dims }) => [
    { dtype: x.dtype, shape: dims ?? broadcast('expand', x.shape, integers('expand', 'shape', shape)) },
  ],
  Transpose: ([x], { perm }) => {
    if (perm.length !== x.shape.length || new Set(perm).size !== perm.length)
      throw new Error(
        `transpose: expected a permutation of ${x.shape.length} axes, found [${perm.join(',')}]`,
      )
    return [{ dtype: x.dtype, shape: perm.map((p) => dimAt('transpose', x, p)) }]
  },
  Squeeze: ([x, axes]) => {
    const drop = new Set(integers('squeeze', 'axes', axes).map((a) => axisOf('squeeze', x, a)))
    for (const a of drop)
      if (x.shape[a] !== 1) throw new Error(`squeeze: axis ${a} of [${show(x.shape)}] is not 1`)
    return [{ dtype: x.dtype, shape: x.shape.filter((_, i) => !drop.has(i)) }]
  },
  Unsqueeze: ([x, axes]) => {
    const rank = x.shape.length + axes.data!.length
    const added = new Set(integers('unsqueeze', 'axes', axes).map((a) => (a < 0 ? a + rank : a)))
    const rest = [...x.shape]
    return [
      { dtype: x.dtype, shape: Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : rest.shift()!)) },
    ]
  },
  Concat: (xs, { axis }) => {
    const [first, ...others] = xs
    if (!first) throw new Error('concat: no inputs')
    const at = axisOf('concat', first, axis)
    for (const x of others)
      if (
        x.dtype !== first.dtype ||
        x.shape.length !== first.shape.length ||
        x.shape.some((d, i) => i !== at && d !== first.shape[i])
      )
        throw new Error(`concat: pieces differ beside axis ${at}, ${describe(first)} and ${describe(x)}`)
    return [{ dtype: first.dtype, shape: replace(first.shape, at, sum(xs.map((x) => x.shape[at]!))) }]
  },
  Split: ([x, sizes], { axis, dims }) => {
    const at = axisOf('split', x, axis)
    const pieces = dims ?? integers('split', 'sizes', sizes)
    const total = sum(pieces)
    if (typeof total === 'number' && typeof x.shape[at] === 'number' && total !== x.shape[at])
      throw new Error(`split: pieces [${show(pieces)}] do not fill axis ${at} of [${show(x.shape)}]`)
    return pieces.map((size) => ({ dtype: x.dtype, shape: replace(x.shape, at, size) }))
  },
  Slice: ([x, starts, ends, axes, steps], { dims }) => {
    if (dims) return [{ dtype: x.dtype, shape: dims }]
    const at = (v: Value, name: string): number[] => integers('slice', name, v)
    const [from, to] = [at(starts, 'starts'), at(ends, 'ends')]
    const by = steps ? at(steps, 'steps') : from.map(() => 1)
    let shape = x.shape
    for (const [i, a] of at(axes, 'axes').entries())
      shape = replace(
        shape,
        axisOf('slice', x, a),
        sliced(x, axisOf('slice', x, a), from[i]!, to[i]!, by[i]!),
      )
    return [{ dtype: x.dtype, shape }]
  },
  Pad: ([x], { dims }) => [{ dtype: x.dtype, shape: declared('pad', dims) }],
  Gather: ([x, indices], { axis }) => {
    const at = axisOf('gather', x, axis)
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)] }]
  },
  GatherElements: ([x, indices], { axis }) => {
    axisOf('gather elements', x, axis)
    if (x.shape.length !== indices.shape.length)
      throw new Error(`gather elements: ranks differ, ${describe(x)} and ${describe(indices)}`)
    return [{ dtype: x.dtype, shape: indices.shape }]
  },
  ScatterElements: ([x, indices, updates]) => {
    if (show(indices.shape) !== show(updates.shape) || x.shape.length !== indices.shape.length)
      throw new Error(
        `scatter elements: ${describe(updates)} does not match indices [${show(indices.shape)}]`,
      )
    return same([x])
  },
  ScatterND: ([x, indices, updates]) => {
    const depth = indices.shape.at(-1)
    const expected =
      typeof depth === 'number' ? [...indices.shape.slice(0, -1), ...x.shape.slice(depth)] : updates.shape
    if (show(expected) !== show(updates.shape))
      throw new Error(`scatter nd: expected updates [${show(expected)}], found ${describe(updates)}`)
    return same([x])
  },
  ReduceSum: reduce('reduce sum'),
  ReduceMean: reduce('reduce mean'),
  ReduceMax: reduce('reduce max'),
  ArgMax: ([x], { axis, keepdims = true }) => [
    { dtype: 'i64', shape: without(x.shape, [axisOf('argmax', x, axis)], keepdims) },
  ],
  TopK: ([x, k], { axis }) => {
    const shape = replace(x.shape, axisOf('topk', x, axis), integers('topk', 'k', k)[0]!)
    return [
      { dtype: x.dtype, shape },
      { dtype: 'i64', shape },
    ]
  },
  Shape: ([x], { start = 0, end = x.shape.length }) => [
    { dtype: 'i64', shape: [x.shape.slice(start, end).length] },
  ],
  ConstantOfShape: ([shape], { dims }) => [
    { dtype: 'f32', shape: dims ?? integers('constant of shape', 'shape', shape) },
  ],
  Range: ([start], { dims }) => [{ dtype: start.dtype, shape: declared('range', dims) }],
  SimplifiedLayerNormalization: ([x, weight]) => {
    elementwise('rms norm')([x, weight])
    return [...same([x]), { dtype: 'f32', shape: replace(x.shape, x.shape.length - 1, 1) }]
  },
  SkipSimplifiedLayerNormalization: ([x, skip, weight]) => {
    elementwise('rms norm')([elementwise('skip')([x, skip])[0]!, weight])
    const inverse: Inferred = { dtype: 'f32', shape: replace(x.shape, x.shape.length - 1, 1) }
    return [...same([x]), inverse, inverse, ...same([x])]
  },
  RotaryEmbedding: ([x, _positions, cos, sin]) => {
    const [rows, half] = cos.shape
    const length = x.shape[1]
    const width = x.shape.at(-1)
    if (show(cos.shape) !== show(sin.shape))
      throw new Error(`rotary: caches differ, cos [${show(cos.shape)}], sin [${show(sin.shape)}]`)
    if (typeof half === 'number' && typeof width === 'number' && width % (2 * half) !== 0)
      throw new Error(`rotary: width ${width} of ${describe(x)} is no multiple of the head width ${2 * half}`)
    if (typeof length === 'number' && typeof rows === 'number' && length > rows)
      throw new Error(`rotary: ${describe(x)} is longer than the caches, ${rows} rows`)
    return same([x])
  },
  GroupQueryAttention: ([q, , , pastKey, pastValue], { dims }) => [
    ...same([q]),
    { dtype: q.dtype, shape: dims ?? pastKey.shape },
    { dtype: q.dtype, shape: dims ?? pastValue.shape },
  ],
}

function elementwise(what: string, result?: DType) {
  return ([a, b]: readonly [Inferred, Inferred]): Inferred[] => {
    if (a.dtype !== b.dtype)
      throw new Error(
        `${what}: types differ, left ${a.dtype}[${show(a.shape)}], right ${b.dtype}[${show(b.shape)}]`,
      )
    return [{ dtype: result ?? a.dtype, shape: broadcast(what, a.shape, b.shape) }]
  }
}

function same([x]: readonly [Inferred, ...unknown[]]): Inferred[] {
  return [{ dtype: x.dtype, shape: x.shape }]
}

/** Batched matrix product, either side transposed in its last two axes. */
function product2(what: string, a: Value, b: Value, transA: boolean, transB: boolean): Inferred[] {
  const fail = (problem: string): never => {
    const side = (v: Value, t: boolean): string => `[${show(v.shape)}]${t ? ' transposed' : ''}`
    throw new Error(`${what}: ${problem}, left ${side(a, transA)}, right ${side(b, transB)}`)
  }
  if (a.dtype !== b.dtype) fail(`types differ (${a.dtype}, ${b.dtype})`)
  if (a.shape.length < 2 || b.shape.length < 2) fail('expected matrices')
  const [m, k] = transA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!]
  const [l, n] = transB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!]
  if (k !== l) fail('inner dims differ')
  return [{ dtype: a.dtype, shape: [...broadcast(what, a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n] }]
}

function reduce(what: string) {
  return (
    [x, axes]: readonly [Value, Value],
    { keepdims = true }: { readonly keepdims?: boolean },
  ): Inferred[] => {
    const drop = integers(what, 'axes', axes).map((a) => axisOf(what, x, a))
    return [{ dtype: x.dtype, shape: without(x.shape, drop, keepdims) }]
  }
}

function without(shape: Shape, axes: readonly number[], keepdims: boolean): Dim[] {
  return shape.flatMap((d, i) => (axes.includes(i) ? (keepdims ? [1] : []) : [d]))
}

/** Size of `start:end:step` along an axis; a symbolic axis must be cut with both ends counted from its start. */
function sliced(x: Value, axis: number, start: number, end: number, step: number): number {
  const size = x.shape[axis]!
  if (step < 1) throw new Error(`slice: expected a positive step, found ${step}`)
  if (typeof size === 'string') {
    if (start < 0 || end < start)
      throw new Error(`slice: ${start}:${end} of axis ${size} needs declared dims`)
    return Math.ceil((end - start) / step)
  }
  const clamp = (i: number): number => Math.min(Math.max(i < 0 ? i + size : i, 0), size)
  return Math.ceil(Math.max(clamp(end) - clamp(start), 0) / step)
}

function constantShape(what: string, x: Value, shape: Value): Dim[] {
  const target = integers(what, 'shape', shape)
  const copied = target.map((d, i): Dim => (d === 0 ? x.shape[i]! : d))
  if (!copied.includes(-1)) return copied
  const [all, rest] = [product(x.shape), product(copied.filter((d) => d !== -1))]
  if (all.names !== rest.names)
    throw new Error(`${what}: cannot infer -1 of [${show(copied)}] from ${describe(x)}`)
  return copied.map((d) => (d === -1 ? all.factor / rest.factor : d))
}

function declared(what: string, dims: readonly Dim[] | undefined): readonly Dim[] {
  if (!dims) throw new Error(`${what}: declare dims, they depend on data`)
  return dims
}

function dimAt(what: string, x: Value, axis: number): Dim {
  return x.shape[axisOf(what, x, axis)]!
}

function replace(shape: Shape, axis: number, size: Dim): Dim[] {
  return shape.map((d, i) => (i === axis ? size : d))
}
