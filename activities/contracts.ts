/**
 * Every shape that crosses a boundary: specs from the command line, activity arguments and results, stored documents.
 * Schema and inferred type share a name. Parsed at three edges (workflow input in `admit`, activity entry, stored
 * documents); inside, types are trusted. Unknown keys are errors everywhere: a typo must not train for a day.
 */
import { z } from 'zod'

const strict = z.strictObject
export const Digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 digest of 64 hexadecimal digits')
/** A run is its workflow id: no slash, so prefixes never nest. */
export const RunId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:@=+-]{0,199}$/,
    'letters, digits and . _ : @ = + - (first a letter or digit, at most 200)',
  )
const count = z.int().min(1)
const probability = z.number().min(0).max(1)

// ── Specs ───────────────────────────────────────────────────────────────────────────────────────────────────────

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

export const DataSpec = strict({
  name: z.enum(['nano', 'arithmetic', 'deepscaler', 'math-500', 'amc', 'aime-2024', 'aime-2025']),
  /** nano and arithmetic have both; the benchmarks are all test, deepscaler is all train. */
  split: z.enum(['train', 'test']).optional(),
  where: z
    .record(z.string(), z.union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))]))
    .optional(),
  only: z.array(z.string()).min(1).optional(),
  limit: count.optional(),
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
}
const checkpoint = { every: count, keep: count }
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
  batch: strict(batch),
  sampling: Sampling,
  objective: Objective,
  optimizer: Optimizer,
  evaluate: strict(evaluate),
  checkpoint: strict(checkpoint),
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
  data: DataSpec.partial().optional(),
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
  engine: engine.optional(),
})
export type TrainSpec = z.infer<typeof TrainSpec>

export const EvaluateSpec = strict({
  $schema: z.string().optional(),
  /** One of the two: a model, or a run's checkpoint as `<run>` (its newest) or `<run>/<step>`. */
  model: z.string().min(1).optional(),
  checkpoint: z.string().min(1).optional(),
  benchmarks: z.array(Benchmark).min(1),
  prompts: z.array(z.string()).min(1).default(['default']),
  seed: z.int().min(0).default(0),
  limit: count.optional(),
  maxTokens: count.optional(),
  samples: count.optional(),
  temperature: z.number().min(0).max(10).optional(),
}).refine((spec) => (spec.model === undefined) !== (spec.checkpoint === undefined), {
  message: 'give either model or checkpoint',
  path: ['model'],
})
export type EvaluateSpec = z.infer<typeof EvaluateSpec>

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

// ── References and stored documents ─────────────────────────────────────────────────────────────────────────────

export const Blob = strict({ digest: Digest, sizeBytes: z.int().min(0) })
export type Blob = z.infer<typeof Blob>
export const NamedBlob = strict({ name: z.string().min(1), ...Blob.shape })
export type NamedBlob = z.infer<typeof NamedBlob>

/** A policy: the files of a Hugging Face folder (config, tokenizer, template, safetensors). `digest` covers them all. */
export const Policy = strict({ digest: Digest, files: z.array(NamedBlob).min(2) })
export type Policy = z.infer<typeof Policy>

/**
 * A policy and what the optimizer remembers. `updates` counts optimizer steps; `state` is [] where the optimizer has
 * none, null where it was not stored (it is recomputed from stored rollouts). `lineage` names the whole past: the
 * initial policy, then every batch learnt from, so that equal lineage means equal state, stored or not.
 */
export const Checkpoint = strict({
  policy: Policy,
  lineage: Digest,
  optimizer: strict({
    name: z.enum(['adamw', 'sgd']),
    updates: z.int().min(0),
    state: z.array(NamedBlob).nullable(),
  }),
})
export type Checkpoint = z.infer<typeof Checkpoint>

/** A stored table: its key, the digest of its canonical rows, its row count. */
export const TableRef = strict({ key: z.string(), digest: Digest, rows: z.int().min(0) })
export type TableRef = z.infer<typeof TableRef>

/** One prompt's occurrence in a batch, as the rollouts table writes it. */
export const Rollout = strict({
  problem: z.string(),
  occurrence: z.int().min(0),
  sample: z.int().min(0),
  prompt: z.string(),
  completion: z.string(),
  promptTokens: z.array(z.int()),
  tokens: z.array(z.int()),
  logprobs: z.array(z.number()),
  stop: z.enum(['end', 'stop', 'length']),
  policy: Digest,
  strategy: z.enum(['code', 'language']),
})
export type Rollout = z.infer<typeof Rollout>

export const Verdict = z.enum(['correct', 'incorrect', 'unparsed', 'none'])
export type Verdict = z.infer<typeof Verdict>

