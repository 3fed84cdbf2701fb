/**
 * One completion while it grows: its tokens, the uniform number of its next one, and when it ends. An end token comes
 * before a stop string, a stop string before the length. Both the end token and the stop string belong to it.
 */
import type { Completion, Decoding, Prompt } from '../engine/port.ts'
import { stream, type Stream } from '../seed.ts'
import type { TextStream, Tokenizer } from './tokenizer.ts'

export class Growing {
  readonly prompt: number
  readonly sample: number
  readonly tokens: number[] = []
  readonly #logprobs: number[] = []
  readonly #uniforms: Stream
  readonly #decoding: Decoding
  readonly #endTokens: readonly number[]
  readonly #tokenizer: Tokenizer
  readonly #text: TextStream | null
  /** The end of the text so far, as long as a stop string may begin in it. */
  #tail = ''
  #stop: Completion['stop'] | null = null

  constructor(
    at: Prompt['at'],
    prompt: number,
    sample: number,
    decoding: Decoding,
    endTokens: readonly number[],
    tokenizer: Tokenizer,
  ) {
    this.prompt = prompt
    this.sample = sample
    this.#uniforms = stream({ ...at, sample })
    this.#decoding = decoding
    this.#endTokens = decoding.ignoreEnd ? [] : endTokens
    this.#tokenizer = tokenizer
    this.#text = decoding.stop.length > 0 ? tokenizer.stream() : null
  }

  /** The number that the next token is drawn with. */
  get uniform(): number {
    return this.#uniforms.uniform(this.tokens.length)
  }

  /** Adds a token; true when it was the last. */
  push(token: number, logprob: number): boolean {
    this.tokens.push(token)
    this.#logprobs.push(logprob)
    if (this.#endTokens.includes(token)) this.#stop = 'end'
    else if (this.#stopped(token)) this.#stop = 'stop'
    else if (this.tokens.length === this.#decoding.maxTokens) this.#stop = 'length'
    return this.#stop !== null
  }

  #stopped(token: number): boolean {
    if (this.#text === null) return false
    const { stop } = this.#decoding
    const text = this.#tail + this.#text.push(token)
    this.#tail = text.slice(-Math.max(...stop.map((s) => s.length)))
    return stop.some((s) => text.includes(s))
  }

  finish(): Completion {
    if (this.#stop === null) throw new Error('finish: the completion has not ended')
    let text = this.#tokenizer.decode(this.tokens)
    if (this.#stop === 'stop') {
      // The token that completed the stop string may say more; the text ends with the string.
      const ends = this.#decoding.stop.flatMap((s) => (text.includes(s) ? [text.indexOf(s) + s.length] : []))
      text = text.slice(0, Math.min(...ends))
    }
    const { prompt, sample, tokens } = this
    return { prompt, sample, tokens, logprobs: this.#logprobs, text, stop: this.#stop }
  }
}
