/**
 * Work in floating-point operations, and the seconds that it takes, by figures measured on one machine (README.md,
 * 2026-11-22). Sampling: a decode step reads all weights and computes each row; 33.9, 314 and 523 tokens/s at 1, 16 and
 * 64 rows of a 135M model and 27,800 at 256 rows of 0.8M lie within a fifth of it. Training: 5.35 s for 1,024 tokens at
 * 135M and 2.3 s for 32,768 at 0.8M. Products of matrices go with the number of threads; the rest does not.
 */
import { embeddingName, tensorShapes, type ModelConfig } from '../policy/config.ts'
import { parametersOf } from './memory.ts'

export const measuredOn = '2 cores of an Intel Xeon with AVX-512, 2 threads, 2026-11-22'

const threadsMeasured = 2
const weightBytesASecond = 18.3e9
const samplingFlopsASecond = 183e9
const samplingSecondsARow = 25e-6
const trainingFlopsASecond = 154e9
const trainingSecondsAToken = 39e-6
const optimizerSecondsAParameter = 2.3e-9

/** Tokens, operations and seconds: what adds up. */
export interface Work {
  readonly sampled: number
  readonly learnt: number
  readonly flops: number
  readonly seconds: number
}
export const nothing: Work = { sampled: 0, learnt: 0, flops: 0, seconds: 0 }

export const sum = (all: readonly Work[]): Work =>
  all.reduce(
    (a, b) => ({
      sampled: a.sampled + b.sampled,
      learnt: a.learnt + b.learnt,
      flops: a.flops + b.flops,
      seconds: a.seconds + b.seconds,
    }),
    nothing,
  )

export const times = ({ sampled, learnt, flops, seconds }: Work, n: number): Work => ({
  sampled: n * sampled,
  learnt: n * learnt,
  flops: n * flops,
  seconds: n * seconds,
})

/** Operations of a token's forward pass behind `context` others: 2 a parameter that multiplies, and attention. */
export function forwardFlops(config: ModelConfig, context: number): number {
  const { layers, heads, headDim, tied } = config
  const [vocabulary = 0, width = 0] = tensorShapes({ ...config, layers: 0 }).get(embeddingName) ?? []
  const gathered = tied ? 0 : vocabulary * width
  return 2 * (parametersOf(config) - gathered) + 4 * layers * heads * headDim * context
}

export interface Samples {
  readonly prompts: number
  readonly promptTokens: number
  /** Of each prompt. */
  readonly samples: number
  /** Of each completion. */
  readonly tokens: number
  /** At the same time. */
  readonly rows: number
}

export function samplingWork(config: ModelConfig, asked: Samples, threads: number): Work {
  const { prompts, promptTokens, samples, tokens, rows } = asked
  const completions = prompts * samples
  const sampled = completions * tokens
  const flops =
    sampled * forwardFlops(config, promptTokens + tokens / 2) +
    prompts * promptTokens * forwardFlops(config, promptTokens / 2)
  const steps = tokens * Math.ceil(completions / Math.max(1, Math.min(rows, completions)))
  const seconds =
    (steps * 4 * parametersOf(config)) / weightBytesASecond +
    sampled * samplingSecondsARow +
    (flops / samplingFlopsASecond) * (threadsMeasured / threads)
  return { sampled, learnt: 0, flops, seconds }
}

/** Three forward passes' worth of operations a token, prompts once a group; recomputation is not counted as work. */
export function learningWork(
  config: ModelConfig,
  { prompts, promptTokens, samples, tokens }: Samples,
  updates: number,
  threads: number,
): Work {
  const learnt = prompts * samples * tokens
  const all = learnt + prompts * promptTokens
  const flops = 3 * all * forwardFlops(config, (promptTokens + tokens) / 2)
  const seconds =
    (flops / trainingFlopsASecond) * (threadsMeasured / threads) +
    all * trainingSecondsAToken +
    updates * parametersOf(config) * optimizerSecondsAParameter
  return { sampled: 0, learnt, flops, seconds }
}
