/**
 * Whether what is about to be computed fits this worker's memory: asked before anything is, of shapes that are known by
 * then. What is counted are arrays that must exist at the same time (spec/memory.ts); with `certain` of them beyond the
 * memory there is, the kernel would end the worker, again and again. What only might not fit is begun.
 */
import { availableParallelism, totalmem } from 'node:os'
import type { Optimizer, Policy } from './contracts.ts'
import type { Deps } from './deps.ts'
import type { Control, Minibatch, Sequence } from './engine/port.ts'
import { microbatches } from './grpo/batch.ts'
import { UnsupportedModel, type ModelConfig } from './policy/config.ts'
import { readConfig } from './policy/open.ts'
import {
  activationBytes,
  bytesOf,
  samplingParts,
  updateParts,
  type Drawn,
  type Padded,
  type Part,
} from './spec/memory.ts'
import type { Worker } from './spec/plan.ts'
import { sizeOf } from './spec/shown.ts'

/** What no attempt on this worker can compute, and what would fit. */
export class DoesNotFit extends Error {
  override readonly name = 'DoesNotFit'
}

/** Of the counted bytes: counts along a graph may be a little too high, and a machine may swap a little. */
const certain = 0.8

export const machineOf = ({ machine }: Deps): Worker =>
  machine ?? { threads: availableParallelism(), memoryBytes: totalmem() }

type Stop = Pick<Control, 'signal'>

/** Throws DoesNotFit unless the fewest rows fit with completions as long as they may be. */
export async function requireSampling(
  deps: Deps,
  policy: Policy,
  drawn: Drawn,
  control: Stop,
): Promise<void> {
  if (deps.machine === undefined) return
  const { threads, memoryBytes } = deps.machine
  const config = await configOfPolicy(deps, policy, control)
  const partsAt = (maxTokens: number) => samplingParts(config, { ...drawn, maxTokens }, threads)
  const parts = partsAt(drawn.maxTokens)
  if (fits(parts, memoryBytes)) return
  const tokens = largest(drawn.maxTokens, (n) => fits(partsAt(n), memoryBytes))
  const advice =
    tokens === 0 ? 'no number of tokens would fit' : `at most ${tokens} tokens (maxTokens) would fit`
  throw refusal(
    `sampling ${drawn.completions} completions of at most ${drawn.maxTokens} tokens`,
    parts,
    memoryBytes,
    advice,
  )
}

export interface Update {
  readonly minibatches: readonly Minibatch[]
  readonly microbatchTokens: number
  readonly optimizer: Optimizer['name']
}

/** Throws DoesNotFit unless the largest micro-batch of these very sequences fits. */
export async function requireUpdate(
  deps: Deps,
  policy: Policy,
  update: Update,
  control: Stop,
): Promise<void> {
  if (deps.machine === undefined) return
  const { memoryBytes } = deps.machine
  const config = await configOfPolicy(deps, policy, control)
  const { minibatches, microbatchTokens, optimizer } = update
  const partsAt = (budget: number) => updateParts(config, optimizer, largestOf(config, minibatches, budget))
  const parts = partsAt(microbatchTokens)
  if (fits(parts, memoryBytes)) return
  const what = `an update in micro-batches of ${microbatchTokens} tokens`
  for (let budget = Math.floor(microbatchTokens / 2); budget >= 1; budget = Math.floor(budget / 2))
    if (fits(partsAt(budget), memoryBytes))
      throw refusal(what, parts, memoryBytes, `batch.microbatchTokens ${budget} would fit`)
  const single = (tokens: number): Padded => ({ prompts: 1, promptTokens: 1, rows: 1, tokens })
  const longest = largest(microbatchTokens, (n) =>
    fits(updateParts(config, optimizer, single(n)), memoryBytes),
  )
  const advice =
    longest === 0
      ? 'no micro-batch would fit'
      : `one completion of ${longest} tokens would fit (sampling.maxTokens)`
  throw refusal(what, parts, memoryBytes, advice)
}

/** The configuration in a policy's files, read once: training changes only weights. */
export async function configOfPolicy(deps: Deps, { files }: Policy, { signal }: Stop): Promise<ModelConfig> {
  const file = files.find(({ name }) => name === 'config.json')
  if (file === undefined) throw new UnsupportedModel('a policy without config.json')
  const { digest, sizeBytes } = file
  const known = configs.get(digest)
  if (known !== undefined) return known
  const path = await deps.blobs.file({ digest, sizeBytes }, { signal })
  const config = await readConfig([{ name: 'config.json', path }])
  if (configs.size >= 64) configs.clear()
  configs.set(digest, config)
  return config
}
const configs = new Map<string, ModelConfig>()

const fits = (parts: readonly Part[], memoryBytes: number) => certain * bytesOf(parts) <= memoryBytes

function refusal(what: string, parts: readonly Part[], memoryBytes: number, advice: string): DoesNotFit {
  const named = parts.filter(({ bytes }) => bytes > 0).map((part) => `${part.what} ${sizeOf(part.bytes)}`)
  return new DoesNotFit(
    `${what} needs about ${sizeOf(bytesOf(parts))} (${named.join(', ')}), this worker has ${sizeOf(memoryBytes)}; ${advice}`,
  )
}

/** The largest count up to `most` that fits, 0 where none does; what fits at one fits below it. */
function largest(most: number, isFit: (count: number) => boolean): number {
  let [low, high] = [0, most]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (isFit(middle)) low = middle
    else high = middle - 1
  }
  return low
}

/** The micro-batch that takes the most, as the trainer will cut them. */
function largestOf(config: ModelConfig, minibatches: readonly Minibatch[], budget: number): Padded {
  let found: Padded = { prompts: 0, promptTokens: 1, rows: 0, tokens: 0 }
  for (const { sequences } of minibatches)
    for (const places of microbatches(sequences, budget)) {
      const shape = shapeOf(places.map((place) => sequences[place]!))
      if (activationBytes(config, shape) > activationBytes(config, found)) found = shape
    }
  return found
}

function shapeOf(sequences: readonly Sequence[]): Padded {
  const longest = (of: (sequence: Sequence) => number) =>
    sequences.reduce((most, one) => Math.max(most, of(one)), 1)
  return {
    prompts: new Set(sequences.map(({ group }) => group)).size,
    promptTokens: longest(({ prompt }) => prompt.length - 1),
    rows: sequences.length,
    tokens: longest(({ completion }) => completion.length),
  }
}