export const Scored = strict({
  problem: z.string(),
  occurrence: z.int().min(0),
  sample: z.int().min(0),
  value: z.number(),
  verdict: Verdict,
  reason: z.string(),
  /** Raw value of every named component, as JSON in the table. */
  components: z.record(z.string(), z.number()),
})
export type Scored = z.infer<typeof Scored>

export const Metrics = z.record(z.string(), z.number())
export type Metrics = z.infer<typeof Metrics>

/** An accuracy with its 95% interval, and what kind of answers made it. All shares in 0..1. */
export const Accuracy = strict({
  benchmark: z.string(),
  prompt: z.string(),
  problems: z.int(),
  samples: z.int(),
  accuracy: z.number(),
  low: z.number(),
  high: z.number(),
  unparsed: z.number(),
  truncated: z.number(),
  meanTokens: z.number(),
  code: z.number(), // share of completions that reason in code
  accuracyInCode: z.number().nullable(),
  accuracyInLanguage: z.number().nullable(),
})
export type Accuracy = z.infer<typeof Accuracy>

/** One evaluated (policy, benchmark, prompt, seed): the accuracy and each problem's share correct and code share. */
export const Evaluation = strict({
  format: z.literal(1),
  policy: Digest,
  completions: z.string(), // key
  grader: z.string(),
  result: Accuracy,
  outcomes: z.array(strict({ problem: z.string(), correct: z.number(), code: z.number() })),
})
export type Evaluation = z.infer<typeof Evaluation>

/** runs/<run>/steps/<step>/evaluation-<benchmark>.json: which evaluation is a run's own at this step. */
export const EvaluationRecord = strict({
  format: z.literal(1),
  benchmark: Benchmark,
  prompt: z.string(),
  evaluation: z.string(),
})
export type EvaluationRecord = z.infer<typeof EvaluationRecord>

/** One run of a sweep as the report reads it. `curve` holds each evaluated step, step 0 first. */
export const RunResult = strict({
  model: z.string(),
  arm: z.string(),
  seed: z.int(),
  run: z.string(),
  status: z.enum(['completed', 'failed']),
  failure: z.string().optional(),
  curve: z.array(
    strict({
      step: z.int(),
      benchmark: z.string(),
      accuracy: z.number(),
      low: z.number(),
      high: z.number(),
      code: z.number(),
      evaluation: z.string(),
    }),
  ),
  metrics: z.array(strict({ step: z.int(), metrics: Metrics })),
  deviceSeconds: z.number(),
})
export type RunResult = z.infer<typeof RunResult>

/** models/<key>.json: what was taken in, whole. */
export const ModelDocument = strict({ format: z.literal(1), source: z.string(), policy: Policy })
export type ModelDocument = z.infer<typeof ModelDocument>

/** data/<key>.json: the problems a spec's `data` stands for, as one blob (a JSON array of Problem). */
export const DataDocument = strict({ format: z.literal(1), data: DataSpec, problems: Blob, count })
export type DataDocument = z.infer<typeof DataDocument>

/** pretrain/<lineage>.json: a nano model on its way. */
export const PretrainDocument = strict({
  format: z.literal(1),
  checkpoint: Checkpoint,
  loss: z.number().nullable(),
})
export type PretrainDocument = z.infer<typeof PretrainDocument>

/** specs/<hash>.json: all that a run's activities must know. */
export const SpecDocument = strict({
  format: z.literal(1),
  identity: Digest,
  spec: ResolvedTrain,
  model: z.string(), // key of the ModelDocument
  policy: Digest,
  data: z.string(), // key of the DataDocument
  problems: Blob,
})
export type SpecDocument = z.infer<typeof SpecDocument>

/** runs/<run>/run.json: whose prefix this is. The one document of a run that grows. */
export const RunDocument = strict({
  format: z.literal(1),
  run: RunId,
  namespace: z.string(),
  identity: Digest,
  specs: z.array(z.string()).min(1), // keys, in the order the run was started under them
})
export type RunDocument = z.infer<typeof RunDocument>

/** runs/<run>/checkpoints/<step>.json, written last: everything it names is there. Step 0 is the initial policy. */
export const CheckpointDocument = strict({
  format: z.literal(1),
  identity: Digest,
  step: z.int().min(0),
  policy: Policy,
  checkpoint: Checkpoint.omit({ policy: true }),
  /** Digests of the rollouts and rewards this step learnt from, by shard. */
  learntFrom: z.array(strict({ rollouts: Digest, rewards: Digest })),
})
export type CheckpointDocument = z.infer<typeof CheckpointDocument>

