/** What a user writes, and what a run makes of it. Unknown keys are errors: a typo must not train for a day. */
import { z } from 'zod'
import { count, probability, RunId, strict } from './words.ts'

export type Reward =
  | 'ground-truth'
  | 'majority'
  | 'incorrect'
  | 'format'
  | 'python'
  | 'no-repetition'
  | { random: number }
  | { all: Reward[] }
  | { not: Reward }
export const Reward: z.ZodType<Reward> = z.lazy(() =>
  z.union([
    z.enum(['ground-truth', 'majority', 'incorrect', 'format', 'python', 'no-repetition']),
    strict({ random: probability }),
    strict({ all: z.array(Reward).min(1) }),
    strict({ not: Reward }),
  ]),
)

/** An object with names of a user's; zod would leave `__proto__` out, and a filter with it would be none. */
const names = <T extends z.ZodType>(record: T) =>
  z.preprocess((value, context) => {
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__'))
      context.issues.push({ code: 'custom', message: 'expected a name, found __proto__', input: value })
    return value
  }, record)

const data = {
  /** One of the two: a set that we know, or a user's file of JSON Lines or Parquet. */
  name: z.enum(['nano', 'arithmetic', 'deepscaler', 'math-500', 'amc', 'aime-2024', 'aime-2025']).optional(),
  /** file:///…, s3://… or hf://datasets/owner/name@revision/path. */
  source: z.string().min(1).optional(),
  /** Of a file: its column for `problem`, `answer` and `id` where it has another name, and further ones to keep. */
  columns: names(
    z.record(z.string().regex(/^[A-Za-z]\w*$/, 'a name of letters, digits and _'), z.string()),
  ).optional(),
  /** nano and arithmetic have both; the benchmarks are all test, deepscaler is all train. */
  split: z.enum(['train', 'test']).optional(),
  where: names(
    z.record(z.string(), z.union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))])),
  ).optional(),
  only: z.array(z.string()).min(1).optional(),
  /** Seed of a shuffle before `limit` takes the first; absent keeps the set's own order. */
  shuffle: z.int().min(0).optional(),
  limit: count.optional(),
  /** `drop`: of problems with the same statement and answer, letter by letter, the first is kept. */
  duplicates: z.literal('drop').optional(),
}
export const DataSpec = strict(data)
  .refine(({ name, source }) => (name === undefined) !== (source === undefined), {
    message: 'give either name or source',
    path: ['name'],
  })
  .refine(({ name, columns }) => name === undefined || columns === undefined, {
    message: 'belongs to a source; the sets that have a name have our columns',
    path: ['columns'],
  })
  .refine(({ source, split }) => source === undefined || split === undefined, {
    message: 'a file has no splits',
    path: ['split'],
  })
export type DataSpec = z.infer<typeof DataSpec>

export const Sampling = strict({
  temperature: z.number().min(0).max(10),
  topP: z.number().gt(0).max(1),
  maxTokens: count.max(131072),
})
export type Sampling = z.infer<typeof Sampling>

/**
 * grpo: the clipped token objective; `clip` null leaves it out. `scale`: what a group's centred rewards are divided
 * by. `average`: the loss denominator (all tokens of the minibatch, each sequence's own length, or a constant).
 * nll: the mean negative log-likelihood of the tokens, for pretraining.
 */
export const Objective = z.discriminatedUnion('name', [
  strict({
    name: z.literal('grpo'),
    clip: z.tuple([z.number().gt(0).max(1), z.number().gt(0)]).nullable(),
    kl: z.number().min(0),
    scale: z.enum(['group', 'batch', 'none']),
    whiten: z.boolean(),
    average: z.enum(['tokens', 'sequence', 'microbatch']),
  }),
  strict({ name: z.literal('nll') }),
])
export type Objective = z.infer<typeof Objective>

export const Optimizer = z.discriminatedUnion('name', [
  strict({
    name: z.literal('adamw'),
    learningRate: z.number().min(0),
    betas: z.tuple([probability, probability]),
    eps: z.number().gt(0),
    weightDecay: z.number().min(0),
    maxGradNorm: z.number().gt(0),
  }),
  strict({ name: z.literal('sgd'), learningRate: z.number().min(0), maxGradNorm: z.number().gt(0) }),
])
export type Optimizer = z.infer<typeof Optimizer>

export const Benchmark = z.enum(['nano', 'arithmetic', 'math-500', 'amc', 'aime-2024', 'aime-2025'])
export type Benchmark = z.infer<typeof Benchmark>

/**
 * How pseudo-labels come about: a vote of `samples` completions a problem by the initial policy, under streams of their
 * own `seed`. `vote`: answers that the grader holds to be the same count together, or only the same text (the paper's
 * published code). `extract`: a sample's answer is its last box, or wherever the grader finds one.
 */
