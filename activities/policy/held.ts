/**
 * The layers' inputs, held from the forward to the backward pass. Copied into memory that is used again and again: the
 * runtime's own outputs would live long enough to be collected late, and the process would grow by several times their
 * size.
 */
import type { Tensor } from '../onnx/session.ts'

export class Held {
  #memory = new Float32Array(0)
  #used = 0

  /** Drops everything and makes room for `floats`. */
  clear(floats: number): void {
    if (this.#memory.length < floats) this.#memory = new Float32Array(floats)
    this.#used = 0
  }

  hold({ dtype, shape, data }: Tensor): Tensor {
    const copy = this.#memory.subarray(this.#used, (this.#used += data.length))
    copy.set(data as Float32Array)
    return { dtype, shape, data: copy }
  }
}
