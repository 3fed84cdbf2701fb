/**
 * The closed set of operators a graph may contain: inputs and attributes of each as types, and as data its domain and
 * which of its outputs may be left out. Standard operators follow the ONNX operator set 21
 * (https://github.com/onnx/onnx/blob/v1.17.0/docs/Operators.md), those of com.microsoft onnxruntime 1.30
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md).
 * Departures: attributes that ONNX writes as 0 or 1 are booleans here; `dims` and `stopGradient` are ours, tell the
 * shape and gradient rules what ONNX leaves to run time, and are never encoded.
 */
import type { Dim, DType, Value } from './value.ts'

type V = Value
interface Signature<Inputs extends readonly (V | null | undefined)[], Attributes = Record<never, never>> {
  readonly inputs: Inputs
  readonly attributes: Attributes
}
type Unary = Signature<readonly [V]>
type Binary = Signature<readonly [V, V]>
/** `dims` names the sizes of the result where they are not known from constants. */
interface Declared {
  readonly dims?: readonly Dim[]
}
interface Axis {
  readonly axis: number
}
interface Keep {
  readonly keepdims?: boolean
}

export interface Ops {
  Add: Binary
  Sub: Binary
  Mul: Binary
  Div: Binary
  Pow: Binary
  Min: Binary
  Max: Binary
  Neg: Unary
  Abs: Unary
  Exp: Unary
  Log: Unary
  Sqrt: Unary
  Reciprocal: Unary
  Sigmoid: Unary
  Tanh: Unary
  Identity: Signature<readonly [V], { readonly stopGradient?: boolean }>
  Cast: Signature<readonly [V], { readonly to: DType }>
  Less: Binary
  LessOrEqual: Binary
  Greater: Binary
  GreaterOrEqual: Binary
  Equal: Binary
  And: Binary
  Or: Binary
  Not: Unary
  Where: Signature<readonly [condition: V, yes: V, no: V]>
  MatMul: Binary
  Gemm: Signature<
    readonly [a: V, b: V, c?: V | null],
    {
      readonly transA?: boolean
      readonly transB?: boolean
      readonly alpha?: number
      readonly beta?: number
    }
  >
  FusedMatMul: Signature<
    readonly [a: V, b: V],
    { readonly transA?: boolean; readonly transB?: boolean; readonly alpha?: number }
  >
  Reshape: Signature<readonly [x: V, shape: V], Declared>
  Expand: Signature<readonly [x: V, shape: V], Declared>
  Transpose: Signature<readonly [V], { readonly perm: readonly number[] }>
  Squeeze: Signature<readonly [x: V, axes: V]>
  Unsqueeze: Signature<readonly [x: V, axes: V]>
  Concat: Signature<readonly V[], Axis>
  Split: Signature<readonly [x: V, sizes: V], Axis & Declared>
  Slice: Signature<readonly [x: V, starts: V, ends: V, axes: V, steps?: V], Declared>
  Pad: Signature<readonly [x: V, pads: V, value: V | null, axes: V], Declared>
  Gather: Signature<readonly [x: V, indices: V], Axis>
  GatherElements: Signature<readonly [x: V, indices: V], Axis>
  ScatterElements: Signature<readonly [x: V, indices: V, updates: V], Axis & { readonly reduction?: 'add' }>
  ScatterND: Signature<readonly [x: V, indices: V, updates: V], { readonly reduction?: 'add' }>
  ReduceSum: Signature<readonly [x: V, axes: V], Keep>
  ReduceMean: Signature<readonly [x: V, axes: V], Keep>
  ReduceMax: Signature<readonly [x: V, axes: V], Keep>
  ArgMax: Signature<readonly [V], Axis & Keep>
  TopK: Signature<readonly [x: V, k: V], Axis & { readonly largest?: boolean; readonly sorted?: boolean }>
  Softmax: Signature<readonly [V], Axis>
  LogSoftmax: Signature<readonly [V], Axis>
  CumSum: Signature<readonly [x: V, axis: V], { readonly exclusive?: boolean; readonly reverse?: boolean }>
  Shape: Signature<readonly [V], { readonly start?: number; readonly end?: number }>
  ConstantOfShape: Signature<readonly [shape: V], Declared>
  Range: Signature<readonly [start: V, limit: V, delta: V], Declared>
  QuickGelu: Signature<readonly [V], { readonly alpha: number }>
  SimplifiedLayerNormalization: Signature<
    readonly [x: V, weight: V],
    { readonly axis: -1; readonly epsilon: number }
  >
  SkipSimplifiedLayerNormalization: Signature<
    readonly [x: V, skip: V, weight: V],
    { readonly epsilon: number }
  >
  /**
   * x [B, M, heads x D], positions [B, M], caches [rows, D/2]. The kernel refuses M > rows, so rows packed without regard
   * to position go as [rows, 1, heads x D] with positions [rows, 1].
   */
  RotaryEmbedding: Signature<
    readonly [x: V, positions: V, cos: V, sin: V],
    { readonly interleaved?: boolean; readonly num_heads?: number; readonly rotary_embedding_dim?: number }
  >
  /**
   * lastIndex i32 [B]: the index of each row's last token (total length - 1); totalLength i32 []: the longest. With
   * `do_rotary` the positions follow from them. Outputs: attention, then the caches of shape `dims`, [B, KV, C, D].
   */
  GroupQueryAttention: Signature<
    readonly [
      q: V,
      k: V,
      v: V,
      pastKey: V,
      pastValue: V,
      lastIndex: V,
      totalLength: V,
      cos?: V | null,
      sin?: V | null,
    ],
    {
      readonly num_heads: number
      readonly kv_num_heads: number
      readonly scale?: number
      readonly do_rotary?: boolean
      readonly rotary_interleaved?: boolean
    } & Declared
  >
}

export type Op = keyof Ops
export type Inputs<K extends Op> = Ops[K]['inputs']
export type Attributes<K extends Op> = Ops[K]['attributes']
/** What a node carries once its operator's own types have been checked. */
export type AttributeValue = number | boolean | string | readonly Dim[]

/** Operators outside of the standard set. SimplifiedLayerNormalization lies in onnxruntime's default domain. */
const MICROSOFT: ReadonlySet<Op> = new Set<Op>([
  'FusedMatMul',
  'QuickGelu',
  'SkipSimplifiedLayerNormalization',
  'RotaryEmbedding',
  'GroupQueryAttention',
])

export function domainOf(op: Op): '' | 'com.microsoft' {
  return MICROSOFT.has(op) ? 'com.microsoft' : ''
}

/** First output that the kernel leaves out when nobody uses it; the other operators compute all of theirs. */
export function firstOptionalOutput(op: Op): number {
  return op === 'SimplifiedLayerNormalization' || op === 'SkipSimplifiedLayerNormalization' ? 1 : Infinity
}
