/**
 * A policy that learns: weights, what the optimizer remembers, and the two things done with them, optimizer steps and
 * log-probabilities of given completions. Sessions block their thread, so a trainer lives in a worker thread; between
 * layers it lets messages arrive, reports progress and stops when told to.
 *
 * Same arguments, same bits: micro-batches, sums and updates have one fixed order. A step that is stopped or refused
 * (NonFiniteLoss) leaves weights and moments as they were after an earlier minibatch, or not finite: a trainer that
 * threw is to be released.
 */
import { setImmediate } from 'node:timers/promises'
import type { Objective, Optimizer } from '../contracts.ts'
import {
  NonFiniteLogits,
  NonFiniteLoss,
  type Control,
  type Minibatch,
  type MinibatchSums,
  type Progress,
  type Sequence,
} from '../engine/port.ts'
import { microbatches } from '../grpo/batch.ts'
import { Tally, tokenWeights } from '../grpo/objective.ts'
import { tensorShapes, type ModelConfig } from './config.ts'
import { nonFiniteState, nonFiniteSum } from './finite.ts'
import { layOut, requireIds, type Microbatch } from './microbatch.ts'
import type { OpenPolicy } from './open.ts'
import { optimizerStep, type Moments } from './optimize.ts'
import { Gradients, Parameters } from './parameters.ts'
import type { Targets } from './ending.ts'
import { Passes, type PassesOptions, type Pause } from './passes.ts'
import { CorruptModel, readTensor, type NamedTensor, type StoredTensor } from './safetensors.ts'
import type { OptimizerState, StoredOptimizerState } from './state.ts'

/** Tokens computed at once when scoring, with padding. */
const SCORE_TOKENS = 4096

export class Trainer {
  readonly #config: ModelConfig
  readonly #parameters: Parameters
  readonly #passes: Passes
  readonly #moments: Moments
  #updates: number
  /** Only while something learns: the sampler takes the place in between. */
  #gradients: Gradients | null = null

  private constructor(
    config: ModelConfig,
    parameters: Parameters,
    moments: Moments,
    updates: number,
    options: PassesOptions,
  ) {
    this.#config = config
    this.#parameters = parameters
    this.#moments = moments
    this.#updates = updates
    this.#passes = new Passes(config, parameters, options)
  }

  /** Reads all weights as float32, and the moments where there are any. */
  static async open(
    { config, tensors }: Pick<OpenPolicy, 'config' | 'tensors'>,
    state: StoredOptimizerState | null,
    options: PassesOptions,
  ): Promise<Trainer> {
    const parameters = await read(config, tensors, '')
    const stored = state !== null && state.moments.size > 0
    const moments: Moments = {
      m: stored ? (await read(config, state.moments, 'm.')).data : new Float32Array(0),
      v: stored ? (await read(config, state.moments, 'v.')).data : new Float32Array(0),
    }
    return new Trainer(config, parameters, moments, state?.updates ?? 0, options)
  }

