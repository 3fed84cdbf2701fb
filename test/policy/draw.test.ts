import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../activities/onnx/graph.ts'
import { openSession } from '../../activities/onnx/session.ts'
import { declareDraw, draw } from '../../activities/policy/draw.ts'

interface Settings {
  temperature?: number
  greedy?: boolean
  topP?: number
}

/** One row of logits, drawn from with many uniform numbers. */
async function drawn(
  logits: number[],
  uniforms: number[],
  { temperature = 1, greedy = false, topP }: Settings = {},
) {
  const g = new GraphBuilder('draw')
  const input = g.input('logits', 'f32', ['B', logits.length])
  const { token, logprob } = draw(g, input, declareDraw(g, topP !== undefined))
  g.output('token', token)
  g.output('lp', logprob)
  const session = await openSession(g.finish(), { threads: 1 })
  const rows = uniforms.length
  const out = await session.run({
    logits: {
      dtype: 'f32',
      shape: [rows, logits.length],
      data: Float32Array.from(uniforms.flatMap(() => logits)),
    },
    uniform: { dtype: 'f32', shape: [rows, 1], data: Float32Array.from(uniforms) },
    inverseTemperature: { dtype: 'f32', shape: [1], data: Float32Array.of(1 / temperature) },
    greedy: { dtype: 'bool', shape: [1], data: Uint8Array.of(greedy ? 1 : 0) },
    ...(topP !== undefined && { topP: { dtype: 'f32' as const, shape: [1], data: Float32Array.of(topP) } }),
  })
  await session.release()
  return { tokens: Array.from(out.token!.data, Number), logprobs: Array.from(out.lp!.data, Number) }
}

const last = 1 - 2 ** -24 // the largest uniform number there is

describe('drawing', () => {
  // Probabilities 1/8, 0, 3/8, 4/8 and 0: cumulative 0.125, 0.125, 0.5, 1, 1.
  const logits = [Math.log(1), -1e9, Math.log(3), Math.log(4), -1e9]

  it('takes the first index whose cumulative probability passes the uniform number, never one of probability 0', async () => {
    const { tokens, logprobs } = await drawn(logits, [0, 0.124, 0.126, 0.499, 0.501, last])
    expect(tokens).toEqual([0, 0, 2, 2, 3, 3])
    expect(logprobs[0]).toBeCloseTo(Math.log(1 / 8), 6)
    expect(logprobs[2]).toBeCloseTo(Math.log(3 / 8), 6)
  })

  it('agrees with a plain search at every step of a vocabulary of several blocks (4096 = 64 x 64)', async () => {
    const many = Array.from({ length: 4096 }, (_, i) => 4 * Math.sin(i * i))
    const uniforms = Array.from({ length: 200 }, (_, i) => (i * 0.6180339887) % 1)
    const { tokens, logprobs } = await drawn(many, uniforms)
    const weights = many.map((z) => Math.exp(Math.fround(z)))
    const sum = weights.reduce((a, b) => a + b, 0)
    for (const [row, token] of tokens.entries()) {
      const upTo = weights.slice(0, token + 1).reduce((a, b) => a + b, 0) / sum
      const slack = 1e-5 // float32 sums of 4096 terms
      expect(upTo).toBeGreaterThan(uniforms[row]! - slack)
      expect(upTo - weights[token]! / sum).toBeLessThan(uniforms[row]! + slack)
      expect(logprobs[row]).toBeCloseTo(Math.log(weights[token]! / sum), 4)
    }
  })

  it('works for a vocabulary that has no divisor (7)', async () => {
    expect((await drawn([0, 0, 0, 0, 0, 0, 0], [0, 0.15, 0.99])).tokens).toEqual([0, 1, 6])
  })

  it('sharpens with a low temperature, and says the log-probability at temperature 1', async () => {
    // At temperature 1/2 the weights 1, 3, 4 become 1, 9, 16 of 26: cumulative 0.038, 0.385, 1.
    const { tokens, logprobs } = await drawn(logits, [0.037, 0.04, 0.38, 0.39], { temperature: 0.5 })
    expect(tokens).toEqual([0, 2, 2, 3])
    expect(logprobs[3]).toBeCloseTo(Math.log(4 / 8), 6)
  })

  it('is exact where a probability underflows: e^-200 at temperature 1, 1/e^2 of the other at 100', async () => {
    const { tokens, logprobs } = await drawn([0, -200], [0.87, 0.89], { temperature: 100 })
    expect(tokens).toEqual([0, 1]) // 1 / (1 + e^-2) = 0.881
    expect(logprobs[1]).toBeCloseTo(-200, 3)
  })

  it('is the first of the largest when greedy', async () => {
    expect((await drawn([1, 5, 5, 2], [0.9], { greedy: true })).tokens).toEqual([1])
    // Blocks of 64: the largest stands in the third, twice, and again in the last.
    const many = Array.from({ length: 4096 }, (_, i) => ([150, 170, 4000].includes(i) ? 3 : Math.sin(i)))
    expect((await drawn(many, [0.9], { greedy: true })).tokens).toEqual([150])
  })

  it('cuts the tail at top-p: of 1/8, 3/8, 4/8 the two largest reach 0.6, shares 4/7 and 3/7, largest first', async () => {
    const { tokens, logprobs } = await drawn(logits, [0, 0.57, 0.572, last], { topP: 0.6 })
    expect(tokens).toEqual([3, 3, 2, 2])
    expect(logprobs[3]).toBeCloseTo(Math.log(3 / 8), 6) // of the whole distribution
    expect((await drawn(logits, [0, last], { topP: 0.49 })).tokens).toEqual([3, 3])
  })
})
