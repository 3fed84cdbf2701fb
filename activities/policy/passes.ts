/**
 * The passes of one policy over micro-batches: embedding, layers, and back; what comes behind them is in ending.ts.
 * Layers share two sessions, weights are inputs; between any two runs the caller's `pause` is awaited, the point at
 * which messages arrive and work can stop. Embedding rows are gathered and scattered in JavaScript, in the order of the
 * tokens.
 */
import type { Graph } from '../onnx/graph.ts'
import { openSession, type Session, type Tensor, type Tensors } from '../onnx/session.ts'
import { embeddingName, layerTensor, ropeTables, type ModelConfig } from './config.ts'
import { Ending } from './ending.ts'
import { backwardGraph, forwardGraph, layerWeights } from './layer.ts'
import type { Microbatch } from './microbatch.ts'
import { gatherRows, type Gradients, type Parameters } from './parameters.ts'

export type Pause = () => Promise<void>

export interface PassesOptions {
  readonly threads: number
  /** Logits in memory at once, while the head is trained (default 2^20); results depend on it by rounding. */
  readonly logits?: number
}

/**
 * Weights are inputs, so a session belongs to a shape and not to a policy: all trainers of one shape in this thread
 * share it, and a step that finds its trainer gone builds none again. A handful a shape, small, never released.
 */
const sessions = new Map<string, Promise<Session>>()

export class Passes {
  /** Behind the last layer. */
  readonly ending: Ending
  readonly #config: ModelConfig
  readonly #parameters: Parameters
  readonly #threads: number
  readonly #weights: readonly string[]
  /** The layers' inputs, from the forward to the backward pass: used again by every micro-batch. */
  #held = new Float32Array(0)
  #rope: { rows: number; cos: Float32Array; sin: Float32Array } = {
    rows: 0,
    cos: new Float32Array(0),
    sin: new Float32Array(0),
  }

  constructor(config: ModelConfig, parameters: Parameters, { threads, logits = 2 ** 20 }: PassesOptions) {
    this.#config = config
    this.#parameters = parameters
    this.#threads = threads
    this.ending = new Ending(config, parameters, (name, graph) => this.#open(name, graph), logits)
    this.#weights = layerWeights(config).map(({ name }) => name)
  }

  /** Runs that one micro-batch takes, forward only or with its gradient. */
  static steps(config: ModelConfig, gradient: boolean): number {
    return gradient ? 2 * config.layers + 1 : config.layers + 1
  }

  /** What the last layer gives, [M, width]. */
  forward(batch: Microbatch, pause: Pause): Promise<Float32Array> {
    const size = batch.tokens.length * this.#config.width
    const turns = [new Float32Array(size), new Float32Array(size)]
    return this.#through(batch, pause, (layer) => turns[layer % 2]!)
  }

  /** The same, with each layer's input, which the way back needs. */
  async record(batch: Microbatch, pause: Pause): Promise<{ h: Float32Array; inputs: Tensor[] }> {
    const { layers, width } = this.#config
    const size = batch.tokens.length * width
    if (this.#held.length < layers * size) this.#held = new Float32Array(layers * size)
    const inputs = Array.from({ length: layers }, (_, layer) =>
      this.#held.subarray(layer * size, (layer + 1) * size),
    )
    const last = new Float32Array(size)
    const h = await this.#through(batch, pause, (layer) => inputs[layer] ?? last)
    return { h, inputs: inputs.map((input) => this.#hidden(input)) }
  }

  /** From the gradient of the last layer's output back to the embedding; empties `inputs`. */
  async backward(
    batch: Microbatch,
    inputs: Tensor[],
    dh: Float32Array,
    gradients: Gradients,
    pause: Pause,
  ): Promise<void> {
    const session = await this.#open('backward', () => backwardGraph(this.#config))
    let spare: Float32Array = new Float32Array(dh.length)
    for (let layer = this.#config.layers - 1; layer >= 0; layer--) {
      await session.runInto(
        {
          ...this.#feeds(batch, layer),
          ...this.#layerTensors(gradients, layer, 'sum.'),
          h: inputs.pop()!,
          dOut: this.#hidden(dh),
        },
        { ...this.#layerTensors(gradients, layer, 'd.'), dh: this.#hidden(spare) },
      )
      ;[dh, spare] = [spare, dh]
      await pause()
    }
    gradients.addRows(embeddingName, batch.tokens, dh)
  }

  /** Lets go of what this policy's passes hold; the sessions stay for the next one of this shape. */
  release(): void {
    this.#held = new Float32Array(0)
  }

  #open(name: string, graph: () => Graph): Promise<Session> {
    const key = JSON.stringify([this.#config, this.#threads, name])
    const known = sessions.get(key)
    if (known) return known
    const opened = openSession(graph(), { threads: this.#threads })
    sessions.set(key, opened)
    return opened
  }

  /** The embedding and all layers: `place(0)` takes the embedding, `place(n)` what n layers give; the last is returned. */
  async #through(
    batch: Microbatch,
    pause: Pause,
    place: (layers: number) => Float32Array,
  ): Promise<Float32Array> {
    const { layers, width } = this.#config
    const session = await this.#open('forward', () => forwardGraph(this.#config))
    gatherRows(this.#parameters.view(embeddingName), batch.tokens, width, place(0))
    for (let layer = 0; layer < layers; layer++) {
      const [h, out] = [this.#hidden(place(layer)), this.#hidden(place(layer + 1))]
      await session.runInto({ ...this.#feeds(batch, layer), h }, { out })
      await pause()
    }
    return place(layers)
  }

  #hidden(data: Float32Array): Tensor {
    return { dtype: 'f32', shape: [data.length / this.#config.width, this.#config.width], data }
  }

  #feeds(batch: Microbatch, layer: number): Tensors {
    return {
      ...batch.feeds,
      ...this.#ropeFeeds(batch.positions),
      ...this.#layerTensors(this.#parameters, layer),
    }
  }

  #layerTensors(from: Parameters, layer: number, prefix = ''): Tensors {
    return Object.fromEntries(
      this.#weights.map((name) => [prefix + name, from.tensor(layerName(layer, name))]),
    )
  }

  #ropeFeeds(rows: number): Tensors {
    // Grown by doubling: a table for every micro-batch would cost more than the graphs of a small model.
    if (rows > this.#rope.rows) {
      const grown = Math.max(rows, 2 * this.#rope.rows, 64)
      this.#rope = { rows: grown, ...ropeTables(this.#config, grown) }
    }
    const table = (data: Float32Array): Tensor => ({
      dtype: 'f32',
      shape: [this.#rope.rows, this.#config.headDim / 2],
      data,
    })
    return { cos: table(this.#rope.cos), sin: table(this.#rope.sin) }
  }
}

/** `self_attn.q_proj.weight` of a layer, in full. */
function layerName(layer: number, name: string): string {
  const kind = name.endsWith('.bias') ? 'bias' : 'weight'
  return layerTensor(layer, name.slice(0, -(kind.length + 1)), kind)
}