const labels = {
  samples: count,
  seed: z.int().min(0),
  prompt: z.string().min(1),
  sampling: Sampling,
  vote: z.enum(['equivalent', 'string']),
  extract: z.enum(['box', 'any']),
}
export const Labels = strict({
  ...labels,
  /** Problems of which no sample has an answer: left out, or kept and never rewarded (the published code). */
  unlabelled: z.enum(['drop', 'keep']),
})
export type Labels = z.infer<typeof Labels>

const batch = { problems: count, group: count, minibatch: count, microbatchTokens: count }
const evaluate = {
  every: z.int().min(0),
  benchmarks: z.array(Benchmark),
  /** The first problems of each benchmark, for a quick look; absent means all of them. */
  limit: count.optional(),
  /** Overrides the benchmark's own token limit, sample count and temperature. */
  maxTokens: count.optional(),
  samples: count.optional(),
  temperature: z.number().min(0).max(10).optional(),
  /** Where an answer counts, if not where the benchmark's protocol says. */
  extract: z.enum(['box', 'any']).optional(),
}
const checkpoint = { every: count, keep: count }
/** When a run ends before its steps are done. The rules look at the last `steps` steps; nothing acts unless named. */
const Stop = strict({
  /** A loss or a gradient that is not finite ends the run at the step before, instead of failing it. */
  nonFinite: z.boolean().optional(),
  /** The policy's mean entropy, in nats a token. */
  entropy: strict({ below: z.number().gt(0), steps: count.max(100) }).optional(),
  /** The mean reward of a batch. */
  reward: strict({ atMost: z.number().default(0), steps: count.max(100) }).optional(),
})
export type Stop = z.infer<typeof Stop>
const engine = strict({ name: z.enum(['onnx']) })
export const Preset = z.enum(['paper', 'reference', 'demo'])
export type Preset = z.infer<typeof Preset>

/** Every field resolved: what a run is computed from, stored under its hash. */
export const ResolvedTrain = strict({
  model: z.string().min(1),
  prompt: z.string().min(1),
  reward: Reward,
  seed: z.int().min(0),
  steps: z.int().min(0),
  data: DataSpec,
  /** Only where the reward compares with labels. */
  labels: Labels.optional(),
  batch: strict(batch),
  sampling: Sampling,
  objective: Objective,
  optimizer: Optimizer,
  evaluate: strict(evaluate),
  checkpoint: strict(checkpoint),
  stop: Stop.optional(),
  engine,
})
export type ResolvedTrain = z.infer<typeof ResolvedTrain>

/** What a user writes: anything left out has its preset's value. */
export const TrainSpec = strict({
  $schema: z.string().optional(),
  preset: Preset.optional(),
  model: z.string().min(1).optional(),
  prompt: z.string().min(1).optional(),
  reward: Reward.optional(),
  seed: z.int().min(0).optional(),
  steps: z.int().min(0).optional(),
  data: strict(data).optional(),
  /** How the labels of `majority` and `incorrect` are made; other rewards do without. */
  labels: strict({ ...Labels.shape, sampling: Sampling.partial() })
    .partial()
    .optional(),
  batch: strict(batch).partial().optional(),
  sampling: Sampling.partial().optional(),
  objective: z
    .strictObject({
      name: z.enum(['grpo', 'nll']),
      clip: z.tuple([z.number().gt(0).max(1), z.number().gt(0)]).nullable(),
      kl: z.number().min(0),
      scale: z.enum(['group', 'batch', 'none']),
      whiten: z.boolean(),
      average: z.enum(['tokens', 'sequence', 'microbatch']),
    })
    .partial()
    .optional(),
  optimizer: z
    .strictObject({
      name: z.enum(['adamw', 'sgd']),
      learningRate: z.number().min(0),
      betas: z.tuple([probability, probability]),
      eps: z.number().gt(0),
      weightDecay: z.number().min(0),
      maxGradNorm: z.number().gt(0),
    })
    .partial()
    .optional(),
  evaluate: strict(evaluate).partial().optional(),
  checkpoint: strict(checkpoint).partial().optional(),
  stop: Stop.optional(),
  engine: engine.optional(),
})
export type TrainSpec = z.infer<typeof TrainSpec>

/** One of the two: a model, or a run's checkpoint as `<run>` (its newest) or `<run>/<step>`. */
const whose = { model: z.string().min(1).optional(), checkpoint: z.string().min(1).optional() }
const isOneOfTwo = ({ model, checkpoint }: { model?: string | undefined; checkpoint?: string | undefined }) =>
  (model === undefined) !== (checkpoint === undefined)
const oneOfTwo = { message: 'give either model or checkpoint', path: ['model'] }

