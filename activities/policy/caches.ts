/**
 * Keys and values of everything in flight: of each slot's prompt [N, KV, P, D], once, and of each row's own tokens
 * [N, KV, R, C, D], per layer, as plain arrays that the graph reads and never writes. `arrange` changes their shape
 * (other slots, rows moved) and `grow` the rows' capacity; both go layer by layer, so that at most one layer's array
 * exists twice. A position that nobody has written may hold anything finite. Memory is 8·layers·KV·D·(N·P + N·R·C) bytes, and never more than what is in use, rounded
 * up to the capacities.
 */
import type { Tensor } from '../onnx/session.ts'
import type { ModelConfig } from './config.ts'
import { cacheNames, laneWidth } from './forward.ts'

export interface CacheShape {
  readonly slots: number // N
  readonly rows: number // R, in each slot
  readonly prompt: number // P, positions
  readonly own: number // C, positions
}

/** Where an arranged cache takes its content from; -1 where nothing is wanted. */
export interface Origins {
  readonly slots: readonly number[] // [N], old slot
  readonly rows: readonly number[] // [N·R], old row, counted over all slots
}

/** What a run created, [layer][keys, values]: each [N, KV, R, S, D]. */
export type Created = readonly (readonly [Float32Array, Float32Array])[]

const empty = new Float32Array(0)

export class Caches {
  readonly #layers: number
  readonly #kvHeads: number
  readonly #headDim: number
  #shape: CacheShape = { slots: 0, rows: 0, prompt: 0, own: 0 }
  /** [layer][keys, values] */
  readonly #prompt: [Float32Array, Float32Array][]
  readonly #own: [Float32Array, Float32Array][]

  constructor({ layers, kvHeads, headDim }: ModelConfig) {
    this.#layers = layers
    this.#kvHeads = kvHeads
    this.#headDim = headDim
    this.#prompt = Array.from({ length: layers }, () => [empty, empty])
    this.#own = Array.from({ length: layers }, () => [empty, empty])
  }

  get shape(): CacheShape {
    return this.#shape
  }

