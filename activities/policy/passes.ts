/**
 * The passes of one policy over micro-batches: embedding, layers, and back; what comes behind them is in ending.ts.
 * Layers share two sessions, weights are inputs; between any two runs the caller's `pause` is awaited, the point at
 * which messages arrive and work can stop. Embedding rows are gathered and scattered in JavaScript, in the order of the
 * tokens.
 */
import type { Graph } from '../onnx/graph.ts'
import { openSession, type Session, type Tensor } from '../onnx/session.ts'
import { embeddingName, layerTensor, ropeTables, type ModelConfig } from './config.ts'
import { Ending } from './ending.ts'
import { Held } from './held.ts'
import { backwardGraph, forwardGraph, layerWeights } from './layer.ts'
import type { Microbatch } from './microbatch.ts'
import { gatherRows, type Gradients, type Parameters } from './parameters.ts'

export type Pause = () => Promise<void>
type Feeds = Readonly<Record<string, Tensor>>

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
  readonly #held = new Held()
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
    return this.#through(batch, pause, () => {})
  }

  /** The same, with each layer's input, which the way back needs. */
  async record(batch: Microbatch, pause: Pause): Promise<{ h: Float32Array; inputs: Tensor[] }> {
    const { layers, width } = this.#config
    this.#held.clear(batch.tokens.length * layers * width)
    const inputs: Tensor[] = []
    const h = await this.#through(batch, pause, (input) => void inputs.push(this.#held.hold(input)))
    return { h, inputs }
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
    for (let layer = this.#config.layers - 1; layer >= 0; layer--) {
      const found = await session.run({
        ...this.#feeds(batch, layer),
        ...this.#layerTensors(gradients, layer, 'sum.'),
        h: inputs.pop()!,
        dOut: this.#hidden(dh),
      })
      for (const name of this.#weights)
        gradients.set(layerName(layer, name), found[`d.${name}`]!.data as Float32Array)
      dh = found.dh!.data as Float32Array
      await pause()
    }
    gradients.addRows(embeddingName, batch.tokens, dh)
  }

  /** Lets go of what this policy's passes hold; the sessions stay for the next one of this shape. */
  release(): void {
    this.#held.clear(0)
  }

  #open(name: string, graph: () => Graph): Promise<Session> {
    const key = JSON.stringify([this.#config, this.#threads, name])
    const known = sessions.get(key)
    if (known) return known
    const opened = openSession(graph(), { threads: this.#threads })
    sessions.set(key, opened)
    return opened
  }

  /** The embedding and all layers; `passed` is told each layer's input after its run. */
  async #through(batch: Microbatch, pause: Pause, passed: (input: Tensor) => void): Promise<Float32Array> {
    const { layers, width } = this.#config
    const session = await this.#open('forward', () => forwardGraph(this.#config))
    let h = gatherRows(this.#parameters.view(embeddingName), batch.tokens, width)
    for (let layer = 0; layer < layers; layer++) {
      const input = this.#hidden(h)
      const { out } = await session.run({ ...this.#feeds(batch, layer), h: input })
      passed(input)
      h = out!.data as Float32Array
      await pause()
    }
    return h
  }

  #hidden(data: Float32Array): Tensor {
    return { dtype: 'f32', shape: [data.length / this.#config.width, this.#config.width], data }
  }

  #feeds(batch: Microbatch, layer: number): Feeds {
    return {
      ...batch.feeds,
      ...this.#ropeFeeds(batch.positions),
      ...this.#layerTensors(this.#parameters, layer),
    }
  }

  #layerTensors(from: Parameters, layer: number, prefix = ''): Feeds {
    return Object.fromEntries(
      this.#weights.map((name) => [prefix + name, from.tensor(layerName(layer, name))]),
    )
  }

  #ropeFeeds(rows: number): Feeds {
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
