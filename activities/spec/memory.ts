/**
 * What sampling and an update hold in memory, by parts, as bytes of float32 arrays: a function of the model's
 * configuration and of shapes. What is exact is what policy/ allocates (caches.ts, passes.ts, parameters.ts, microbatch.ts);
 * a layer's intermediates are counted along its backward graph, where the runtime frees what nobody reads any more. Left
 * out: the process itself (`processBytes`), sessions, and what the allocator keeps.
 */
import type { Optimizer } from '../contracts.ts'
import { tensorShapes, type ModelConfig } from '../policy/config.ts'

export interface Part {
  readonly what: string
  readonly bytes: number
}

export const bytesOf = (parts: readonly Part[]): number => parts.reduce((sum, { bytes }) => sum + bytes, 0)

/** Measured: a compute worker of a small model, after its first step. */
export const processBytes = 250 * 2 ** 20

/** Of all tensors, without walking through the layers: a configuration may claim any number of them. */
export function parametersOf(config: ModelConfig): number {
  const count = (layers: number) =>
    [...tensorShapes({ ...config, layers }).values()].reduce(
      (sum, shape) => sum + shape.reduce((n, d) => n * d, 1),
      0,
    )
  const outside = count(0)
  return outside + config.layers * (count(1) - outside)
}

/** Bytes of one position's keys and values in all layers. */
export const positionBytes = ({ layers, kvHeads, headDim }: ModelConfig): number =>
  8 * layers * kvHeads * headDim

export interface Drawn {
  readonly promptTokens: number
  /** The most that a completion may have. */
  readonly maxTokens: number
  /** Of the shard. */
  readonly completions: number
}

/** Positions that a completion can take. */
export const completionTokens = ({ maxPositions }: ModelConfig, { promptTokens, maxTokens }: Drawn): number =>
  Math.max(1, Math.min(maxTokens, maxPositions - promptTokens))

/** The sampler's own bounds (policy/generation.ts): its fewest rows and slots, whatever they take, and its most rows. */
export function samplerBounds(config: ModelConfig, drawn: Drawn, threads: number) {
  const { heads, kvHeads } = config
  const least = heads > kvHeads ? 1 : 2
  const row = positionBytes(config) * (drawn.promptTokens + completionTokens(config, drawn))
  return {
    least,
    slots: Math.ceil(Math.max(2, threads) / kvHeads),
    most: Math.max(least, Math.min(256, Math.floor(2 ** 31 / row))),
    rowBytes: row,
  }
}

/** The least that a shard is sampled with, when its completions are as long as they may be. */
export function samplingParts(config: ModelConfig, drawn: Drawn, threads: number): Part[] {
  const { least, slots } = samplerBounds(config, drawn, threads)
  const own = completionTokens(config, drawn)
  return [
    { what: 'weights', bytes: 4 * parametersOf(config) },
    {
      what: `keys and values of ${slots * least} rows`,
      bytes: positionBytes(config) * slots * (drawn.promptTokens + least * own),
    },
    { what: `${drawn.completions} completions`, bytes: rolloutBytes * drawn.completions * own },
  ]
}

/** A token of a rollout in memory: its id and its log-probability. */
export const rolloutBytes = 16

/** The shape of a micro-batch (policy/microbatch.ts). */
export interface Padded {
  readonly prompts: number // U
  readonly promptTokens: number // P
  readonly rows: number // B
  readonly tokens: number // T
}

/** What one micro-batch's forward and backward pass holds at once. */
export function activationBytes(
  config: ModelConfig,
  { prompts, promptTokens, rows, tokens }: Padded,
): number {
  const { layers, width, hidden, heads, kvHeads, headDim } = config
  const all = prompts * promptTokens + rows * tokens // M
  const held = layers * all * width
  const layer = all * (8 * hidden + 12 * width + 6 * heads * headDim + 8 * kvHeads * headDim)
  // Scores, masked scores, their softmax, and the gradients of the latter two.
  const pairs = rows * tokens * (promptTokens + tokens) + prompts * promptTokens ** 2
  const masks = rows * tokens * (promptTokens + tokens) + promptTokens ** 2
  const logits = 3 * 2 ** 20
  return 4 * (held + layer + 5 * heads * pairs + masks + logits)
}

/** What an optimizer remembers. */
export const optimizerBytes = (config: ModelConfig, optimizer: Optimizer['name']): number =>
  optimizer === 'adamw' ? 8 * parametersOf(config) : 0

/** An update's arrays; `largest` is its largest micro-batch. */
export function updateParts(config: ModelConfig, optimizer: Optimizer['name'], largest: Padded): Part[] {
  const weights = 4 * parametersOf(config)
  return [
    { what: 'weights', bytes: weights },
    { what: 'gradients', bytes: weights },
    { what: 'optimizer state', bytes: optimizerBytes(config, optimizer) },
    {
      what: `a micro-batch of ${largest.prompts} prompts of ${largest.promptTokens} and ${largest.rows} completions of ${largest.tokens} tokens`,
      bytes: activationBytes(config, largest),
    },
  ]
}

/** The micro-batch that a budget of tokens is filled with, where all completions have one length and whole groups fit. */
export function fullMicrobatch(
  { promptTokens, tokens }: Pick<Padded, 'promptTokens' | 'tokens'>,
  group: number,
  minibatch: number,
  budget: number,
): Padded {
  const rowsOf = (prompts: number) => Math.floor((budget - prompts * promptTokens) / tokens)
  let prompts = 1
  while (rowsOf(prompts + 1) > prompts * group && prompts < Math.ceil(minibatch / group)) prompts += 1
  return {
    prompts,
    promptTokens,
    rows: Math.max(1, Math.min(prompts * group, minibatch, rowsOf(prompts))),
    tokens,
  }
}
