/**
 * A spec as it is stored: every field, as wide as it was when the first was written, since what is stored stays readable.
 * What a user may write is narrower (asked.ts). Unknown keys are errors: a typo must not train for a day.
 */
import { z } from 'zod'
import { count, eitherOf, probability, strict, Today } from './words.ts'

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
export const names = <T extends z.ZodType>(record: T) =>
  z.preprocess((value, context) => {
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__'))
      context.issues.push({ code: 'custom', message: 'expected a name, found __proto__', input: value })
    return value
  }, record) as unknown as T // what it takes and gives is the record's

const filterValue = z.union([z.string(), z.number()])
const wanted = z.union([filterValue, z.array(filterValue)])

export const data = {
  /** One of the two: a set that we know, or a user's file of JSON Lines or Parquet. */
  name: z.enum(['nano', 'arithmetic', 'deepscaler', 'math-500', 'amc', 'aime-2024', 'aime-2025']).optional(),
  /** file:///…, s3://… or hf://datasets/owner/name@revision/path. */
  source: z.string().min(1).optional(),
  /**
   * Of a file: its column for `problem`, `answer` and `id` where it has another name, and further ones to keep. An answer
   * may be what stands behind a mark in its column: `{ "column": "answer", "after": "####" }`.
   */
  columns: names(
    z
      .record(
        z.string().regex(/^[A-Za-z]\w*$/, 'a name of letters, digits and _'),
        z.union([z.string(), strict({ column: z.string(), after: z.string().min(1).max(100) })]),
      )
      .superRefine((columns, context) => {
        for (const [name, column] of Object.entries(columns))
          if (typeof column !== 'string' && name !== 'answer')
            context.addIssue({
              code: 'custom',
              path: [name],
              message: 'expected the name of a column: `after` belongs to `answer`',
            })
      }),
  ).optional(),
  /** nano and arithmetic have both; the benchmarks are all test, deepscaler is all train. */
  split: z.enum(['train', 'test']).optional(),
  /** By column, the value or values that a row must have; `{ "not": … }`: those that it must not have. */
  where: names(z.record(z.string(), z.union([wanted, strict({ not: wanted })]))).optional(),
  only: z.array(z.string()).min(1).optional(),
  /** Seed of a shuffle before `limit` takes the first; absent keeps the set's own order. */
  shuffle: z.int().min(0).optional(),
  limit: count.optional(),
  /** `drop`: of problems with the same statement and answer, letter by letter, the first is kept. */
  duplicates: z.literal('drop').optional(),
  /** `skip`: rows that cannot be read are left out and counted. Absent: they are refused. */
  badRows: z.literal('skip').optional(),
}
export const DataSpec = strict(data)
  .refine(({ name, source }) => (name === undefined) !== (source === undefined), {
    error: ({ input }) => eitherOf('name', 'source', input),
    path: ['name'],
  })
  .refine(({ name, columns }) => name === undefined || columns === undefined, {
    message: 'expected none but of a source: the sets that have a name have our columns',
    path: ['columns'],
  })
  .refine(({ source, split }) => source === undefined || split === undefined, {
    message: 'expected none of a file, which has no splits',
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
export const labels = {
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

export const batch = { problems: count, group: count, minibatch: count, microbatchTokens: count }
export const evaluate = {
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
  /** false: an evaluation that fails is a note, and the curve lacks its point. Absent: it fails the run. */
  required: z.boolean().optional(),
}
export const checkpoint = { every: count, keep: count }
/** When a run ends before its steps are done. The rules look at the last `steps` steps; nothing acts unless named. */
export const Stop = strict({
  /** A loss, weights or logits that are not finite end the run at its last sound step, instead of failing it. */
  nonFinite: z.boolean().optional(),
  /** The policy's mean entropy, in nats a token. */
  entropy: strict({ below: z.number().gt(0), steps: count.max(100) }).optional(),
  /** The mean reward of a batch. */
  reward: strict({ atMost: z.number().default(0), steps: count.max(100) }).optional(),
})
export type Stop = z.infer<typeof Stop>
export const engine = strict({ name: z.enum(['onnx']) })
export const Preset = z.enum(['paper', 'reference', 'demo'])
export type Preset = z.infer<typeof Preset>

/** Every field resolved: what a run is computed from, stored under its hash. */
export const ResolvedTrain = strict({
  model: z.string().min(1),
  prompt: z.string().min(1),
  /** For chat templates that ask for today; absent where none is asked. */
  date: Today.optional(),
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
