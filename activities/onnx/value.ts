/**
 * What a graph consists of, as immutable values: a value knows its type, its shape and the node it comes from; a node
 * its operator, inputs, attributes and outputs. Nothing here knows protobuf or the runtime.
 */
import type { AttributeValue, Op } from './ops.ts'

export type DType = 'f32' | 'f16' | 'bf16' | 'i64' | 'i32' | 'bool'
export type Dim = number | string
export type Shape = readonly Dim[]
export type ConstantData = Float32Array | BigInt64Array | Int32Array | Uint8Array

export interface Value {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  /** The node this is an output of; inputs, weights and constants have none. */
  readonly node?: Node
  /** Content of a constant: shape rules read axes and sizes from it. */
  readonly data?: ConstantData
}

export interface Node {
  readonly op: Op
  /** Position among all nodes ever built: inputs always have smaller numbers. */
  readonly order: number
  readonly inputs: readonly (Value | null)[]
  readonly attributes: Readonly<Record<string, AttributeValue>>
  readonly outputs: readonly Value[]
}

/** Bytes of a weight inside a file of the weights folder. */
export interface External {
  readonly location: string
  readonly offset: number
  readonly sizeBytes: number
}

export interface Weight {
  readonly value: Value
  readonly external: External
}

export interface Graph {
  readonly name: string
  readonly inputs: readonly Value[]
  readonly weights: readonly Weight[]
  readonly constants: readonly Value[]
  readonly nodes: readonly Node[]
  readonly outputs: readonly { readonly name: string; readonly value: Value }[]
}
