/**
 * All weights of a policy as one flat Float32Array, in the order of their names, and views of it by name: graphs take the
 * views as inputs without a copy, the optimizer runs over the whole. Gradients have the same layout.
 */
import type { Tensor } from '../onnx/session.ts'
import type { NamedTensor } from './safetensors.ts'

export interface Place {
  readonly name: string
  readonly shape: readonly number[]
  readonly start: number
  readonly end: number
}

export class Parameters {
  readonly data: Float32Array
  readonly places: ReadonlyMap<string, Place>

  constructor(shapes: ReadonlyMap<string, readonly number[]>, data?: Float32Array) {
    const places = new Map<string, Place>()
    let start = 0
    for (const [name, shape] of [...shapes].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const end = start + shape.reduce((n, d) => n * d, 1)
      places.set(name, { name, shape, start, end })
      start = end
    }
    this.places = places
    this.data = data ?? new Float32Array(start)
  }

  view(name: string): Float32Array {
    const { start, end } = this.#place(name)
    return this.data.subarray(start, end)
  }

  tensor(name: string): Tensor {
    return { dtype: 'f32', shape: this.#place(name).shape, data: this.view(name) }
  }

  tensors(): NamedTensor[] {
    return [...this.places.values()].map(({ name, shape }) => ({ name, shape, data: this.view(name) }))
  }

  #place(name: string): Place {
    const place = this.places.get(name)
    if (!place) throw new Error(`parameters: no tensor ${name}`)
    return place
  }
}

/** Rows [n, width] of a matrix whose rows have that width, in the order of `indices`; written to `rows` if given. */
export function gatherRows(
  matrix: Float32Array,
  indices: ArrayLike<number>,
  width: number,
  rows: Float32Array = new Float32Array(indices.length * width),
): Float32Array {
  for (let i = 0; i < indices.length; i++)
    rows.set(matrix.subarray(indices[i]! * width, (indices[i]! + 1) * width), i * width)
  return rows
}

/** Elements summed at once: a function called often is compiled well, a long loop called twice is not. */
const CHUNK = 2 ** 16

/**
 * Gradients of one minibatch. Graphs take the sum so far and write the new one in its place (an addition in JavaScript
 * takes several times as long).
 */
export class Gradients extends Parameters {
  reset(): void {
    this.data.fill(0)
  }

  /** Adds row i of `rows` [n, width] to row `indices[i]` of the tensor, in order. */
  addRows(name: string, indices: ArrayLike<number | bigint>, rows: Float32Array): void {
    const sum = this.view(name)
    const width = rows.length / indices.length
    for (let i = 0; i < indices.length; i++) addTo(sum, Number(indices[i]) * width, rows, i * width, width)
  }

  /** 2-norm over all tensors in double, in a fixed order. */
  norm(): number {
    let total = 0
    for (let from = 0; from < this.data.length; from += CHUNK)
      total += squares(this.data.subarray(from, from + CHUNK))
    return Math.sqrt(total)
  }
}

function addTo(sum: Float32Array, to: number, rows: Float32Array, from: number, width: number): void {
  for (let j = 0; j < width; j++) sum[to + j]! += rows[from + j]!
}

/** Σ x², in four sums so that additions need not wait for one another. */
function squares(xs: Float32Array): number {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let i = 0
  for (; i + 3 < xs.length; i += 4) {
    a += xs[i]! * xs[i]!
    b += xs[i + 1]! * xs[i + 1]!
    c += xs[i + 2]! * xs[i + 2]!
    d += xs[i + 3]! * xs[i + 3]!
  }
  for (; i < xs.length; i++) a += xs[i]! * xs[i]!
  return a + b + (c + d)
}
