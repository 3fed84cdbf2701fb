/**
 * Drawing tokens inside of the graph: from logits to one token a row and its log-probability, by inverse transform of
 * one uniform number a row. Only two numbers a row leave the runtime.
 *
 * The cumulative sum runs over two levels, blocks of the vocabulary and then one block: the runtime's CumSum is slow
 * along a long axis. Where rounding could point past the end, the target is held one float below the sum, so that a
 * token of probability zero is never drawn. Top-p keeps the smallest set of most probable tokens that reaches it
 * (Holtzman et al. 2020), as transformers does: ties in favour of the smaller id. Where the weights are not numbers the
 * log-probability is none either, so that whoever looks at it knows of both.
 */
import type { Decoding } from '../engine/port.ts'
import type { GraphBuilder, Value } from '../onnx/graph.ts'

export interface DrawInputs {
  readonly uniform: Value // f32 [B, 1], in [0, 1) on a grid of 2^-24
  readonly inverseTemperature: Value // f32 [1]
  readonly greedy: Value // bool [1]
  /** f32 [1], of the nucleus variant: sorting the vocabulary is too slow to do it when nothing is cut off. */
  readonly topP: Value | null
}

export interface Drawn {
  readonly token: Value // i64 [B]
  readonly logprob: Value // f32 [B], at temperature 1 over the whole vocabulary
}

// Beyond it a softmax has long been all or nothing, and a logit of a hundred million times it is still a float32.
const mostInverseTemperature = 2 ** 100
// The smallest normal float32: what is kept is then the most probable token alone, as for any topP below its share.
const leastTopP = 2 ** -126

/** A decoding as the graph's inputs: what float32 would round to 0 or infinity is taken as the limit it stands for. */
export function drawSettings({ temperature, topP }: Pick<Decoding, 'temperature' | 'topP'>) {
  const greedy = temperature === 0
  return {
    greedy,
    inverseTemperature: greedy ? 1 : Math.min(1 / temperature, mostInverseTemperature),
    topP: Math.max(topP, leastTopP),
  }
}

// The largest float below 1: x times it is the largest float below x.
const justBelow = 1 - 2 ** -24

export function declareDraw(g: GraphBuilder, nucleus: boolean): DrawInputs {
  return {
    uniform: g.input('uniform', 'f32', ['B', 1]),
    inverseTemperature: g.input('inverseTemperature', 'f32', [1]),
    greedy: g.input('greedy', 'bool', [1]),
    topP: nucleus ? g.input('topP', 'f32', [1]) : null,
  }
}

/** logits f32 [B, V] */
export function draw(g: GraphBuilder, logits: Value, inputs: DrawInputs): Drawn {
  const weights = g.softmax(g.mul(logits, inputs.inverseTemperature)) // [B, V]
  const sampled = inputs.topP
    ? fromNucleus(g, weights, inputs.uniform, inputs.topP)
    : fromAll(g, weights, inputs.uniform)
  const token = g.where(inputs.greedy, firstOfLargest(g, logits), sampled) // [B, 1]
  const of = (x: Value): Value => g.op('GatherElements', [x, token], { axis: 1 })
  const logprob = of(g.op('LogSoftmax', [logits], { axis: -1 }))
  const weight = of(weights)
  const known = g.add(logprob, g.sub(weight, weight)) // the weight's difference from itself is 0, or NaN
  return { token: g.squeeze(token, 1), logprob: g.squeeze(known, 1) }
}

/** weights f32 [B, V], uniform f32 [B, 1] → i64 [B, 1] */
function fromAll(g: GraphBuilder, weights: Value, uniform: Value): Value {
  const { blocks, count, width } = inBlocks(g, weights)
  const sums = g.sum(blocks, [2], false) // [B, count]
  const upTo = g.op('CumSum', [sums, g.i64(1)])
  const total = g.slice(upTo, 1, count - 1, count)
  const target = g.mul(uniform, total) // below the total, since uniform <= 1 - 2^-24
  const block = countUpTo(g, upTo, target) // [B, 1]
  const before = g.op('GatherElements', [g.op('CumSum', [sums, g.i64(1)], { exclusive: true }), block], {
    axis: 1,
  })
  const offset = indexOf(g, blockAt(g, blocks, block), g.sub(target, before))
  return g.add(g.mul(block, g.i64(width)), offset)
}

/** i64 [B, 1]. By way of each block's largest: the runtime takes maxima many at once, and positions one by one. */
function firstOfLargest(g: GraphBuilder, logits: Value): Value {
  const position = (x: Value): Value => g.op('ArgMax', [x], { axis: 1, keepdims: true })
  const { blocks, width } = inBlocks(g, logits)
  const block = position(g.max(blocks, [2], false))
  return g.add(g.mul(block, g.i64(width)), position(blockAt(g, blocks, block)))
}

function fromNucleus(g: GraphBuilder, weights: Value, uniform: Value, topP: Value): Value {
  const vocabulary = weights.shape[1] as number
  const [sorted, ids] = g.ops('TopK', [weights, g.i64(vocabulary)], {
    axis: 1,
    largest: true,
    sorted: true,
  }) as [Value, Value]
  const before = g.op('CumSum', [sorted, g.i64(1)], { exclusive: true })
  const kept = g.where(g.op('Less', [before, topP]), sorted, g.f32(0))
  const index = indexOf(g, kept, g.mul(uniform, g.sum(kept, [1])))
  return g.op('GatherElements', [ids, index], { axis: 1 })
}

/** The first index whose cumulative weight passes the target: i64 [B, 1], always of a positive weight. */
function indexOf(g: GraphBuilder, weights: Value, target: Value): Value {
  const n = weights.shape[1] as number
  const upTo = g.op('CumSum', [weights, g.i64(1)])
  const limit = g.mul(g.slice(upTo, 1, n - 1, n), g.f32(justBelow))
  return countUpTo(g, upTo, g.op('Min', [target, limit]))
}

/** How many entries of each row are at or below the target: i64 [B, 1]. */
function countUpTo(g: GraphBuilder, upTo: Value, target: Value): Value {
  return g.sum(g.cast(g.op('LessOrEqual', [upTo, target]), 'i64'), [1])
}

/** [B, V] as [B, count, width], the width a divisor of V. */
function inBlocks(g: GraphBuilder, x: Value): { blocks: Value; count: number; width: number } {
  const vocabulary = x.shape[1] as number
  const width = blockWidth(vocabulary)
  const count = vocabulary / width
  return { blocks: g.reshape(x, ['B', count, width]), count, width }
}

/** blocks [B, count, width], one block a row, i64 [B, 1] → [B, width] */
function blockAt(g: GraphBuilder, blocks: Value, block: Value): Value {
  const chosen = g.expand(g.unsqueeze(block, 2), ['B', 1, blocks.shape[2]!])
  return g.squeeze(g.op('GatherElements', [blocks, chosen], { axis: 1 }), 1)
}

/** The divisor of the vocabulary nearest to its square root: both levels of the sum are then short. */
function blockWidth(vocabulary: number): number {
  for (let width = Math.floor(Math.sqrt(vocabulary)); width > 1; width--)
    if (vocabulary % width === 0) return width
  return 1
}
