/**
 * Runs of the forward graph over a layout: keeps the caches in step with it, computes the prompts that enter, and
 * decodes one token for every live row. Idle rows and padding slots compute along with a token of no consequence; no
 * live row sees them.
 */
import { setImmediate } from 'node:timers/promises'
import { NonFiniteLogits, type Control, type Decoding, type Prompt } from '../engine/port.ts'
import type { Session, Tensor, Tensors } from '../onnx/session.ts'
import { Caches, emptyFeeds, type Created, type Origins } from './caches.ts'
import type { Growing } from './completion.ts'
import { ropeTables, type ModelConfig } from './config.ts'
import { drawSettings } from './draw.ts'
import { laneWidth, masked } from './forward.ts'
import type { Layout } from './schedule.ts'

// Tokens in one prefill run: enough to keep threads busy; scores take S times as much memory as keys.
const prefillTokens = 1024

// A probability of 1 has a logarithm of 0 up to the rounding of a sum.
const mostLogprob = 1e-3

interface RunShape {
  readonly slots: number
  readonly rows: number // of each slot
  readonly tokens: number // of each row
}

/** What a run gives, and the same arrays as it takes them to write to. */
interface Results {
  readonly shape: RunShape
  readonly drawn: BigInt64Array
  readonly logprob: Float32Array
  readonly created: Created
  readonly into: Tensors
}

export class Steps {
  readonly #session: Session
  readonly #config: ModelConfig
  readonly #prompts: readonly Prompt[]
  readonly #caches: Caches
  readonly #always: Record<string, Tensor>
  readonly #greedy: boolean
  #layout: Layout<Growing> = { rows: 0, slots: [] }
  /** What each slot of the caches holds: a prompt, or -1. */
  #held: number[] = []
  #cacheFeeds: Record<string, Tensor> = {}
  /** Of the last run: the next one of its shape writes over them. */
  #results: Results | null = null

