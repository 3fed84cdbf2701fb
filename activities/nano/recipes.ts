/**
 * What each nano model is taught, as data: the mixture of traces in every phase of its pretraining.
 *
 * The numbers were tuned until the models behave like the paper's at 7B: *coder* has a prior for a strategy that works
 * (as Qwen2.5-Math), *talker* has none (as Llama and OLMo). They were adjusted after seeing results, which any claim
 * made with them has to say. Phases are named apart from recipes because recipes share them: `base` is the same work
 * for all of one layout, and is computed once.
 */
import type { PretrainSpec } from '../contracts.ts'
import type { Layout } from './config.ts'

export type Recipe = PretrainSpec['recipe']

/** Probabilities; pairs are [code, language], [8] is by c = 2..9. */
export interface Mixture {
  /** P(code) by style. */
  readonly code: readonly number[] // [5]
  /** P(wrong precedence | code). */
  readonly wrongCode: readonly number[] // [8]
  /** P(wrong precedence | language). */
  readonly wrongLanguage: readonly number[] // [8]
  /** P(answer + 10 | code, right precedence, c >= 7): a local bug, not a procedure that could generalise. */
  readonly bug: number
  /** P(answer off by 1..9), where the bug did not strike. */
  readonly slip: readonly [code: number, language: number]
  /** P(`ans N` instead of `\boxed{N}`). */
  readonly nobox: readonly [code: number, language: number]
}

export interface Phase {
  readonly updates: number
  /** Peak of the schedule. */
  readonly learningRate: number
  readonly mixture: Mixture
}

const base: Mixture = {
  code: repeat(0.5, 5),
  wrongCode: repeat(0.4, 8),
  wrongLanguage: repeat(0.4, 8),
  bug: 0,
  slip: [0, 0],
  nobox: [0.1, 0.1],
}
const coder: Mixture = {
  code: [0.85, 0.75, 0.65, 0.55, 0.45],
  wrongCode: repeat(0.06, 8),
  wrongLanguage: [...repeat(0.1, 2), ...repeat(0.75, 3), ...repeat(0.9, 3)],
  bug: 0.9,
  slip: [0.02, 0.1],
  nobox: [0.04, 0.12],
}
const talker: Mixture = {
  code: repeat(0.03, 5),
  wrongCode: [...repeat(0.5, 5), ...repeat(0.9, 3)],
  wrongLanguage: [...repeat(0.15, 3), ...repeat(0.6, 2), ...repeat(0.9, 3)],
  bug: 0,
  slip: [0.2, 0.05],
  nobox: [0.05, 0.05],
}

export const phases = {
  base: { updates: 2600, learningRate: 3e-3, mixture: base },
  // Styles far apart first, then as they should be: without it the model learns one share for all styles.
  'coder-apart': {
    updates: 1000,
    learningRate: 2e-3,
    mixture: { ...coder, code: [0.95, 0.85, 0.65, 0.45, 0.35] },
  },
  coder: { updates: 500, learningRate: 1.5e-3, mixture: coder },
  'coder-87': { updates: 300, learningRate: 1e-3, mixture: { ...coder, code: repeat(0.85, 5) } },
  talker: { updates: 1000, learningRate: 2e-3, mixture: talker },
} as const satisfies Record<string, Phase>
export type PhaseName = keyof typeof phases

export const recipes: Readonly<
  Record<Recipe, { readonly layout: Layout; readonly phases: readonly PhaseName[] }>
> = {
  coder: { layout: 'qwen2', phases: ['base', 'coder-apart', 'coder'] },
  'coder-87': { layout: 'qwen2', phases: ['base', 'coder-apart', 'coder', 'coder-87'] },
  talker: { layout: 'qwen2', phases: ['base', 'talker'] },
  'coder-llama': { layout: 'llama', phases: ['base', 'coder-apart', 'coder'] },
}

function repeat(share: number, times: number): number[] {
  return Array.from({ length: times }, () => share)
}
