/**
 * A micro-batch as the arrays its graphs take: U distinct prompts without their last token, padded to P; B rows whose
 * inputs are [the prompt's last token, y_1 … y_{T-1}] and whose targets are y_1 … y_T, padded to T. Tokens of prompts
 * come first, M = U·P + B·T. A micro-batch without prompt tokens has one masked token a prompt, P = 1.
 * Padding comes behind the tokens, where causal masks keep it from everything that counts.
 */
import type { Sequence } from '../engine/port.ts'
import type { Tensor } from '../onnx/session.ts'
import { CorruptModel } from './safetensors.ts'

/** Far below any score, far above float32's infinity: exp gives exactly 0. */
const HIDDEN = -1e9

export interface Microbatch {
  /** Every sequence's place in the minibatch, by row. */
  readonly places: readonly number[]
  /** Row b's tokens with a target lie at first[b] … first[b] + lengths[b] - 1 of the M tokens. */
  readonly first: readonly number[]
  readonly lengths: readonly number[]
  readonly tokens: Int32Array // [M], 0 where padded
  /** One more than the last position. */
  readonly positions: number
  /** Inputs of the layers' graphs beside h, rope tables and weights. */
  readonly feeds: Readonly<Record<'positions' | 'causal' | 'owner' | 'mask', Tensor>>
}

/** Throws CorruptModel for a token that the policy has no row for, and for a prompt or a completion without tokens. */
export function requireIds(sequences: readonly Sequence[], vocabulary: number): void {
  for (const [i, { prompt, completion }] of sequences.entries())
    for (const [what, tokens] of [
      ['prompt', prompt],
      ['completion', completion],
    ] as const) {
      // prettier-ignore
      const at = tokens.findIndex((token) => !isRow(token, vocabulary))
      if (at >= 0)
        throw new CorruptModel(
          `sequence ${i}: token ${at} of its ${what} has id ${tokens[at]}, the embedding has ${vocabulary} rows`,
        )
      if (tokens.length === 0) throw new CorruptModel(`sequence ${i}: its ${what} has no tokens`)
    }
}

/** Whether an embedding of that many rows has one for the token. */
export const isRow = (token: number, rows: number): boolean =>
  Number.isInteger(token) && token >= 0 && token < rows

export function layOut(sequences: readonly Sequence[], places: readonly number[]): Microbatch {
  const rows = places.map((place) => sequences[place]!)
  const prompts = promptsOf(rows)
  const contexts = prompts.tokens.map((prompt) => prompt.length - 1)
  const [U, B] = [contexts.length, rows.length]
  const [P, T] = [Math.max(1, ...contexts), Math.max(...rows.map(({ completion }) => completion.length))]
  const tokens = new Int32Array(U * P + B * T)
  const positions = new BigInt64Array(U * P + B * T)
  for (const [u, prompt] of prompts.tokens.entries())
    for (let p = 0; p < contexts[u]!; p++) {
      tokens[u * P + p] = prompt[p]!
      positions[u * P + p] = BigInt(p)
    }
  const first = rows.map((_, b) => U * P + b * T)
  for (const [b, { prompt, completion }] of rows.entries())
    for (let t = 0; t < completion.length; t++) {
      tokens[first[b]! + t] = t === 0 ? prompt.at(-1)! : completion[t - 1]!
      positions[first[b]! + t] = BigInt(prompt.length - 1 + t)
    }
  return {
    places,
    first,
    lengths: rows.map(({ completion }) => completion.length),
    tokens,
    positions: rows.reduce((most, s) => Math.max(most, s.prompt.length - 1 + s.completion.length), P),
    feeds: {
      positions: { dtype: 'i64', shape: [positions.length, 1], data: positions },
      causal: { dtype: 'f32', shape: [P, P], data: causalMask(P) },
      owner: { dtype: 'f32', shape: [B, U], data: oneHot(prompts.owner, U) },
      mask: { dtype: 'f32', shape: [B, 1, T, P + T], data: rowMask(prompts.owner, contexts, P, T) },
    },
  }
}

/** Distinct prompts in order of appearance, and which one each row continues. */
function promptsOf(rows: readonly Sequence[]): { tokens: (readonly number[])[]; owner: number[] } {
  const known = new Map<string, number>()
  const tokens: (readonly number[])[] = []
  const owner = rows.map(({ group, prompt }) => {
    const u = known.get(group) ?? known.size
    if (u === known.size) {
      known.set(group, u)
      tokens.push(prompt)
    } else if (tokens[u]!.length !== prompt.length || tokens[u]!.some((token, i) => token !== prompt[i]))
      throw new Error(`micro-batch: group ${group}, expected one prompt, found two different ones`)
    return u
  })
  return { tokens, owner }
}

function causalMask(size: number): Float32Array {
  const mask = new Float32Array(size * size)
  for (let query = 0; query < size; query++) mask.fill(HIDDEN, query * size + query + 1, (query + 1) * size)
  return mask
}

function oneHot(owner: readonly number[], prompts: number): Float32Array {
  const matrix = new Float32Array(owner.length * prompts)
  for (const [b, u] of owner.entries()) matrix[b * prompts + u] = 1
  return matrix
}

/** [B, 1, T, P+T]: the prompt's own tokens, then the row's up to the query. */
function rowMask(owner: readonly number[], contexts: readonly number[], P: number, T: number): Float32Array {
  const mask = new Float32Array(owner.length * T * (P + T))
  for (const [b, u] of owner.entries())
    for (let t = 0; t < T; t++) {
      const start = (b * T + t) * (P + T)
      mask.fill(HIDDEN, start + contexts[u]!, start + P)
      mask.fill(HIDDEN, start + P + t + 1, start + P + T)
    }
  return mask
}
