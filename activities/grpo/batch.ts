/**
 * How a step's sequences are cut: into minibatches (optimizer steps, part of the mathematics) and those into
 * micro-batches (what is computed at once, memory only: gradients of micro-batches add up to the minibatch's).
 *
 * Minibatches are runs of one permutation of all sequences, as in the paper's code; the last may be shorter.
 */
import type { Sequence } from '../engine/port.ts'
import { stream } from '../seed.ts'

/** Sequences shuffled by the step's own stream and cut into runs of `size`. */
export function minibatches<T>(
  sequences: readonly T[],
  size: number,
  at: { seed: number; step: number },
): T[][] {
  const order = stream({ ...at, purpose: 'minibatch' }).permutation(sequences.length)
  const count = Math.ceil(sequences.length / size)
  return Array.from({ length: count }, (_, i) =>
    order.slice(i * size, (i + 1) * size).map((place) => sequences[place]!),
  )
}

/**
 * Places of a minibatch's sequences, cut so that no micro-batch takes more than `budget` tokens with its padding
 * (a sequence longer than the budget is one of its own). A prompt is computed once for all its sequences in the same
 * micro-batch, at most its tokens but the last; so of two orders the cheaper one is taken: by length alone, or by
 * prompt and then length.
 */
export function microbatches(sequences: readonly Sequence[], budget: number): number[][] {
  const longest = new Map<string, number>()
  for (const { group, completion } of sequences)
    longest.set(group, Math.max(longest.get(group) ?? 0, completion.length))
  const groups = new Map([...longest.keys()].map((group, i) => [group, i]))
  const places = sequences.map((_, i) => i)
  const length = (i: number): number => sequences[i]!.completion.length
  const group = (i: number): string => sequences[i]!.group
  const byLength = [...places].sort(
    (a, b) => length(b) - length(a) || groups.get(group(a))! - groups.get(group(b))! || a - b,
  )
  const byPrompt = [...places].sort(
    (a, b) =>
      longest.get(group(b))! - longest.get(group(a))! ||
      groups.get(group(a))! - groups.get(group(b))! ||
      length(b) - length(a) ||
      a - b,
  )
  const [plain, shared] = [cut(sequences, byLength, budget), cut(sequences, byPrompt, budget)]
  return plain.tokens < shared.tokens ? plain.batches : shared.batches
}

/** Greedy cut of an order; `tokens` counts all of it with padding. */
function cut(
  sequences: readonly Sequence[],
  order: readonly number[],
  budget: number,
): { batches: number[][]; tokens: number } {
  const batches: number[][] = []
  let [total, size] = [0, 0]
  for (const place of order) {
    const open = batches.at(-1)
    const grown = open ? paddedTokens([...open, place].map((i) => sequences[i]!)) : Infinity
    if (open && grown <= budget) {
      open.push(place)
      size = grown
    } else {
      total += size
      batches.push([place])
      size = paddedTokens([sequences[place]!])
    }
  }
  return { batches, tokens: total + size }
}

/** Tokens that a micro-batch computes: its distinct prompts and its rows, each padded to the longest. */
export function paddedTokens(sequences: readonly Sequence[]): number {
  const prompts = new Set<string>()
  let [prompt, row] = [1, 1]
  for (const s of sequences) {
    prompts.add(s.group)
    prompt = Math.max(prompt, s.prompt.length - 1)
    row = Math.max(row, s.completion.length)
  }
  return prompts.size * prompt + sequences.length * row
}