  /** One optimizer step a minibatch, in order. */
  async update(
    minibatches: readonly Minibatch[],
    objective: Objective,
    optimizer: Optimizer,
    { microbatchTokens }: { readonly microbatchTokens: number },
    control: Control,
  ): Promise<MinibatchSums[]> {
    for (const { sequences } of minibatches) requireIds(sequences, this.#config.vocabulary)
    const cuts = minibatches.map(({ sequences }) => microbatches(sequences, microbatchTokens))
    const runs = cuts.reduce((sum, cut) => sum + cut.length, 0) * Passes.steps(this.#config, true)
    const pause = pauses(control, 'update', runs)
    const sums: MinibatchSums[] = []
    for (const [i, { sequences, learningRate = optimizer.learningRate }] of minibatches.entries()) {
      const { tally, gradients } = await this.#differentiate(sequences, cuts[i]!, objective, pause)
      const norm = gradients.norm()
      const refuse = (expected: string, found: string) =>
        new NonFiniteLoss(
          `update: minibatch ${i} of ${minibatches.length}, expected ${expected}, found ${found}`,
          i,
        )
      if (!Number.isFinite(tally.loss) || !Number.isFinite(norm))
        throw refuse('a finite loss and gradient', `loss ${tally.loss}, gradient norm ${norm}`)
      const own = tally.sums(norm, learningRate)
      const wild = nonFiniteSum(own)
      if (wild !== null) throw refuse('finite metrics', wild)
      const step = { updates: this.#updates + 1, norm, learningRate }
      if (!optimizerStep(optimizer, this.#parameters.data, gradients.data, this.#moments, step))
        throw refuse(
          `finite weights and optimizer state after a step at learning rate ${learningRate}`,
          nonFiniteState(this.#parameters, this.#moments) ?? 'some that are not',
        )
      this.#updates += 1
      sums.push(own)
    }
    this.#gradients = null
    return sums
  }

  /** log π of each completion's tokens, at temperature 1. Throws NonFiniteLogits. */
  async score(sequences: readonly Sequence[], control: Control): Promise<Float32Array[]> {
    requireIds(sequences, this.#config.vocabulary)
    const cuts = microbatches(sequences, SCORE_TOKENS)
    const pause = pauses(control, 'score', cuts.length * Passes.steps(this.#config, false))
    const scores: Float32Array[] = []
    for (const cut of cuts) {
      const found = await this.#score(sequences, cut, pause)
      if (!found.every((own) => own.every(Number.isFinite)))
        throw await this.#unscorable(sequences, cut, control)
      for (const [i, place] of cut.entries()) scores[place] = found[i]!
    }
    return scores
  }

  /** Of the sequences at some places, in that order. */
  async #score(
    sequences: readonly Sequence[],
    places: readonly number[],
    pause: Pause,
  ): Promise<Float32Array[]> {
    const batch = layOut(sequences, places)
    const h = await this.#passes.forward(batch, pause)
    const { logprobs } = await this.#passes.ending.score(batch, h, targetIds(sequences, batch))
    let start = 0
    const scores = batch.lengths.map((length) => logprobs.slice(start, (start += length)))
    await pause()
    return scores
  }

  /** Whose score it is that is not finite: masked, it still makes those of others beside it so, but not the reverse. */
  async #unscorable(
    sequences: readonly Sequence[],
    places: readonly number[],
    control: Control,
  ): Promise<NonFiniteLogits> {
    const pause = pauses(control, 'score', places.length * Passes.steps(this.#config, false))
    for (const place of places) {
      const [own] = await this.#score(sequences, [place], pause)
      const wrong = own!.find((logprob) => !Number.isFinite(logprob))
      if (wrong !== undefined)
        return new NonFiniteLogits(
          `score: sequence ${place}: expected finite log-probabilities, found ${wrong}`,
        )
    }
    return new NonFiniteLogits(`score: sequences ${places.join(', ')}: log-probabilities that are not finite`)
  }

  /** Loss and gradient of a minibatch: what `update` computes before the optimizer's step. For tests and inspection. */
  async differentiate(
    sequences: readonly Sequence[],
    objective: Objective,
    microbatchTokens: number,
    control: Control,
  ): Promise<{ readonly sums: MinibatchSums; readonly gradients: readonly NamedTensor[] }> {
    const cut = microbatches(sequences, microbatchTokens)
    const pause = pauses(control, 'update', cut.length * Passes.steps(this.#config, true))
    const { tally, gradients } = await this.#differentiate(sequences, cut, objective, pause)
    return { sums: tally.sums(gradients.norm(), 0), gradients: gradients.tensors() }
  }

  /** Views of the weights: they change with the next update. */
  weights(): NamedTensor[] {
    return this.#parameters.tensors()
  }

  optimizerState(): OptimizerState {
    const { m, v } = this.#moments
    const shapes = tensorShapes(this.#config)
    const named = (data: Float32Array, prefix: string): NamedTensor[] =>
      new Parameters(shapes, data).tensors().map((t) => ({ ...t, name: prefix + t.name }))
    return { updates: this.#updates, moments: m.length === 0 ? [] : [...named(m, 'm.'), ...named(v, 'v.')] }
  }

  /** The trainer is of no further use. */
  release(): void {
    this.#passes.release()
  }

  async #differentiate(
    sequences: readonly Sequence[],
    cut: readonly (readonly number[])[],
    objective: Objective,
    pause: Pause,
  ): Promise<{ tally: Tally; gradients: Gradients }> {
    const gradients = (this.#gradients ??= new Gradients(tensorShapes(this.#config)))
    gradients.reset()
    const weights = tokenWeights(sequences, objective)
    const tally = new Tally()
    tally.sequences = sequences.length
    for (const places of cut) {
      const batch = layOut(sequences, places)
      const targets = targetsOf(sequences, batch, weights)
      const { h, inputs } = await this.#passes.record(batch, pause)
      const { logprobs, entropies, dh } = await this.#passes.ending.learn(
        batch,
        h,
        targets,
        objective,
        gradients,
      )
      for (let i = 0; i < logprobs.length; i++)
        tally.add(objective, {
          logprob: logprobs[i]!,
          entropy: entropies[i]!,
          old: targets.old[i]!,
          advantage: targets.advantage[i]!,
          weight: targets.weight[i]!,
        })
      await pause()
      await this.#passes.backward(batch, inputs, dh, gradients, pause)
    }
    return { tally, gradients }
  }
}

/** Weights, or moments under their prefix, from their files. */
async function read(
  config: ModelConfig,
  tensors: ReadonlyMap<string, StoredTensor>,
  prefix: string,
): Promise<Parameters> {
  const parameters = new Parameters(tensorShapes(config))
  for (const { name, shape } of parameters.places.values()) {
    const stored = tensors.get(prefix + name)
    if (!stored || stored.sizeBytes === 0 || stored.shape.join() !== shape.join())
      throw new CorruptModel(
        `tensor ${prefix}${name}: expected [${shape.join(',')}], found ${stored ? `[${stored.shape.join(',')}]` : 'in no file'}`,
      )
    parameters.view(name).set(await readTensor(stored))
  }
  return parameters
}

/** Called after each of `total` runs: lets messages in, stops if told to, says how far it is. */
function pauses(control: Control, phase: Progress['phase'], total: number): Pause {
  let done = 0
  control.signal.throwIfAborted()
  return async () => {
    await setImmediate()
    control.signal.throwIfAborted()
    done += 1
    control.progress({ phase, done, total })
  }
}

function targetIds(sequences: readonly Sequence[], { places }: Microbatch): Int32Array {
  return Int32Array.from(places.flatMap((place) => sequences[place]!.completion))
}

function targetsOf(sequences: readonly Sequence[], batch: Microbatch, weights: readonly number[]): Targets {
  const perToken = (value: (s: Sequence, t: number, place: number) => number): Float32Array =>
    Float32Array.from(
      batch.places.flatMap((place) => {
        const sequence = sequences[place]!
        return sequence.completion.map((_, t) => value(sequence, t, place))
      }),
    )
  return {
    ids: targetIds(sequences, batch),
    // What nll learns from has no sampler behind it.
    old: perToken(({ logprobs }, t) => logprobs[t] ?? 0),
    advantage: perToken(({ advantage }) => advantage),
    weight: perToken((_s, _t, place) => weights[place]!),
  }
}
