/**
 * The one builder that makes graphs. A symbolic dimension is a string: equal strings are equal sizes, 'B*T' is a
 * product and 'C+1' a sum of others.
 * Equal nodes are made once (same operator, inputs and attributes), and what no output needs is dropped by `finish`.
 * Names are counted, so the same calls give the same graph, the same bytes and the same digest.
 */
import { broadcast, product, show } from './dims.ts'
import type { Attributes, AttributeValue, Inputs, Op } from './ops.ts'
import { inferOutputs } from './shapes.ts'
import type { ConstantData, Dim, DType, External, Graph, Node, Shape, Value, Weight } from './value.ts'

export type * from './value.ts'

/** Attributes may be left out where the operator requires none. */
type AttributeArguments<K extends Op> =
  Record<never, never> extends Attributes<K> ? [attributes?: Attributes<K>] : [attributes: Attributes<K>]

export class GraphBuilder {
  readonly name: string
  readonly #inputs: Value[] = []
  readonly #weights: Weight[] = []
  readonly #constants: Value[] = []
  readonly #nodes: Node[] = []
  readonly #outputs: { name: string; value: Value }[] = []
  readonly #names = new Set<string>()
  /** Nodes and constants already made, by everything that distinguishes them. */
  readonly #made = new Map<string, readonly Value[]>()
  /** Where the size of a symbolic dimension can be read at run time. */
  readonly #sizes = new Map<string, { value: Value; axis: number }>()

  constructor(name: string) {
    this.name = name
  }

  input(name: string, dtype: DType, shape: Shape): Value {
    const value = this.#value({ name, dtype, shape: [...shape] })
    this.#inputs.push(value)
    return value
  }

  /** A weight that stays in its file: `external.offset` and `sizeBytes` in bytes, `location` inside the weights folder. */
  weight(name: string, dtype: DType, shape: readonly number[], external: External): Value {
    const value = this.#value({ name, dtype, shape: [...shape] })
    this.#weights.push({ value, external: { ...external } })
    return value
  }

  /** An inline initializer; without `shape` one-dimensional. Equal unnamed constants are one. */
  constant(data: ConstantData, shape: readonly number[] = [data.length], name?: string): Value {
    if (data.length !== shape.reduce((n, d) => n * d, 1))
      throw new Error(
        `constant: expected ${shape.join(' x ')} elements for [${shape.join(',')}], found ${data.length}`,
      )
    const dtype = dtypeOf(data)
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    const key = `${name ?? ''} ${dtype} ${shape.join(',')} ${bytes.toString('latin1')}`
    const found = this.#made.get(key)?.[0]
    if (found) return found
    const fresh = name ?? `c${this.#constants.length}`
    const value = this.#value({ name: fresh, dtype, shape: [...shape], data: data.slice() })
    this.#constants.push(value)
    this.#made.set(key, [value])
    return value
  }

  /** A float32 scalar. */
  f32(x: number): Value {
    return this.constant(Float32Array.of(x), [])
  }

  /** A one-dimensional int64 constant. */
  i64(...xs: number[]): Value {
    return this.constant(BigInt64Array.from(xs, BigInt))
  }

  /** The first output of an operator (for most, the only one). */
  op<K extends Op>(op: K, inputs: Inputs<K>, ...attributes: AttributeArguments<K>): Value {
    return this.ops(op, inputs, ...attributes)[0]!
  }

