/** A run of next to no work: what is hostile in an input is laid over it. */
export const tiny = {
  preset: 'demo',
  model: 'nano/coder',
  reward: 'format',
  steps: 1,
  batch: { problems: 1, group: 2, minibatch: 2 },
  sampling: { maxTokens: 2 },
  evaluate: { benchmarks: [] },
} as const
