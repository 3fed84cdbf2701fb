/**
 * Sampling: prompts in, completions out as they finish. Runs inside of a worker thread, because a session's run blocks;
 * between steps it yields to the event loop, so that an abort arrives within one step.
 *
 * Prefill computes the keys and values of a prompt's first P - 1 tokens; the last one is the first input of each of
 * its rows, so that every drawn token comes out of the same graph. The trainer cuts there too. A sample's tokens and
 * log-probabilities depend on the policy, its prompt and its stream only, bit for bit, never on what shares its batch:
 * weights are prepacked, no product has one row where another batch has two, capacities are multiples of the vector
 * width, and there are no fewer slots x key heads than threads, so that no single product is cut between threads.
 */
import { setImmediate } from 'node:timers/promises'
import type { Completion, Control, Decoding, Prompt } from '../engine/port.ts'
import { openSession, type Session } from '../onnx/session.ts'
import { Growing } from './completion.ts'
import { forwardGraph } from './forward.ts'
import { isRow } from './microbatch.ts'
import type { OpenPolicy } from './open.ts'
import { CorruptModel } from './safetensors.ts'
import { nextLayout, type Layout, type Limits, type Waiting } from './schedule.ts'
import { Steps } from './steps.ts'
import { openTokenizer, PromptTooLong, type Tokenizer } from './tokenizer.ts'

export interface SamplerOptions {
  readonly threads: number
  /** Most rows in one step (default 256) and most bytes of their caches when all grow to the limit (default 2 GiB). */
  readonly rows?: number
  readonly cacheBytes?: number
}

/** A prompt that the tokenizer makes nothing of: there is no token to continue. */
export class EmptyPrompt extends Error {
  override readonly name = 'EmptyPrompt'
}

export class Sampler {
  readonly #policy: OpenPolicy
  readonly #options: SamplerOptions
  readonly #tokenizer: Tokenizer
  #session: { readonly nucleus: boolean; readonly session: Session } | null = null

  private constructor(policy: OpenPolicy, tokenizer: Tokenizer, options: SamplerOptions) {
    this.#policy = policy
    this.#tokenizer = tokenizer
    this.#options = options
  }

  static async open(policy: OpenPolicy, options: SamplerOptions): Promise<Sampler> {
    const sampler = new Sampler(policy, await openTokenizer(policy.files), options)
    await sampler.#opened(false)
    return sampler
  }

  async *sample(
    prompts: readonly Prompt[],
    decoding: Decoding,
    control: Control,
  ): AsyncGenerator<Completion> {
    const { config } = this.#policy
    this.#check(prompts)
    control.signal.throwIfAborted()
    const session = await this.#opened(decoding.topP < 1 && decoding.temperature > 0)
    const { maxPositions } = config
    const longest = Math.max(...prompts.map(({ tokens }) => tokens.length), 0)
    const positions = Math.min(maxPositions, longest + decoding.maxTokens)
    const steps = new Steps(session, config, prompts, decoding, positions)
    const waiting: Waiting = new Map()
    for (const [i, { samples }] of prompts.entries()) if (samples.length > 0) waiting.set(i, [...samples])
    const limits = this.#limits(prompts, positions)
    const start = (prompt: number, sample: number) => {
      const { tokens, at } = prompts[prompt]!
      // A completion ends where the model's positions do, cut off as by its own limit.
      const maxTokens = Math.min(decoding.maxTokens, maxPositions - tokens.length)
      return new Growing(at, prompt, sample, { ...decoding, maxTokens }, config.endTokens, this.#tokenizer)
    }
    const total = prompts.reduce((n, { samples }) => n + samples.length, 0)
    let layout: Layout<Growing> = { rows: limits.rowsPerSlot[1], slots: [] }
    for (let done = 0; done < total;) {
      layout = nextLayout(layout, waiting, limits, start)
      await steps.arrange(layout, limits.slots, control)
      let finished: Growing[] = []
      while (finished.length === 0) {
        await setImmediate()
        control.signal.throwIfAborted()
        finished = await steps.decode()
        control.progress({ phase: 'sample', done, total })
      }
      for (const row of finished) {
        done++
        yield row.finish()
      }
    }
  }

  async release(): Promise<void> {
    await this.#session?.session.release()
    this.#session = null
  }

  /** The session of one variant; the other one leaves, since each holds all weights. */
  async #opened(nucleus: boolean): Promise<Session> {
    if (this.#session?.nucleus !== nucleus) {
      await this.release()
      const { threads } = this.#options
      const { weightsFolder } = this.#policy
      const graph = forwardGraph(this.#policy, { nucleus })
      // A step is hundreds of small nodes: threads that slept between them would lose a tenth of the time, or more.
      const session = await openSession(graph, { threads, weightsFolder, spinning: threads > 1 })
      this.#session = { nucleus, session }
    }
    return this.#session.session
  }

  #check(prompts: readonly Prompt[]): void {
    const { maxPositions, vocabulary } = this.#policy.config
    for (const [i, { tokens, at }] of prompts.entries()) {
      const place = `prompt ${i}${at.problem === undefined ? '' : ` (problem ${at.problem})`}`
      if (tokens.length >= maxPositions)
        throw new PromptTooLong(
          `${place}: expected fewer tokens than the model's ${maxPositions} positions, found ${tokens.length}`,
        )
      const wrong = tokens.find((token) => !isRow(token, vocabulary))
      if (wrong !== undefined)
        throw new CorruptModel(
          `${place}: the tokenizer knows id ${wrong}, the embedding has ${vocabulary} rows`,
        )
      if (tokens.length === 0) throw new EmptyPrompt(`${place}: expected at least one token, found none`)
    }
  }

  #limits(prompts: readonly Prompt[], positions: number): Limits {
    const { layers, heads, kvHeads, headDim } = this.#policy.config
    const { threads, rows = 256, cacheBytes = 2 ** 31 } = this.#options
    const rowBytes = 8 * layers * kvHeads * headDim * positions // as if it shared nothing
    const most = Math.max(1, Math.min(rows, Math.floor(cacheBytes / rowBytes)))
    const least = heads > kvHeads ? 1 : 2 // one query a key head would take the kernel for vectors
    const wanted = Math.max(...prompts.map(({ samples }) => samples.length), 0)
    return {
      rows: Math.max(most, least),
      rowsPerSlot: [least, Math.max(least, Math.min(wanted, most))],
      slots: Math.ceil(Math.max(2, threads) / kvHeads),
    }
  }
}
