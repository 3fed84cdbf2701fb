/** What activities take and give. Parsed when an activity begins. */
import { z } from 'zod'
import { Stopped, TableRef, Verdict } from './documents.ts'
import { Benchmark, Labels, ResolvedTrain, Reward } from './specs.ts'
import { count, Digest, RunId, strict, Today } from './words.ts'

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
  date: Today.optional(),
  seed: z.int().min(0),
  limit: count.optional(),
  maxTokens: count.optional(),
  samples: count.optional(),
  temperature: z.number().min(0).max(10).optional(),
  extract: z.enum(['box', 'any']).optional(),
  /** Where a run notes that this evaluation is its own. */
  record: strict({ run: RunId, step: z.int().min(0) }).optional(),
  store: storeId,
})
export type EvaluationTask = z.infer<typeof EvaluationTask>

/** Labels of a problem set by one policy; like an evaluation, never of a step, run or arm. */
export const LabelTask = strict({
  source: Source,
  data: z.string(),
  ...Labels.omit({ unlabelled: true }).shape,
  date: Today.optional(),
  store: storeId,
})
export type LabelTask = z.infer<typeof LabelTask>

/** A problem set with labels in it, as a run's reward wants it. */
export const RelabelTask = strict({
  data: z.string(),
  labels: z.string(),
  reward: Reward,
  unlabelled: Labels.shape.unlabelled,
})
export type RelabelTask = z.infer<typeof RelabelTask>

/** One step of a run under another reward. */
export const ScoreTask = strict({ run: RunId, step: count, reward: Reward, labels: z.string().optional() })
export type ScoreTask = z.infer<typeof ScoreTask>

/** One benchmark of which a policy is given a share of each statement. */
export const ProbeTask = strict({
  source: Source,
  benchmark: Benchmark,
  share: z.number().gt(0).lt(1),
  limit: count.optional(),
  maxTokens: count.optional(),
  extract: z.enum(['box', 'any']).optional(),
  store: storeId,
})
export type ProbeTask = z.infer<typeof ProbeTask>

export const ShardTask = strict({
  run: RunId,
  spec: z.string(),
  step: z.int().min(1),
  shard: z.int().min(0),
  store: storeId,
})
export type ShardTask = z.infer<typeof ShardTask>

/** A completion as people look at one: its texts are cut where they are long. */
export const Sample = strict({
  problem: z.string(),
  statement: z.string(),
  completion: z.string(),
  reward: z.number(),
  verdict: Verdict,
})
export type Sample = z.infer<typeof Sample>

/** The first step that a version of the grader judged. */
export const Judged = strict({ grader: z.string(), from: count })
export type Judged = z.infer<typeof Judged>

/** The rewards of a shard; only the first shard says more, and results of before it was noted lack that. */
export const Rewarded = strict({
  ...TableRef.shape,
  /** The version of the grader that judged, where the reward looks at answers; and that of the step before, if another. */
  grader: z.string().exactOptional(),
  before: z.string().exactOptional(),
  samples: z.array(Sample).exactOptional(),
})
export type Rewarded = z.infer<typeof Rewarded>

export const StepTask = strict({
  run: RunId,
  spec: z.string(),
  step: z.int().min(1),
  shards: count,
  /** The optimizer's state goes to the store with this step, whether or not it is its turn. */
  whole: z.boolean().optional(),
  /** Another worker reads the weights of this step: an evaluation is due. */
  evaluated: z.boolean().optional(),
  /** Steps that were computed again before its rollouts could be sampled. */
  replayed: z.array(z.int()).optional(),
  /** What sampling the step's rollouts took of a device. */
  sampledSeconds: z.number().min(0).optional(),
  /** Digests of the step's tables, by shard, as they were stored for it. */
  tables: z.array(strict({ rollouts: Digest, rewards: Digest })).optional(),
  store: storeId,
})
export type StepTask = z.infer<typeof StepTask>

/** Of a run that goes on: what its steps and evaluations up to `step` left in the store. */
export const RecallTask = strict({
  run: RunId,
  step: z.int().min(0),
  /** What was evaluated, or should have been: the evaluations of these steps. */
  due: z.array(z.int().min(0)),
  evaluation: z.unknown(),
})
export type RecallTask = z.infer<typeof RecallTask>

export const ConcludeTask = strict({
  run: RunId,
  spec: z.string(),
  step: z.int().min(0),
  stopped: Stopped.optional(),
})
export type ConcludeTask = z.infer<typeof ConcludeTask>

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
  stopped: z.string().optional(),
})
export type Cell = z.infer<typeof Cell>
