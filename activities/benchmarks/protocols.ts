/**
 * How each benchmark is run: arXiv 2506.10947, section 2.2 and its published evaluation. MATH-500 is greedy pass@1; the
 * small sets are averages over 8 samples at temperature 0.6. The set of a benchmark has its name.
 */
import type { Benchmark } from '../contracts.ts'
import type { Policy } from '../grading/index.ts'

export interface Protocol {
  /** Samples a problem: avg@k. */
  readonly samples: number
  /** 0 is greedy. */
  readonly temperature: number
  readonly topP: number
  readonly maxTokens: number
  /** Where an answer counts: the paper's evaluation looks into the last box only. */
  readonly extract: Policy['extract']
}

const greedy: Protocol = { samples: 1, temperature: 0, topP: 1, maxTokens: 3072, extract: 'box' }
const averaged: Protocol = { samples: 8, temperature: 0.6, topP: 1, maxTokens: 3072, extract: 'box' }

export const benchmarks: Readonly<Record<Benchmark, Protocol>> = {
  // Four samples at temperature 1 are as it was measured; 46 tokens hold every completion of the corpus.
  nano: { samples: 4, temperature: 1, topP: 1, maxTokens: 46, extract: 'box' },
  arithmetic: { ...greedy, maxTokens: 1024 },
  'math-500': greedy,
  amc: averaged,
  'aime-2024': averaged,
  'aime-2025': averaged,
}