  /** `positions`: the most that a prompt and its completion take. */
  constructor(
    session: Session,
    config: ModelConfig,
    prompts: readonly Prompt[],
    decoding: Decoding,
    positions: number,
  ) {
    this.#session = session
    this.#config = config
    this.#prompts = prompts
    this.#caches = new Caches(config)
    const { greedy, inverseTemperature, topP } = drawSettings(decoding)
    this.#greedy = greedy
    const { cos, sin } = ropeTables(config, positions)
    const table = [positions, config.headDim / 2]
    this.#always = {
      cos: f32(table, cos),
      sin: f32(table, sin),
      inverseTemperature: f32([1], Float32Array.of(inverseTemperature)),
      greedy: { dtype: 'bool', shape: [1], data: Uint8Array.of(greedy ? 1 : 0) },
      ...(session.graph.inputs.some(({ name }) => name === 'topP') && {
        topP: f32([1], Float32Array.of(topP)),
      }),
    }
  }

  /** Brings the caches into the layout's shape and computes the prompts that are new in it. */
  async arrange(layout: Layout<Growing>, leastSlots: number, control: Control): Promise<void> {
    const slots = Math.max(layout.slots.length, leastSlots)
    const positions = layout.slots.map(({ prompt }) => this.#prompts[prompt]!.tokens.length - 1)
    const prompt = capacity(Math.max(...positions))
    const own = capacity(
      Math.max(...layout.slots.flatMap(({ rows }) => rows.map((row) => row?.tokens.length ?? 0))),
    )
    const held = this.#caches.shape
    const origins = this.#origins(layout, slots)
    if (
      held.slots !== slots ||
      held.rows !== layout.rows ||
      held.prompt < prompt ||
      held.own < own ||
      held.own > 4 * own ||
      origins.rows.some((origin, row) => origin >= 0 && origin !== row)
    ) {
      this.#caches.arrange({ slots, rows: layout.rows, prompt, own }, origins)
      this.#held = origins.slots.map((slot) => (slot < 0 ? -1 : this.#held[slot]!))
    }
    this.#layout = layout
    await this.#prefill(control)
    this.#cacheFeeds = this.#caches.feeds()
  }

  /** Draws one token for every live row; finished rows become idle and are returned. Throws NonFiniteLogits. */
  async decode(): Promise<Growing[]> {
    const { rows: size, slots } = this.#layout
    const { slots: n, prompt, own } = this.#caches.shape
    const rows = n * size
    const length = prompt + own + 1
    const token = new BigInt64Array(rows)
    const position = new BigInt64Array(rows)
    const uniform = new Float32Array(rows)
    const mask = new Float32Array(rows * length).fill(masked)
    for (let row = 0; row < rows; row++) mask[(row + 1) * length - 1] = 0 // every row sees its new token
    this.#each((growing, row) => {
      const { tokens } = this.#prompts[growing.prompt]!
      const [before, grown] = [tokens.length - 1, growing.tokens.length]
      token[row] = BigInt(growing.tokens.at(-1) ?? tokens.at(-1)!)
      position[row] = BigInt(before + grown)
      if (!this.#greedy) uniform[row] = growing.uniform
      mask.fill(0, row * length, row * length + before)
      mask.fill(0, row * length + prompt, row * length + prompt + grown)
    })
    const shape = { slots: n, rows: size, tokens: 1 }
    const { drawn, logprob, created } = await this.#run(
      shape,
      token,
      position,
      uniform,
      mask,
      this.#cacheFeeds,
    )
    const at = new Int32Array(rows).fill(-1)
    const finished: Growing[] = []
    this.#each((growing, row) => {
      at[row] = growing.tokens.length
      const token = this.#drawn(growing, Number(drawn[row]!), logprob[row]!)
      if (!growing.push(token, logprob[row]!)) return
      at[row] = -1
      finished.push(growing)
      slots[Math.floor(row / size)]!.rows[row % size] = null
    })
    const needed = Math.max(...at) + 1
    if (needed > own) {
      // An eighth more at a time: copies stay small beside what attention reads, and little is masked in vain.
      this.#caches.grow(capacity(Math.max(needed, own + own / 8)))
      this.#cacheFeeds = this.#caches.feeds()
    }
    this.#caches.writeOwn(created, at)
    return finished
  }

  /** The token, if it was drawn from numbers: one logit that is none leaves no row's log-probability finite. */
  #drawn(growing: Growing, token: number, logprob: number): number {
    const { vocabulary } = this.#config
    if (logprob > -Infinity && logprob <= mostLogprob && token >= 0 && token < vocabulary) return token
    const { prompt, sample, tokens } = growing
    const { problem } = this.#prompts[prompt]!.at
    throw new NonFiniteLogits(
      `sample: prompt ${prompt}${problem === undefined ? '' : ` (problem ${problem})`}, sample ${sample}, ` +
        `token ${tokens.length}: expected a token in 0..${vocabulary - 1} with a finite log-probability, ` +
        `found token ${token} with ${logprob}`,
    )
  }

  #each(visit: (growing: Growing, row: number) => void): void {
    for (const [slot, { rows }] of this.#layout.slots.entries())
      for (const [i, growing] of rows.entries()) if (growing) visit(growing, slot * this.#layout.rows + i)
  }

  /** Where each slot's prompt and each row's own tokens lie now. */
  #origins(layout: Layout<Growing>, slots: number): Origins {
    const at = new Map<Growing, number>()
    this.#each((growing, row) => at.set(growing, row))
    return {
      slots: Array.from({ length: slots }, (_, slot) => {
        const prompt = layout.slots[slot]?.prompt
        if (prompt === undefined) return -1
        return this.#held[slot] === prompt ? slot : this.#held.indexOf(prompt)
      }),
      rows: Array.from({ length: slots * layout.rows }, (_, row) => {
        const growing = layout.slots[Math.floor(row / layout.rows)]?.rows[row % layout.rows]
        return growing ? (at.get(growing) ?? -1) : -1
      }),
    }
  }

  /** Keys and values of the prompts whose slots do not hold them yet, in runs of equal length. */
  async #prefill(control: Control): Promise<void> {
    const byLength = new Map<number, Map<number, number[]>>() // length → prompt → its slots
    for (const [slot, { prompt }] of this.#layout.slots.entries()) {
      if (this.#held[slot] === prompt) continue
      this.#held[slot] = prompt
      const length = this.#prompts[prompt]!.tokens.length - 1
      const prompts = byLength.get(length) ?? new Map<number, number[]>()
      prompts.set(prompt, [...(prompts.get(prompt) ?? []), slot])
      if (length > 0) byLength.set(length, prompts)
    }
    for (const [length, prompts] of byLength) {
      const all = [...prompts]
      const size = Math.max(1, Math.floor(prefillTokens / length))
      for (let first = 0; first < all.length; first += size) {
        await setImmediate()
        control.signal.throwIfAborted()
        const batch = all.slice(first, first + size)
        const created = await this.#runPrompts(
          batch.map(([prompt]) => prompt),
          length,
        )
        for (const [i, [, slots]] of batch.entries())
          for (const slot of slots) this.#caches.writePrompt(slot, created, i, length)
      }
    }
  }

  /** Keys and values of the first `length` tokens of each prompt, [prompts, KV, 1, length, D]. */
  async #runPrompts(prompts: readonly number[], length: number): Promise<Created> {
    // A lone key head would be one product for all its queries, where several are a product each.
    const n = Math.max(prompts.length, Math.ceil(2 / this.#config.kvHeads))
    const before = 2 * laneWidth // the empty caches' positions
    const token = new BigInt64Array(n * length)
    const position = new BigInt64Array(n * length)
    const mask = new Float32Array(n * length * (before + length)).fill(masked)
    for (const [i, prompt] of prompts.entries())
      for (let t = 0; t < length; t++) {
        const row = i * length + t
        token[row] = BigInt(this.#prompts[prompt]!.tokens[t]!)
        position[row] = BigInt(t)
        const start = row * (before + length) + before
        mask.fill(0, start, start + t + 1)
      }
    const shape = { slots: n, rows: 1, tokens: length }
    const feeds = emptyFeeds(this.#config, n)
    return (await this.#run(shape, token, position, new Float32Array(n), mask, feeds)).created
  }

  /** The results last until the next run. */
  async #run(
    shape: RunShape,
    token: BigInt64Array,
    position: BigInt64Array,
    uniform: Float32Array,
    mask: Float32Array,
    caches: Record<string, Tensor>,
  ): Promise<Results> {
    const { slots, rows, tokens } = shape
    const all = slots * rows
    const last = BigInt64Array.from({ length: all }, (_, row) => BigInt((row + 1) * tokens - 1))
    const { shape: held } = this.#results ?? {}
    if (held?.slots !== slots || held.rows !== rows || held.tokens !== tokens)
      this.#results = resultsOf(this.#config, shape)
    const results = this.#results!
    const feeds = {
      ...this.#always,
      ...caches,
      token: i64([all * tokens, 1], token),
      position: i64([all * tokens, 1], position),
      last: i64([all], last),
      uniform: f32([all, 1], uniform),
      mask: f32([slots, 1, 1, rows, tokens, mask.length / (all * tokens)], mask),
    }
    await this.#session.runInto(feeds, results.into)
    return results
  }
}

function resultsOf({ layers, kvHeads, headDim }: ModelConfig, shape: RunShape): Results {
  const { slots, rows, tokens } = shape
  const all = slots * rows
  const [drawn, logprob] = [new BigInt64Array(all), new Float32Array(all)]
  const into: Record<string, Tensor> = { drawn: i64([all], drawn), logprob: f32([all], logprob) }
  const created = Array.from({ length: layers }, (_, layer) => {
    const one = (name: string): Float32Array => {
      const data = new Float32Array(all * tokens * kvHeads * headDim)
      into[`${name}${layer}`] = f32([slots, kvHeads, 1, rows, tokens, headDim], data)
      return data
    }
    return [one('newKeys'), one('newValues')] as const
  })
  return { shape, drawn, logprob, created, into }
}

function i64(shape: readonly number[], data: BigInt64Array): Tensor {
  return { dtype: 'i64', shape, data }
}

function f32(shape: readonly number[], data: Float32Array): Tensor {
  return { dtype: 'f32', shape, data }
}

/** Positions, rounded up to a capacity. */
function capacity(positions: number): number {
  return Math.max(1, Math.ceil(positions / laneWidth)) * laneWidth
}
