/**
 * The presets: a value for every field of a training spec.
 *
 * `paper` is the text of arXiv 2506.10947 (section 2 and appendix B), `reference` its published code where that
 * departs from the text, `demo` a nano run of seconds. The code asks for labels without a chat template, takes the last
 * number where there is no box, counts texts, and keeps problems without a label. Departures of `paper`: the loss averages over all tokens of a
 * minibatch (the text gives both a token sum and 1/|y|), and AdamW's eps is 1e-8 (the text names none). `demo` trains
 * by plain SGD: with Adam the tokens of a strategy are practically never clipped at this size (see LOG.md).
 */
import type { Labels, Preset, ResolvedTrain } from '../contracts.ts'

type Defaults = Omit<ResolvedTrain, 'model' | 'reward' | 'labels'>

/** Prompt and sampling limit are the run's own unless named here; the temperature is 1. */
type LabelDefaults = Omit<Labels, 'prompt' | 'sampling'> & Partial<Pick<Labels, 'prompt'>>

const paper: Defaults = {
  prompt: 'default',
  seed: 0,
  steps: 300,
  data: { name: 'deepscaler' },
  batch: { problems: 64, group: 16, minibatch: 128, microbatchTokens: 8192 },
  sampling: { temperature: 1, topP: 1, maxTokens: 3072 },
  objective: { name: 'grpo', clip: [0.2, 0.2], kl: 0, scale: 'group', whiten: false, average: 'tokens' },
  optimizer: {
    name: 'adamw',
    learningRate: 5e-7,
    betas: [0.9, 0.95],
    eps: 1e-8,
    weightDecay: 0,
    maxGradNorm: 1,
  },
  evaluate: { every: 10, benchmarks: ['math-500', 'amc', 'aime-2024', 'aime-2025'] },
  checkpoint: { every: 10, keep: 3 },
  engine: { name: 'onnx' },
}

/** The published code whitens advantages over the batch after normalising groups, and averages by micro-batch. */
const reference: Defaults = {
  ...paper,
  objective: { name: 'grpo', clip: [0.2, 0.2], kl: 0, scale: 'group', whiten: true, average: 'microbatch' },
}

const demo: Defaults = {
  ...paper,
  prompt: 'plain',
  steps: 15,
  data: { name: 'nano' },
  batch: { problems: 8, group: 16, minibatch: 16, microbatchTokens: 8192 },
  sampling: { temperature: 1, topP: 1, maxTokens: 46 },
  optimizer: { name: 'sgd', learningRate: 0.2, maxGradNorm: 1 },
  evaluate: { every: 5, benchmarks: ['nano'] },
  checkpoint: { every: 5, keep: 3 },
}

export const presets: Record<Preset, Defaults> = { paper, reference, demo }

const labels: LabelDefaults = { samples: 64, seed: 0, vote: 'equivalent', extract: 'box', unlabelled: 'drop' }

export const labelPresets: Record<Preset, LabelDefaults> = {
  paper: labels,
  reference: { ...labels, prompt: 'plain', vote: 'string', extract: 'any', unlabelled: 'keep' },
  demo: { ...labels, samples: 8 },
}
