import { expect, test } from 'vitest'
import type { Sequence } from '../../activities/engine/port.ts'
import { openSession, type Tensor } from '../../activities/onnx/session.ts'
import { ropeTables, type Family, type ModelConfig } from '../../activities/policy/config.ts'
import { backwardGraph, forwardGraph, layerWeights } from '../../activities/policy/layer.ts'
import { layOut } from '../../activities/policy/microbatch.ts'

const config = (family: Family): ModelConfig => ({
  family,
  width: 8,
  layers: 1,
  heads: 4,
  kvHeads: 2,
  headDim: 2,
  hidden: 6,
  vocabulary: 10,
  normEps: 1e-5,
  ropeTheta: 100,
  ropeScaling: null,
  tied: true,
  maxPositions: 64,
  endTokens: [],
})

/** Numbers without pattern in (-scale, scale). */
const spread = (shape: readonly number[], offset: number, scale = 0.6, shift = 0): Tensor => {
  const n = shape.reduce((a, b) => a * b, 1)
  const at = (i: number) => ((((i + 1) * 0.6180339887 + offset * 0.37) % 1) * 2 - 1) * scale + shift
  return { dtype: 'f32', shape, data: Float32Array.from({ length: n }, (_, i) => at(i)) }
}

const sequence = (group: string, prompt: number[], completion: number[]): Sequence => ({
  group,
  prompt,
  completion,
  logprobs: [],
  advantage: 0,
})
// Two rows of different length share a prompt of three tokens, a third has one of two.
const batch = layOut(
  [sequence('a', [1, 2, 3], [4, 5, 6]), sequence('a', [1, 2, 3], [7]), sequence('b', [8, 9], [1, 2])],
  [0, 1, 2],
)

test.each(['qwen2', 'llama', 'olmo2'] as const)(
  '%s: the backward graph gives what central differences of the forward graph give',
  async (family) => {
    const model = config(family)
    const { cos, sin } = ropeTables(model, 8)
    const M = batch.tokens.length
    const weights = Object.fromEntries(
      layerWeights(model).map(({ name, shape }, i) => [
        name,
        spread(shape, i, name.includes('norm') ? 0.2 : 0.6, name.includes('norm') ? 1 : 0),
      ]),
    )
    const table = (data: Float32Array): Tensor => ({ dtype: 'f32', shape: [8, 1], data })
    const feeds: Record<string, Tensor> = {
      ...batch.feeds,
      cos: table(cos),
      sin: table(sin),
      ...weights,
      h: spread([M, model.width], 50, 1),
    }
    // The loss is Σ dOut · out over all tokens but padding: three of prompts, and those of rows.
    const dOut = spread([M, model.width], 60)
    const rows = batch.first.flatMap((first, b) =>
      Array.from({ length: batch.lengths[b]! }, (_, t) => first + t),
    )
    const counted = new Set([0, 1, 2, ...rows])
    for (let i = 0; i < dOut.data.length; i++) if (!counted.has(Math.floor(i / model.width))) dOut.data[i] = 0
    const forward = await openSession(forwardGraph(model), { threads: 1 })
    const backward = await openSession(backwardGraph(model), { threads: 1 })
    const loss = async (changed: Record<string, Tensor>) => {
      const { out } = await forward.run({ ...feeds, ...changed })
      const values = out!.data as Float32Array
      return values.reduce((sum, x, i) => sum + x * Number(dOut.data[i]), 0)
    }
    const sums = Object.fromEntries(
      layerWeights(model).map(({ name, shape }) => [`sum.${name}`, spread(shape, 0, 0)]),
    )
    const found = await backward.run({ ...feeds, ...sums, dOut })
    for (const name of ['h', ...Object.keys(weights)]) {
      const { shape, data } = feeds[name]!
      // Along one direction: the derivative is the gradient's product with it.
      const direction = spread(shape, 7, 1).data as Float32Array
      const step = 2e-3 / Math.sqrt(data.length)
      const moved = (by: number): Record<string, Tensor> => ({
        [name]: {
          dtype: 'f32',
          shape,
          data: Float32Array.from(direction, (d, i) => Number(data[i]) + by * d),
        },
      })
      const difference = ((await loss(moved(step))) - (await loss(moved(-step)))) / (2 * step)
      const gradient = found[name === 'h' ? 'dh' : `d.${name}`]!.data as Float32Array
      const along = gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0)
      expect(Math.abs(along - difference), `${name}: ${along} and ${difference}`).toBeLessThan(
        2e-2 * Math.max(1, Math.abs(along)),
      )
    }
    await forward.release()
    await backward.release()
  },
)
