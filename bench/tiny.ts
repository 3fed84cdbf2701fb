/** A run of next to no work: a sweep's base, and what a hostile input is laid over. */
export const tiny = {
  preset: 'demo',
  model: 'nano/coder',
  reward: 'format',
  steps: 1,
  batch: { problems: 1, group: 2, minibatch: 2 },
  sampling: { maxTokens: 2 },
  evaluate: { benchmarks: [] },
} as const
