/**
 * One optimizer step over the flat weights. AdamW runs as a graph of its own over chunks that fit the cache, in place,
 * on one thread: at this size of chunk a second one gains nothing. grpo/adam.ts is the same formula and its reference.
 * SGD is a line of JavaScript.
 */
import type { Optimizer } from '../contracts.ts'
import { adamFactors } from '../grpo/adam.ts'
import { clipScale, sgd } from '../grpo/sgd.ts'
import { GraphBuilder, type Graph, type Value } from '../onnx/graph.ts'
import { openSession, type Session, type Tensor } from '../onnx/session.ts'

const CHUNK = 2 ** 15

/** First and second moments, of the weights' layout; empty until the first step that has them. */
export interface Moments {
  m: Float32Array
  v: Float32Array
}

export class OptimizerStep {
  #session: { readonly decays: boolean; readonly session: Session } | null = null

  /** Changes weights (and moments) in place; `updates` counts this step, `norm` is the gradient's. */
  async apply(
    optimizer: Optimizer,
    weights: Float32Array,
    gradient: Float32Array,
    moments: Moments,
    { updates, norm, learningRate }: { updates: number; norm: number; learningRate: number },
  ): Promise<void> {
    const scale = clipScale(norm, optimizer.maxGradNorm)
    if (optimizer.name === 'sgd') {
      for (const [w, g] of chunks(weights, gradient)) sgd(w, g, learningRate, scale)
      return
    }
    if (moments.m.length === 0) {
      moments.m = new Float32Array(weights.length)
      moments.v = new Float32Array(weights.length)
    }
    const decays = optimizer.weightDecay !== 0
    const session = await this.#adam(decays)
    const factors = adamFactors(optimizer, learningRate, updates, scale)
    const scalars = vector(Float32Array.from(factorNames, (name) => factorOf[name](factors)))
    for (const chunk of chunks(weights, gradient, moments.m, moments.v)) {
      const [w, g, m, v] = chunk.map(vector) as [Tensor, Tensor, Tensor, Tensor]
      await session.runInto({ factors: scalars, w, g, m, v }, { nextW: w, nextM: m, nextV: v })
    }
  }

  async #adam(decays: boolean): Promise<Session> {
    if (this.#session?.decays === decays) return this.#session.session
    await this.release()
    const session = await openSession(adamGraph(decays), { threads: 1 })
    this.#session = { decays, session }
    return session
  }

  async release(): Promise<void> {
    await this.#session?.session.release()
    this.#session = null
  }
}

/** Views of a chunk of each array. */
function* chunks(...all: [Float32Array, Float32Array, ...Float32Array[]]): Generator<typeof all> {
  for (let start = 0; start < all[0].length; start += CHUNK)
    yield all.map((array) => array.subarray(start, start + CHUNK)) as typeof all
}

type Factors = ReturnType<typeof adamFactors>
/** What the graph's input `factors` holds; differences from 1 are taken in double. */
const factorOf = {
  keepM: (f: Factors) => f.beta1,
  addG: (f: Factors) => (1 - f.beta1) * f.scale,
  keepV: (f: Factors) => f.beta2,
  addGG: (f: Factors) => (1 - f.beta2) * f.scale * f.scale,
  // Step size and ε, both over the correction of the root.
  stepSize: (f: Factors) => f.stepSize / f.rootCorrection,
  eps: (f: Factors) => f.eps / f.rootCorrection,
  keepW: (f: Factors) => f.keep,
} as const
const factorNames = Object.keys(factorOf) as (keyof typeof factorOf)[]

/** Each of w, m, v is read once, before the output that takes its place is written. */
function adamGraph(decays: boolean): Graph {
  const g = new GraphBuilder('adamw')
  const chunk = (name: string): Value => g.input(name, 'f32', ['n'])
  const [w, gradient, m, v] = [chunk('w'), chunk('g'), chunk('m'), chunk('v')]
  const factors = g.split(
    g.input('factors', 'f32', [factorNames.length]),
    factorNames.map(() => 1),
    0,
  )
  const f = (name: keyof typeof factorOf): Value => factors[factorNames.indexOf(name)]!
  const nextM = g.add(g.mul(f('keepM'), m), g.mul(f('addG'), gradient))
  const nextV = g.add(g.mul(f('keepV'), v), g.mul(g.mul(f('addGG'), gradient), gradient))
  const denominator = g.add(g.op('Sqrt', [nextV]), f('eps'))
  g.output('nextM', nextM)
  g.output('nextV', nextV)
  const kept = decays ? g.mul(f('keepW'), w) : w
  g.output('nextW', g.sub(kept, g.div(g.mul(f('stepSize'), nextM), denominator)))
  return g.finish()
}

function vector(data: Float32Array): Tensor {
  return { dtype: 'f32', shape: [data.length], data }
}
