/**
 * The engine's port: what placebo asks of whoever computes. A workflow never knows which engine answers.
 *
 * Policies and checkpoints are opaque references: a manifest of blobs for the embedded ONNX engine, or a remote URI
 * for a service (base model and adapter in it). The caller reads only their digests. Everything an engine returns
 * must be a function of its arguments; randomness arrives as stream coordinates, never as state.
 */
import type { Coordinates } from '../seed.ts'
import type { Checkpoint, Objective, Optimizer, Policy } from '../contracts.ts'

/** A request's lifeline: when to stop (at the next safe point) and whom to tell how far it is. */
export interface Control {
  readonly signal: AbortSignal
  progress(at: Progress): void
}

export interface Progress {
  readonly phase: 'load' | 'sample' | 'update' | 'score' | 'save'
  readonly done: number
  readonly total: number
}

/** How tokens are drawn. `temperature` 0 is greedy; `topP` 1 keeps the whole distribution. */
export interface Decoding {
  readonly temperature: number
  readonly topP: number
  readonly maxTokens: number
  /** Text that ends a completion; the text keeps it, and nothing after it is sampled. */
  readonly stop: readonly string[]
  /** Sample on past end tokens until maxTokens (benchmarks of exact length). */
  readonly ignoreEnd?: boolean
}

/** One prompt, computed once, and the samples wanted of it. */
export interface Prompt {
  readonly tokens: readonly number[]
  /** Coordinates of the prompt's streams; each sample adds its own number, each token its index. */
  readonly at: Omit<Coordinates, 'sample'>
  readonly samples: readonly number[]
}

export interface Completion {
  /** Index into the request's prompts. */
  readonly prompt: number
  readonly sample: number
  readonly tokens: readonly number[] // [T], the end token included when it was sampled
  readonly logprobs: readonly number[] // [T], log π(token) at temperature 1 over the whole vocabulary
  readonly text: string // decoded without special tokens
  readonly stop: 'end' | 'stop' | 'length'
}

/** A completion to learn from. Sequences with the same `group` have the same prompt, computed once. */
export interface Sequence {
  readonly group: string
  readonly prompt: readonly number[] // [P], P >= 1
  readonly completion: readonly number[] // [T], T >= 1
  readonly logprobs: readonly number[] // [T], log π_old; unused by the nll objective
  readonly advantage: number
}

/** One optimizer step: its sequences, and the learning rate if a schedule overrides the optimizer's. */
export interface Minibatch {
  readonly sequences: readonly Sequence[]
  readonly learningRate?: number
}

/** Sums over one minibatch, from which every logged metric is derived; plain numbers so that they add up. */
export interface MinibatchSums {
  readonly sequences: number
  readonly tokens: number
  readonly loss: number // the minibatch's loss, already averaged by the objective's denominator
  readonly gradNorm: number // before clipping
  readonly learningRate: number
  readonly entropy: number // Σ over tokens of the policy's entropy, nats
  readonly clipLow: number // tokens whose loss was cut at ratio < 1 - ε_low (advantage < 0)
  readonly clipHigh: number // tokens cut at ratio > 1 + ε_high (advantage > 0)
  readonly clipLowByDecile: readonly number[] // the same by decile of exp(logπ_old), 10 counts
  readonly clipHighByDecile: readonly number[]
  readonly tokensByDecile: readonly number[]
  readonly ratio: number // Σ over tokens of exp(logπ - logπ_old)
  readonly kl: number // Σ over tokens of the k3 estimate against the sampler's policy
  readonly logprobDifference: number // Σ over tokens of |logπ - logπ_old|
  readonly logprobDifferenceMax: number
}

export interface UpdatePlan {
  readonly lineage: string
  readonly microbatchTokens: number
  readonly store: Stored
}

/** What of a checkpoint goes to the store. What does not stays with the worker, and can be computed again. */
export type Stored = 'nothing' | 'weights' | 'weights and state'

export interface Engine {
  /** Names what results are comparable bit for bit: runtime, numerics version, device kind, instruction set. */
  readonly domain: string
  /** Seconds that this engine has computed since it was made; what waits for files, stores or servers is not in it. */
  readonly busySeconds: number
  /**
   * Yields each completion as it finishes; what was yielded is final. Order depends on lengths, never on timing. Refuses
   * to draw from logits that are not finite with NonFiniteLogits.
   */
  sample(
    policy: Policy,
    prompts: readonly Prompt[],
    decoding: Decoding,
    control: Control,
  ): AsyncIterable<Completion>
  /**
   * One optimizer step a minibatch, in order; `plan.lineage` becomes the result's. Refuses a non-finite loss,
   * gradient or result with NonFiniteLoss, and a checkpoint whose optimizer state is neither stored nor at hand with StateLost.
   */
  update(
    checkpoint: Checkpoint,
    minibatches: readonly Minibatch[],
    objective: Objective,
    optimizer: Optimizer,
    plan: UpdatePlan,
    control: Control,
  ): Promise<{ checkpoint: Checkpoint; sums: MinibatchSums[] }>
  /** log π of each completion's tokens, at temperature 1. Throws NonFiniteLogits where one is not finite. */
  score(policy: Policy, sequences: readonly Sequence[], control: Control): Promise<Float32Array[]>
  close(): Promise<void>
}

/** The optimizer's state of this checkpoint was never stored and is not in this process: replay to get it back. */
export class StateLost extends Error {
  override readonly name = 'StateLost'
}

/** A loss, a gradient, or weights or state after a step that are not finite: permanent, before anything is committed. */
export class NonFiniteLoss extends Error {
  override readonly name = 'NonFiniteLoss'
  readonly minibatch: number
  constructor(message: string, minibatch: number) {
    super(message)
    this.minibatch = minibatch
  }
}

/** Logits that are not finite, in sampling or scoring: permanent, for the policy gives the same again. */
export class NonFiniteLogits extends Error {
  override readonly name = 'NonFiniteLogits'
}
