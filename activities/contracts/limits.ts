/**
 * The most that a spec may ask for, each with its reason. They lie far above real use: what they keep out would never
 * end, or break what carries it. Temporal carries a payload of 2 MB, a history of 50 MB and 51,200 events, and 2,000
 * pending activities or children of one workflow. Applied to what users write; what is stored stays readable.
 */
export const most = {
  /** A whole spec as JSON: each workflow hands it on in several payloads. */
  specBytes: 1_000_000,
  /** Objects and lists within one another: what goes through a spec may call itself as often. */
  nesting: 64,
  /** Entries of all of them together: a sweep of 1,000 arms with 25 fields each has half as many. */
  entries: 50_000,
  /** Of a reward: deeper or wider is a program, and each part is computed for every rollout. */
  rewardDepth: 16,
  rewardParts: 64,
  /** Faults that one message names, and characters of what was found. */
  faultsNamed: 12,
  charactersShown: 80,

  /** Each is a value of a search attribute, and of every child's. */
  tags: 10,
  /** A model's name is a search attribute, of 2 KB at most: 600 characters are 1,800 bytes of UTF-8. */
  modelCharacters: 600,
  /** What the operating systems allow in a path. */
  pathCharacters: 4096,
  /** A few-shot prompt has some 5,000; a prompt travels with every activity that samples under it. */
  promptCharacters: 32_768,
  /** Names of problems, columns and values. */
  nameCharacters: 1_000,

  /** A step that takes a second would end after eleven days. */
  steps: 1_000_000,
  /** Steps of a run that are evaluated: a run that goes on names them all in one payload. */
  evaluatedSteps: 100_000,
  /** Shards of a step, each an activity at the same time: half of what may be pending. */
  shardsAStep: 1_000,
  /** Shards of an evaluation's benchmarks and prompts, likewise. */
  shardsAnEvaluation: 1_500,
  /** Problems of one batch, and its completions: one worker reads all of them to learn from. */
  batchProblems: 65_536,
  batchCompletions: 1_048_576,
  /** Tokens of a step, at 16 bytes each in the memory of that worker: 256 GiB. */
  stepTokens: 2 ** 34,
  /** Samples of one problem: one activity draws and stores them all. */
  samples: 16_384,
  /** The longest context of any model this project runs. */
  tokens: 131_072,
  microbatchTokens: 1_048_576,
  /** Problems of a set; the largest that is published has 1.8 million lines. */
  problems: 10_000_000,
  /** Problems named one by one, columns, and values of a filter. */
  only: 10_000,
  columns: 64,
  filterValues: 1_000,

  prompts: 32,
  shares: 20,
  /** Steps of a run that are scored at once: their results travel in one payload. */
  scoredSteps: 5_000,

  /** Runs of a sweep, and bytes of their names: all of them travel in one payload when its history begins anew. */
  cells: 10_000,
  cellBytes: 1_000_000,
  models: 200,
  arms: 1_000,
  seeds: 10_000,
  /** Runs at once: half of the children that may be pending. */
  concurrency: 1_000,
  /** Evaluations and labels of initial models, computed at once before a sweep's window opens, and their bytes. */
  sharedTasks: 500,
  sharedBytes: 1_500_000,

  /** A century. */
  graceHours: 876_000,
} as const

/** The largest float32: weights and all that moves them are no larger. */
export const largestFloat32 = 3.4028234663852886e38

/** AdamW divides by the root of the second moment and this; smaller ones may be 0 in float32 after its correction. */
export const leastEps = 1e-30