/** runs/<run>/steps/<step>/metrics.json: only what is deterministic. */
export const MetricsDocument = strict({ format: z.literal(1), step: z.int().min(1), metrics: Metrics })
export type MetricsDocument = z.infer<typeof MetricsDocument>

/** runs/<run>/steps/<step>/provenance.json: who computed it, where, at what cost. The last writer's word. */
export const ProvenanceDocument = strict({
  format: z.literal(1),
  worker: z.string(),
  domain: z.string(),
  attempt: z.int(),
  startedAt: z.string(),
  seconds: z.number(),
  replayed: z.array(z.int()), // steps computed again to get a lost optimizer state back
})
export type ProvenanceDocument = z.infer<typeof ProvenanceDocument>

// ── What activities take and give ───────────────────────────────────────────────────────────────────────────────

/** The id of the store that a run lies in; tasks of runs from before it was noted lack it. */
const storeId = z.uuid().optional()

/** Where a policy's manifest lies: models/<key>.json or runs/<run>/checkpoints/<step>.json. */
export const Source = z
  .string()
  .regex(
    /^(models\/[0-9a-f]{64}|runs\/[^/]+\/checkpoints\/\d{6,})\.json$/,
    'the key of a model or a checkpoint',
  )

/** One benchmark under one prompt for one policy. Never step, run or arm: equal work has one result. */
export const EvaluationTask = strict({
  source: Source,
  benchmark: Benchmark,
  prompt: z.string(),
  seed: z.int().min(0),
  limit: count.optional(),
  maxTokens: count.optional(),
  samples: count.optional(),
  temperature: z.number().min(0).max(10).optional(),
  /** Where a run notes that this evaluation is its own. */
  record: strict({ run: RunId, step: z.int().min(0) }).optional(),
})
export type EvaluationTask = z.infer<typeof EvaluationTask>

export const ShardTask = strict({
  run: RunId,
  spec: z.string(),
  step: z.int().min(1),
  shard: z.int().min(0),
  store: storeId,
})
export type ShardTask = z.infer<typeof ShardTask>

export const StepTask = strict({
  run: RunId,
  spec: z.string(),
  step: z.int().min(1),
  shards: count,
  /** The optimizer's state goes to the store with this step, whether or not it is its turn. */
  whole: z.boolean().optional(),
  store: storeId,
})
export type StepTask = z.infer<typeof StepTask>

export const EnrollTask = strict({ run: RunId, spec: ResolvedTrain, model: Source, data: z.string() })
export type EnrollTask = z.infer<typeof EnrollTask>

/** A number of objects and their bytes. */
export const Sum = strict({ count: z.int().min(0), sizeBytes: z.int().min(0) })
export type Sum = z.infer<typeof Sum>

/** Something found wrong in the store, and where. */
export const Problem = strict({ key: z.string(), problem: z.string() })
export type Problem = z.infer<typeof Problem>

const survey = { survey: RunId, cutoffMs: z.number() }
const digit = z.string().regex(/^[0-9a-f]$/, 'a hexadecimal digit')

/** One page of a survey. `strict` refuses to go on when a manifest cannot be read. */
export const SurveyTask = strict({
  ...survey,
  page: z.int().min(0),
  after: z.string(),
  strict: z.boolean(),
  maxProblems: count,
})
export type SurveyTask = z.infer<typeof SurveyTask>

/** Blobs whose digests begin with one digit. */
export const CollectTask = strict({ ...survey, digit, dryRun: z.boolean() })
export type CollectTask = z.infer<typeof CollectTask>
export const Collected = strict({ after: z.string(), needed: Sum, young: Sum, unneeded: Sum, removed: Sum })
export type Collected = z.infer<typeof Collected>

export const DiscardTask = CollectTask.omit({ digit: true })
export type DiscardTask = z.infer<typeof DiscardTask>

export const InspectTask = strict({ survey: RunId, digit, digests: z.boolean(), maxProblems: count })
export type InspectTask = z.infer<typeof InspectTask>
export const Inspected = strict({
  after: z.string(),
  intact: Sum,
  readBytes: z.int().min(0),
  gone: z.int().min(0),
  problemCount: z.int().min(0),
  problems: z.array(Problem),
})
export type Inspected = z.infer<typeof Inspected>

/** A cell of a sweep: one run, and how it ended. */
export const Cell = strict({
  model: z.string(),
  arm: z.string(),
  seed: z.int(),
  run: RunId,
  status: z.enum(['completed', 'failed']),
  failure: z.string().optional(),
})
export type Cell = z.infer<typeof Cell>