  arrange(shape: CacheShape, from: Origins): void {
    const { slots, rows, prompt, own } = shape
    const [old, kvHeads, headDim] = [this.#shape, this.#kvHeads, this.#headDim]
    /** Moves blocks of consecutive positions from one array to a new one. */
    const moved = (
      source: Float32Array,
      blocks: number,
      size: number,
      oldSize: number,
      at: (i: number) => number,
    ) => {
      const target = new Float32Array(blocks * size * headDim)
      const length = Math.min(size, oldSize) * headDim
      for (let i = 0; i < blocks; i++) {
        const start = at(i) * oldSize * headDim
        if (start >= 0 && length > 0) target.set(source.subarray(start, start + length), i * size * headDim)
      }
      return target
    }
    const promptBlock = (i: number) => {
      const slot = from.slots[Math.floor(i / kvHeads)]!
      return slot < 0 ? -1 : slot * kvHeads + (i % kvHeads)
    }
    const ownBlock = (i: number) => {
      const [slot, head, row] = [Math.floor(i / (kvHeads * rows)), Math.floor(i / rows) % kvHeads, i % rows]
      const origin = from.rows[slot * rows + row]!
      if (origin < 0) return -1
      return (Math.floor(origin / old.rows) * kvHeads + head) * old.rows + (origin % old.rows)
    }
    for (let layer = 0; layer < this.#layers; layer++)
      for (const part of [0, 1] as const) {
        const [promptPair, ownPair] = [this.#prompt[layer]!, this.#own[layer]!]
        promptPair[part] = moved(promptPair[part], slots * kvHeads, prompt, old.prompt, promptBlock)
        ownPair[part] = moved(ownPair[part], slots * kvHeads * rows, own, old.own, ownBlock)
      }
    this.#shape = shape
  }

  /**
   * More positions for the rows' own tokens. Moves within the memory there is, where it suffices, from the last block to
   * the first; what it takes anew has room for twice as much, which costs address space until it is used.
   */
  grow(own: number): void {
    const { slots, rows, own: old } = this.#shape
    const [blocks, before, after] = [slots * this.#kvHeads * rows, old * this.#headDim, own * this.#headDim]
    for (const pair of this.#own)
      for (const part of [0, 1] as const) {
        const source = pair[part]
        const room = source.buffer.byteLength >= 4 * blocks * after
        const buffer = room ? source.buffer : new ArrayBuffer(8 * blocks * after)
        const target = new Float32Array(buffer, 0, blocks * after)
        for (let i = blocks - 1; i >= 0; i--)
          if (room) target.copyWithin(i * after, i * before, (i + 1) * before)
          else target.set(source.subarray(i * before, (i + 1) * before), i * after)
        pair[part] = target
      }
    this.#shape = { ...this.#shape, own }
  }

  /** Prompt `index` of the `batch` that a run computed, `length` tokens each, into a slot. */
  writePrompt(slot: number, created: Created, index: number, length: number): void {
    const [kvHeads, headDim, capacity] = [this.#kvHeads, this.#headDim, this.#shape.prompt]
    for (let layer = 0; layer < this.#layers; layer++)
      for (const part of [0, 1] as const)
        for (let head = 0; head < kvHeads; head++) {
          const start = (index * kvHeads + head) * length * headDim
          const source = created[layer]![part].subarray(start, start + length * headDim)
          this.#prompt[layer]![part].set(source, (slot * kvHeads + head) * capacity * headDim)
        }
  }

  /** One new token of every row to position `at[row]`; -1 is idle. */
  writeOwn(created: Created, at: Int32Array): void {
    for (let layer = 0; layer < this.#layers; layer++)
      for (const part of [0, 1] as const)
        scatter(created[layer]![part], this.#own[layer]![part], at, this.#shape, this.#headDim)
  }

  feeds(): Record<string, Tensor> {
    const { slots, rows, prompt, own } = this.#shape
    return cacheFeeds(this.#prompt, this.#own, [
      [slots, this.#kvHeads, prompt, this.#headDim],
      [slots, this.#kvHeads, 1, rows, own, this.#headDim],
    ])
  }
}

/** The caches of rows that have seen nothing: the least capacities, because the runtime reshapes no empty tensor. */
export function emptyFeeds({ layers, kvHeads, headDim }: ModelConfig, slots: number): Record<string, Tensor> {
  const none = new Float32Array(slots * kvHeads * laneWidth * headDim)
  const pairs = Array.from({ length: layers }, () => [none, none] as const)
  return cacheFeeds(pairs, pairs, [
    [slots, kvHeads, laneWidth, headDim],
    [slots, kvHeads, 1, 1, laneWidth, headDim],
  ])
}

/** source [N, KV, R, D] to target [N, KV, R, C, D]; plain loops, since a row is shorter than a call of `set`. */
function scatter(
  source: Float32Array,
  target: Float32Array,
  at: Int32Array,
  { slots, rows, own }: CacheShape,
  headDim: number,
): void {
  const heads = source.length / (slots * rows * headDim)
  let block = 0
  for (let slot = 0; slot < slots; slot++)
    for (let head = 0; head < heads; head++)
      for (let row = 0; row < rows; row++, block++) {
        const position = at[slot * rows + row]!
        if (position < 0) continue
        const from = block * headDim
        const to = (block * own + position) * headDim
        for (let i = 0; i < headDim; i++) target[to + i] = source[from + i]!
      }
}

function cacheFeeds(
  prompt: readonly (readonly [Float32Array, Float32Array])[],
  own: readonly (readonly [Float32Array, Float32Array])[],
  [promptShape, ownShape]: readonly [readonly number[], readonly number[]],
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {}
  for (let layer = 0; layer < prompt.length; layer++)
    for (const [i, name] of cacheNames.entries()) {
      const data = (i < 2 ? prompt : own)[layer]![i % 2]!
      feeds[`${name}${layer}`] = { dtype: 'f32', shape: i < 2 ? promptShape : ownShape, data }
    }
  return feeds
}
