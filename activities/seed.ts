/**
 * The one source of randomness: counter-based streams, addressed by coordinates, without state to save or lose.
 *
 * A stream's 64-bit key is the head of SHA-256 over its coordinates; its values are Philox 4x32-10 blocks
 * (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011; constants and test vectors of
 * Random123 1.14). The counter's first word is the index asked for, so value i costs the same for every i, and a
 * completion's token t gets the same number whatever ran before it or beside it.
 */
import { createHash } from 'node:crypto'

/** What a number is for. Two purposes never share a stream. */
export type Purpose =
  | 'batch' // which problems a step sees
  | 'minibatch' // how a step's rollouts are cut into updates
  | 'sample' // a token of a training completion
  | 'evaluate' // a token of an evaluation completion
  | 'label' // a token of a labelling completion
  | 'reward' // a random reward
  | 'initialise' // a weight of a new model
  | 'corpus' // a document of a pretraining corpus
  | 'data' // shuffles and splits of data sets
  | 'bootstrap' // resampling in the analysis
  | 'fault' // what the chaos harness does to the others

/** In training all coordinates are given; evaluations and labels leave out step (never step, run or arm). */
export interface Coordinates {
  readonly seed: number
  readonly purpose: Purpose
  readonly step?: number
  readonly problem?: string
  readonly occurrence?: number
  readonly sample?: number
}

export interface Stream {
  /** Value `index` of the stream, 32 random bits as an unsigned integer. */
  bits(index: number): number
  /** Value `index` in [0, 1), on the 2^24 grid that float32 represents exactly. */
  uniform(index: number): number
  /** Value `index` as an integer in [0, n): the high word of n x 32 bits, bias at most n / 2^32. */
  below(n: number, index: number): number
  /** Standard normal number `index` (Box-Muller on values 2·index and 2·index + 1 of a block). */
  normal(index: number): number
  /** A permutation of 0..n-1 (Fisher-Yates, values 0..n-2). */
  permutation(n: number): number[]
}

export function stream(at: Coordinates): Stream {
  const name = [
    at.seed,
    at.purpose,
    at.step ?? null,
    at.problem ?? null,
    at.occurrence ?? null,
    at.sample ?? null,
  ]
  const digest = createHash('sha256').update(JSON.stringify(name)).digest()
  const key: [number, number] = [digest.readUInt32LE(0), digest.readUInt32LE(4)]
  // One block holds four values; callers walk indices upwards, so remembering one block saves three of four.
  let cachedBlock = -1
  let block: Uint32Array = new Uint32Array(4)
  const bits = (index: number): number => {
    const wanted = Math.floor(index / 4)
    if (wanted !== cachedBlock) {
      block = philox([wanted >>> 0, Math.floor(wanted / 2 ** 32), 0, 0], key)
      cachedBlock = wanted
    }
    return block[index % 4]!
  }
  const uniform = (index: number) => (bits(index) >>> 8) / 2 ** 24
  const below = (n: number, index: number) => Math.floor((bits(index) / 2 ** 32) * n)
  const normal = (index: number) => {
    const radius = Math.sqrt(-2 * Math.log((bits(2 * index) + 1) / 2 ** 32))
    return radius * Math.cos((2 * Math.PI * bits(2 * index + 1)) / 2 ** 32)
  }
  const permutation = (n: number) => {
    const order = Array.from({ length: n }, (_, i) => i)
    for (let last = n - 1; last > 0; last--) {
      const other = below(last + 1, n - 1 - last)
      ;[order[last], order[other]] = [order[other]!, order[last]!]
    }
    return order
  }
  return { bits, uniform, below, normal, permutation }
}

/** Philox 4x32-10: four 32-bit words of counter and two of key to four random words. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): Uint32Array {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(0xd2511f53, c0)
    const [high1, low1] = multiply(0xcd9e8d57, c2)
    ;[c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0]
    k0 = (k0 + 0x9e3779b9) >>> 0 // golden ratio
    k1 = (k1 + 0xbb67ae85) >>> 0 // sqrt(3) - 1
  }
  return Uint32Array.of(c0, c1, c2, c3)
}

/** 32 x 32 bits to high and low words, by 16-bit halves: each partial product stays exact in a double. */
function multiply(a: number, b: number): [high: number, low: number] {
  const middle = (a >>> 16) * (b & 0xffff) + (((a & 0xffff) * (b & 0xffff)) >>> 16)
  const carry = (a & 0xffff) * (b >>> 16) + (middle % 65536)
  return [
    ((a >>> 16) * (b >>> 16) + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0,
    Math.imul(a, b) >>> 0,
  ]
}
