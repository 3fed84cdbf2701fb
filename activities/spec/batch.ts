/**
 * Which problems a step sees, and how they are cut into shards: functions of the spec alone.
 *
 * Epochs are permutations of the problems; a step takes the next `batch.problems` of them, so a small set comes round
 * again within a batch as further occurrences, each with its own streams.
 */
import type { Problem } from '../benchmarks/problem.ts'
import type { ResolvedTrain } from '../contracts.ts'
import { stream } from '../seed.ts'

/** Completions a shard aims at: what one kill can cost, against the activities a step needs. */
const completionsAShard = 256

export interface Place {
  readonly problem: Problem
  readonly occurrence: number
}

export function shardsOf({ batch }: Pick<ResolvedTrain, 'batch'>): { from: number; to: number }[] {
  return cut(batch.problems, batch.group)
}

/** Whole groups in a shard. */
export const groupsAShard = (group: number): number => Math.max(1, Math.floor(completionsAShard / group))

export const shardCount = (count: number, group: number): number => Math.ceil(count / groupsAShard(group))

/** Places 0..count-1 in runs of whole groups. */
export function cut(count: number, group: number): { from: number; to: number }[] {
  const size = groupsAShard(group)
  return Array.from({ length: shardCount(count, group) }, (_, i) => ({
    from: i * size,
    to: Math.min(count, (i + 1) * size),
  }))
}

/** The places of a step (1-based) in order. */
export function batchOf(problems: readonly Problem[], { seed, batch }: ResolvedTrain, step: number): Place[] {
  const orders = new Map<number, number[]>()
  const orderOf = (epoch: number) => {
    const order =
      orders.get(epoch) ?? stream({ seed, purpose: 'batch', step: epoch }).permutation(problems.length)
    orders.set(epoch, order)
    return order
  }
  const seen = new Map<string, number>()
  return Array.from({ length: batch.problems }, (_, i) => {
    const position = (step - 1) * batch.problems + i
    const problem = problems[orderOf(Math.floor(position / problems.length))[position % problems.length]!]!
    const occurrence = seen.get(problem.id) ?? 0
    seen.set(problem.id, occurrence + 1)
    return { problem, occurrence }
  })
}