  /** All outputs of an operator. */
  ops<K extends Op>(op: K, inputs: Inputs<K>, ...[attributes]: AttributeArguments<K>): readonly Value[] {
    const carried = compact(attributes ?? {})
    const key = `${op}(${inputs.map((v) => v?.name ?? '').join(',')}) ${JSON.stringify(carried)}`
    const found = this.#made.get(key)
    if (found) return found
    const order = this.#nodes.length
    const inferred = inferOutputs(op, inputs, (attributes ?? {}) as Attributes<K>)
    // Node and values name each other: the list is filled before anyone sees it, then frozen.
    const outputs: Value[] = []
    const node: Node = { op, order, inputs: inputs.map((v) => v ?? null), attributes: carried, outputs }
    for (const [i, { dtype, shape }] of inferred.entries()) {
      const name = inferred.length === 1 ? `${op}_${order}` : `${op}_${order}_${i}`
      outputs.push(this.#value({ name, dtype, shape, node }))
    }
    Object.freeze(outputs)
    this.#nodes.push(Object.freeze(node))
    this.#made.set(key, outputs)
    return outputs
  }

  output(name: string, value: Value): void {
    if (this.#outputs.some((o) => o.name === name)) throw new Error(`output: the name ${name} is taken`)
    if (this.#names.has(name) && value.name !== name) throw new Error(`output: the name ${name} is taken`)
    this.#outputs.push({ name, value })
  }

  finish(): Graph {
    if (this.#outputs.length === 0) throw new Error(`graph ${this.name}: no outputs`)
    const live = new Set<Value>(this.#outputs.map((o) => o.value))
    const nodes = this.#nodes
      .filter(() => true)
      .reverse()
      .filter((node) => {
        if (!node.outputs.some((v) => live.has(v))) return false
        for (const v of node.inputs) if (v) live.add(v)
        return true
      })
    return Object.freeze({
      name: this.name,
      inputs: [...this.#inputs],
      weights: this.#weights.filter((w) => live.has(w.value)),
      constants: this.#constants.filter((v) => live.has(v)),
      nodes: nodes.reverse(),
      outputs: this.#outputs.map((o) => ({ ...o })),
    })
  }

  /** The size of one dimension as int64 [1]: a constant, or read at run time from the first value that has it. */
  size(dim: Dim): Value {
    if (typeof dim === 'number') return this.i64(dim)
    const source = this.#sizes.get(dim)
    if (source) return this.op('Shape', [source.value], { start: source.axis, end: source.axis + 1 })
    for (const [sign, op] of [
      ['+', 'Add'],
      ['*', 'Mul'],
    ] as const)
      if (dim.includes(sign)) {
        const sizes = dim.split(sign).map((part) => this.size(/^\d+$/.test(part) ? Number(part) : part))
        return sizes.reduce((a, b) => this.op(op, [a, b]))
      }
    throw new Error(`size: no value of graph ${this.name} has a dimension ${dim}`)
  }

  /** A shape as int64 [rank]. */
  sizes(shape: Shape): Value {
    if (shape.every((d) => typeof d === 'number')) return this.i64(...shape)
    return shape.length === 1
      ? this.size(shape[0]!)
      : this.op(
          'Concat',
          shape.map((d) => this.size(d)),
          { axis: 0 },
        )
  }

  // The operators that read better by name. Axes and sizes are plain numbers here.

  matmul(a: Value, b: Value): Value {
    return this.op('MatMul', [a, b])
  }
  add(a: Value, b: Value): Value {
    return this.op('Add', [a, b])
  }
  sub(a: Value, b: Value): Value {
    return this.op('Sub', [a, b])
  }
  mul(a: Value, b: Value): Value {
    return this.op('Mul', [a, b])
  }
  div(a: Value, b: Value): Value {
    return this.op('Div', [a, b])
  }
  neg(x: Value): Value {
    return this.op('Neg', [x])
  }
  exp(x: Value): Value {
    return this.op('Exp', [x])
  }
  log(x: Value): Value {
    return this.op('Log', [x])
  }
  cast(x: Value, to: DType): Value {
    return x.dtype === to ? x : this.op('Cast', [x], { to })
  }
  where(condition: Value, yes: Value, no: Value): Value {
    return this.op('Where', [condition, yes, no])
  }
  softmax(x: Value, axis = -1): Value {
    return this.op('Softmax', [x], { axis })
  }
  transpose(x: Value, perm: readonly number[]): Value {
    return this.op('Transpose', [x], { perm })
  }
  concat(xs: readonly Value[], axis: number): Value {
    return this.op('Concat', xs, { axis })
  }
  squeeze(x: Value, ...axes: number[]): Value {
    return this.op('Squeeze', [x, this.i64(...axes)])
  }
  unsqueeze(x: Value, ...axes: number[]): Value {
    return this.op('Unsqueeze', [x, this.i64(...axes)])
  }
  gather(x: Value, indices: Value, axis = 0): Value {
    return this.op('Gather', [x, indices], { axis })
  }
  sum(x: Value, axes: readonly number[], keepdims = true): Value {
    return this.op('ReduceSum', [x, this.i64(...axes)], keepdims ? {} : { keepdims })
  }
  mean(x: Value, axes: readonly number[], keepdims = true): Value {
    return this.op('ReduceMean', [x, this.i64(...axes)], keepdims ? {} : { keepdims })
  }
  max(x: Value, axes: readonly number[], keepdims = true): Value {
    return this.op('ReduceMax', [x, this.i64(...axes)], keepdims ? {} : { keepdims })
  }
  /** Pieces of `sizes` along `axis`; a symbolic size is read from whatever value has it. */
  split(x: Value, sizes: Shape, axis: number): readonly Value[] {
    return this.ops('Split', [x, this.sizes(sizes)], { axis, dims: sizes })
  }
  /** `x[..., start:end, ...]` along one axis. */
  slice(x: Value, axis: number, start: number, end: number): Value {
    return this.op('Slice', [x, this.i64(start), this.i64(end), this.i64(axis)])
  }
  /** Zeros of a shape, float32. */
  zeros(shape: Shape): Value {
    return this.op('ConstantOfShape', [this.sizes(shape)], { dims: shape })
  }
  expand(x: Value, shape: Shape): Value {
    return this.op('Expand', [x, this.sizes(shape)], { dims: broadcast('expand', x.shape, shape) })
  }
  /** The value, with no gradient through it. */
  stopGradient(x: Value): Value {
    return this.op('Identity', [x], { stopGradient: true })
  }

  /**
   * `x` as `shape`. Sizes are copied (0) or inferred (-1) where that says it, and read at run time otherwise; a name
   * that no value has yet is introduced by the one dimension that is inferred.
   */
  reshape(x: Value, shape: Shape): Value {
    if (shape.length === x.shape.length && shape.every((d, i) => d === x.shape[i])) return x
    const [before, after] = [product(x.shape), product(shape)]
    if (before.names === after.names && before.factor !== after.factor)
      throw new Error(`reshape: sizes differ, from [${show(x.shape)}] to [${show(shape)}]`)
    const open = shape.flatMap((d, i) => (typeof d === 'string' && d !== x.shape[i] ? [i] : []))
    // Prefer to infer a name that cannot be read; at most one dimension can be inferred.
    const inferred = open.find((i) => !this.#known(shape[i]!)) ?? open[0]
    const literal = shape.map((d, i) =>
      i === inferred ? -1 : d === x.shape[i] && typeof d === 'string' ? 0 : d,
    )
    const target = literal.every((d) => typeof d === 'number')
      ? this.i64(...literal)
      : this.concat(
          literal.map((d) => this.size(d)),
          0,
        )
    return this.op('Reshape', [x, target], { dims: [...shape] })
  }

  #known(dim: Dim): boolean {
    return typeof dim === 'number' || this.#sizes.has(dim)
  }

  #value(value: Value): Value {
    if (this.#names.has(value.name)) throw new Error(`graph ${this.name}: the name ${value.name} is taken`)
    this.#names.add(value.name)
    for (const [axis, dim] of value.shape.entries())
      if (typeof dim === 'string' && !this.#sizes.has(dim)) this.#sizes.set(dim, { value, axis })
    return Object.freeze(value)
  }
}

function dtypeOf(data: ConstantData): DType {
  if (data instanceof Float32Array) return 'f32'
  if (data instanceof BigInt64Array) return 'i64'
  return data instanceof Int32Array ? 'i32' : 'bool'
}

/** Attributes in a fixed order, without those left undefined. */
function compact(attributes: Record<string, AttributeValue | undefined>): Record<string, AttributeValue> {
  const entries = Object.entries(attributes).filter((e): e is [string, AttributeValue] => e[1] !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
