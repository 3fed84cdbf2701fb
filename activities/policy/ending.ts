/**
 * What happens behind the last layer for one micro-batch: scores of the targets, and the loss's gradient. Tokens are cut
 * into chunks and the vocabulary into slices; sums over slices are taken in double, here.
 */
import type { Objective } from '../contracts.ts'
import { tokenLoss } from '../grpo/objective.ts'
import type { Graph } from '../onnx/graph.ts'
import type { Session, Tensor } from '../onnx/session.ts'
import { embeddingName, finalNormName, headName, type ModelConfig } from './config.ts'
import { headEndGraph, headSliceBackwardGraph, headSliceGraph, headStartGraph } from './head.ts'
import type { Microbatch } from './microbatch.ts'
import { gatherRows, type Gradients, type Parameters } from './parameters.ts'

/** What the loss needs to know of each token with a target, rows behind one another. */
export interface Targets {
  readonly ids: Int32Array // [N]
  readonly old: Float32Array
  readonly advantage: Float32Array
  readonly weight: Float32Array
}

export interface Scores {
  readonly logprobs: Float32Array // [N]
  readonly entropies: Float32Array
}

/** The session of a graph, opened at its first use. */
export type Open = (name: string, graph: () => Graph) => Promise<Session>

const CHUNK_TOKENS = 1024

interface Chunk {
  /** Among the N tokens with a target. */
  readonly start: number
  readonly end: number
  /** Among the M tokens of the micro-batch. */
  readonly places: readonly number[]
}

/** A chunk behind the final norm. */
interface Begun {
  readonly h: Tensor
  readonly x: Tensor
  /** The targets' rows of the head, [n, width]. */
  readonly own: Float32Array
  readonly ids: Int32Array
  /** log Σ exp z, [n] */
  readonly logSums: Float32Array
}

export class Ending {
  readonly #config: ModelConfig
  readonly #parameters: Parameters
  readonly #open: Open
  readonly #head: string
  readonly #logits: number

  /** `logits`: most of them in memory at once, tokens of a chunk times rows of a slice. */
  constructor(config: ModelConfig, parameters: Parameters, open: Open, logits: number) {
    this.#config = config
    this.#parameters = parameters
    this.#open = open
    this.#head = config.tied ? embeddingName : headName
    this.#logits = logits
  }

  /** Log-probabilities and entropies of the targets from h [M, width]. */
  async score(batch: Microbatch, h: Float32Array, ids: Int32Array): Promise<Scores> {
    const scores = { logprobs: new Float32Array(ids.length), entropies: new Float32Array(ids.length) }
    for (const chunk of chunks(batch)) await this.#begin(chunk, h, ids, scores)
    return scores
  }

