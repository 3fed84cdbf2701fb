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

/** Gradients of one minibatch, added up over its micro-batches in their order. */
export class Gradients extends Parameters {
  /** Tensors that hold something of this minibatch; the others hold what the last one left. */
  readonly #written = new Set<string>()

  reset(): void {
    this.#written.clear()
  }

  add(name: string, gradient: Float32Array): void {
    const sum = this.view(name)
    if (this.#written.has(name)) for (let i = 0; i < sum.length; i++) sum[i]! += gradient[i]!
    else sum.set(gradient)
    this.#written.add(name)
  }

  /** Adds row i of `rows` [n, width] to row `indices[i]` of the tensor, in order. */
  addRows(name: string, indices: Int32Array | readonly number[], rows: Float32Array): void {
    const sum = this.view(name)
    if (!this.#written.has(name)) sum.fill(0)
    this.#written.add(name)
    const width = rows.length / indices.length
    for (let i = 0; i < indices.length; i++) {
      const [to, from] = [indices[i]! * width, i * width]
      for (let j = 0; j < width; j++) sum[to + j]! += rows[from + j]!
    }
  }

  /** 2-norm over all tensors in double: four sums, each in order, so the result does not depend on anything else. */
  norm(): number {
    const { data } = this
    let [a, b, c, d] = [0, 0, 0, 0]
    let i = 0
    for (; i + 3 < data.length; i += 4) {
      a += data[i]! * data[i]!
      b += data[i + 1]! * data[i + 1]!
      c += data[i + 2]! * data[i + 2]!
      d += data[i + 3]! * data[i + 3]!
    }
    for (; i < data.length; i++) a += data[i]! * data[i]!
    return Math.sqrt(a + b + (c + d))
  }
}