export const EvaluateSpec = strict({
  $schema: z.string().optional(),
  ...whose,
  benchmarks: z.array(Benchmark).min(1),
  /** Absent: the prompt a run was trained under; for a model, what it can read. */
  prompts: z.array(z.string().min(1)).min(1).optional(),
  seed: z.int().min(0).default(0),
  limit: count.optional(),
  maxTokens: count.optional(),
  samples: count.optional(),
  temperature: z.number().min(0).max(10).optional(),
  /** Where an answer counts, if not where the benchmark's protocol says. Stored completions are judged again. */
  extract: z.enum(['box', 'any']).optional(),
}).refine(isOneOfTwo, oneOfTwo)
export type EvaluateSpec = z.infer<typeof EvaluateSpec>

export const LabelSpec = strict({
  $schema: z.string().optional(),
  ...whose,
  data: DataSpec,
  samples: count.default(64),
  seed: z.int().min(0).default(0),
  /** Absent: the prompt a run was trained under; for a model, what it can read. */
  prompt: z.string().min(1).optional(),
  sampling: Sampling.partial().default({}),
  vote: labels.vote.default('equivalent'),
  extract: labels.extract.default('box'),
}).refine(isOneOfTwo, oneOfTwo)
export type LabelSpec = z.infer<typeof LabelSpec>

export const ScoreSpec = strict({
  $schema: z.string().optional(),
  run: RunId,
  /** Of the run's stored steps; absent: all. */
  steps: z.array(count).min(1).optional(),
  reward: Reward,
  /** For `majority` and `incorrect`: the labels that a `label` workflow returned, if not those the run learnt from. */
  labels: z
    .string()
    .regex(/^labels\/[0-9a-f]{64}\.json$/, 'the key of labels')
    .optional(),
})
export type ScoreSpec = z.infer<typeof ScoreSpec>

export const ProbeSpec = strict({
  $schema: z.string().optional(),
  ...whose,
  benchmarks: z.array(Benchmark).min(1).default(['math-500', 'amc', 'aime-2024', 'aime-2025', 'arithmetic']),
  /** How much of a statement the model is given. */
  shares: z.array(z.number().gt(0).lt(1)).min(1).default([0.4, 0.6, 0.8]),
  limit: count.optional(),
  maxTokens: count.optional(),
  extract: z.enum(['box', 'any']).optional(),
}).refine(isOneOfTwo, oneOfTwo)
export type ProbeSpec = z.infer<typeof ProbeSpec>

export const SweepSpec = strict({
  $schema: z.string().optional(),
  base: TrainSpec.default({}),
  models: z.array(z.string().min(1)).min(1),
  arms: z.record(
    z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'lower-case letters, digits and -'),
    TrainSpec,
  ),
  seeds: z.array(z.int().min(0)).min(1),
  /** Adds the arms null (no training), random and format where they are missing. */
  controls: z.boolean().default(true),
  concurrency: count.optional(),
  /** By arm, 1 (first) to 5 (last): whose activities workers take first. 3 where nothing is said. */
  priorities: z.record(z.string(), z.int().min(1).max(5)).default({}),
})
export type SweepSpec = z.infer<typeof SweepSpec>

export const PretrainSpec = strict({
  $schema: z.string().optional(),
  recipe: z.enum(['coder', 'coder-87', 'talker', 'coder-llama']),
  seed: z.int().min(0).default(0),
})
export type PretrainSpec = z.infer<typeof PretrainSpec>

export const ExportSpec = strict({
  $schema: z.string().optional(),
  checkpoint: z.string().min(1), // <run> or <run>/<step>
  to: z.string().min(1), // file:///folder, inside what the worker allows
})
export type ExportSpec = z.infer<typeof ExportSpec>

export const GcSpec = strict({
  $schema: z.string().optional(),
  /** Counts what would go, and removes nothing. */
  dryRun: z.boolean().default(true),
  /** What was written within this time stays, whatever names it. */
  graceHours: z.number().min(0).default(168),
  /** Says that no worker writes to the store meanwhile; only then may the grace period be short. */
  quiet: z.boolean().default(false),
}).refine(({ graceHours, quiet }) => quiet || graceHours >= 48, {
  // A blob that is in the store is believed for a day; a manifest follows within an attempt, of 12 hours at most.
  message: 'at least 48, unless quiet is true (no worker writes to this store meanwhile)',
  path: ['graceHours'],
})
export type GcSpec = z.infer<typeof GcSpec>

export const VerifySpec = strict({
  $schema: z.string().optional(),
  /** Reads every blob and compares its digest; false compares sizes only. */
  digests: z.boolean().default(true),
  /** How many problems the result names; all are counted. */
  problems: count.max(100).default(20),
})
export type VerifySpec = z.infer<typeof VerifySpec>