  /** The same, and the loss's gradient: the head's is added to `gradients`, that of h [M, width] returned. */
  async learn(
    batch: Microbatch,
    h: Float32Array,
    targets: Targets,
    objective: Objective,
    gradients: Gradients,
  ): Promise<Scores & { readonly dh: Float32Array }> {
    const { width } = this.#config
    const n = targets.ids.length
    const scores = { logprobs: new Float32Array(n), entropies: new Float32Array(n) }
    const dh = new Float32Array(h.length)
    for (const chunk of chunks(batch)) {
      const begun = await this.#begin(chunk, h, targets.ids, scores)
      const slopes = Float32Array.from(begun.ids, (_, i) => {
        const at = chunk.start + i
        const { slope } = tokenLoss(objective, scores.logprobs[at]!, targets.old[at]!, targets.advantage[at]!)
        return targets.weight[at]! * slope
      })
      const scaled = scaleRows(begun.x.data as Float32Array, slopes, width)
      const expected = await this.#backward(begun, scaled, gradients)
      gradients.addRows(this.#head, begun.ids, scaled)
      const dx = new Float32Array(expected.length)
      for (let i = 0; i < dx.length; i++)
        dx[i] = slopes[Math.floor(i / width)]! * (begun.own[i]! - expected[i]!)
      const session = await this.#open('head end', () => headEndGraph(this.#config))
      const dNorm = gradients.tensor(finalNormName)
      const rows = new Float32Array(dx.length)
      await session.runInto(
        {
          h: begun.h,
          norm: this.#parameters.tensor(finalNormName),
          dx: this.#rows(dx),
          'sum.norm': dNorm,
        },
        { dh: this.#rows(rows), 'd.norm': dNorm },
      )
      scatter(dh, chunk, rows, width)
    }
    return { ...scores, dh }
  }

  /** The first walk over the vocabulary: notes log-probabilities and entropies. */
  async #begin(chunk: Chunk, h: Float32Array, ids: Int32Array, scores: Scores): Promise<Begun> {
    const chunkIds = ids.subarray(chunk.start, chunk.end)
    const own = gatherRows(this.#parameters.view(this.#head), chunkIds, this.#config.width)
    const rows = this.#rows(gatherRows(h, chunk.places, this.#config.width))
    const start = await this.#open('head start', () => headStartGraph(this.#config))
    const { x, z } = await start.run({
      h: rows,
      norm: this.#parameters.tensor(finalNormName),
      own: this.#rows(own),
    })
    const total = new SumOfSlices(chunkIds.length)
    const session = await this.#open('head slice', () => headSliceGraph(this.#config))
    for (const [from, to] of this.#slices(chunkIds.length)) {
      const { logSum, mean } = await session.run({ x: x!, head: this.#slice(this.#parameters, from, to) })
      total.add(logSum!.data as Float32Array, mean!.data as Float32Array)
    }
    const zs = z!.data as Float32Array
    for (let i = 0; i < chunkIds.length; i++) {
      scores.logprobs[chunk.start + i] = zs[i]! - total.logSums[i]!
      scores.entropies[chunk.start + i] = total.logSums[i]! - total.means[i]!
    }
    return { h: rows, x: x!, own, ids: chunkIds, logSums: Float32Array.from(total.logSums) }
  }

  /** The second walk: adds the head's gradient to `gradients`, gives Σ p·W, [n · width]. */
  async #backward({ x, logSums }: Begun, scaled: Float32Array, gradients: Gradients): Promise<Float32Array> {
    const session = await this.#open('head slice backward', () => headSliceBackwardGraph(this.#config))
    const expected = new Float32Array(scaled.length)
    for (const [from, to] of this.#slices(logSums.length)) {
      const [sum, dHead] = [this.#rows(expected), this.#slice(gradients, from, to)]
      await session.runInto(
        {
          x,
          head: this.#slice(this.#parameters, from, to),
          logSum: { dtype: 'f32', shape: [logSums.length, 1], data: logSums },
          scaled: this.#rows(scaled),
          'sum.expected': sum,
          'sum.head': dHead,
        },
        { expected: sum, 'd.head': dHead },
      )
    }
    return expected
  }

  #rows(data: Float32Array): Tensor {
    return { dtype: 'f32', shape: [data.length / this.#config.width, this.#config.width], data }
  }

  /** Rows [from, to) of the head, or of its gradient: a view. */
  #slice(from: Parameters, first: number, end: number): Tensor {
    const { width } = this.#config
    return this.#rows(from.view(this.#head).subarray(first * width, end * width))
  }

  #slices(tokens: number): [number, number][] {
    const { vocabulary } = this.#config
    const size = Math.max(1, Math.floor(this.#logits / tokens))
    return Array.from({ length: Math.ceil(vocabulary / size) }, (_, i) => [
      i * size,
      Math.min(vocabulary, (i + 1) * size),
    ])
  }
}

/** log Σ exp z and Σ p z over all slices, from those of each. */
class SumOfSlices {
  readonly logSums: Float64Array
  readonly means: Float64Array

  constructor(tokens: number) {
    this.logSums = new Float64Array(tokens).fill(-Infinity)
    this.means = new Float64Array(tokens)
  }

  add(logSums: Float32Array, means: Float32Array): void {
    for (let i = 0; i < logSums.length; i++) {
      const [a, b] = [this.logSums[i]!, logSums[i]!]
      const sum = Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))
      this.means[i] = this.means[i]! * Math.exp(a - sum) + means[i]! * Math.exp(b - sum)
      this.logSums[i] = sum
    }
  }
}

/** Runs of tokens with a target; a run may span rows. */
function chunks({ first, lengths }: Microbatch): Chunk[] {
  const tokens = first.flatMap((start, b) => Array.from({ length: lengths[b]! }, (_, t) => start + t))
  return Array.from({ length: Math.ceil(tokens.length / CHUNK_TOKENS) }, (_, i) => {
    const start = i * CHUNK_TOKENS
    const places = tokens.slice(start, start + CHUNK_TOKENS)
    return { start, end: start + places.length, places }
  })
}

function scatter(to: Float32Array, { places }: Chunk, rows: Float32Array, width: number): void {
  for (const [i, place] of places.entries()) to.set(rows.subarray(i * width, (i + 1) * width), place * width)
}

function scaleRows(rows: Float32Array, factors: Float32Array, width: number): Float32Array {
  const scaled = new Float32Array(rows.length)
  for (const [i, factor] of factors.entries())
    for (let j = i * width; j < (i + 1) * width; j++) scaled[j] = factor * rows[j]!
  return scaled
}
