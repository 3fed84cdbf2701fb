/**
 * What a user writes: the fields of specs.ts within their limits (limits.ts), all of them optional where a preset has a
 * value. Unknown keys are errors. Products of several fields are looked at when a spec is resolved (spec/within.ts).
 */
import { z } from 'zod'
import { largestFloat32, leastEps, most } from './limits.ts'
import { momentOf } from './moment.ts'
import {
  batch,
  Benchmark,
  checkpoint,
  data,
  DataSpec,
  engine,
  evaluate,
  Labels,
  labels,
  names,
  Preset,
  Reward,
  Sampling,
  Stop,
} from './specs.ts'
import { count, eitherOf, RunId, strict, Today } from './words.ts'

const text = (characters: number) => z.string().min(1).max(characters)
const name = z.string().max(most.nameCharacters)
const $schema = z.string().max(most.pathCharacters).optional()
const seed = z.int().min(0)
/** A number that weights could be moved by. */
const real = z.number().min(0).max(largestFloat32)
const below1 = z.number().min(0).lt(1)

/** A list names each of its values once. */
function once(values: readonly unknown[], context: z.RefinementCtx): void {
  const seen = new Map<unknown, number>()
  for (const [i, value] of values.entries()) {
    const before = seen.get(value)
    seen.set(value, i)
    if (before === undefined) continue
    const shown = JSON.stringify(value)?.slice(0, most.charactersShown)
    const message = `expected each once, found ${shown} as number ${before + 1} and number ${i + 1}`
    context.addIssue({ code: 'custom', path: [i], message })
    return
  }
}

/** Of an object that has more entries than fit. */
const tooMany = (what: 'columns' | 'arms') => ({
  error: ({ input }: { readonly input?: unknown }) =>
    `expected at most ${most[what]} ${what}, found ${Object.keys(input ?? {}).length}`,
})

/** Depth and parts of a reward; its schema has been through it, so it is not deep enough to do harm. */
function sizeOf(reward: Reward): { depth: number; parts: number } {
  if (typeof reward === 'string' || 'random' in reward) return { depth: 1, parts: 1 }
  const inner = ('not' in reward ? [reward.not] : reward.all).map(sizeOf)
  return {
    depth: 1 + Math.max(...inner.map(({ depth }) => depth)),
    parts: 1 + inner.reduce((sum, { parts }) => sum + parts, 0),
  }
}

const AskedReward = Reward.superRefine((reward, context) => {
  const { depth, parts } = sizeOf(reward)
  const say = (message: string) => context.addIssue({ code: 'custom', message })
  if (depth > most.rewardDepth)
    say(`expected at most ${most.rewardDepth} rewards within one another, found ${depth}`)
  if (parts > most.rewardParts) say(`expected at most ${most.rewardParts} parts, found ${parts}`)
})

const filterValue = z.union([name, z.number()])
const filter = z.union([name, z.number(), z.array(filterValue).max(most.filterValues)])
const askedData = {
  ...data,
  source: text(most.pathCharacters).optional(),
  columns: data.columns.refine(
    (columns) => Object.keys(columns ?? {}).length <= most.columns,
    tooMany('columns'),
  ),
  where: names(
    z
      .record(name, z.union([filter, strict({ not: filter })]))
      .refine((where) => Object.keys(where).length <= most.columns, tooMany('columns')),
  ).optional(),
  only: z.array(name).min(1).max(most.only).superRefine(once).optional(),
  limit: count.max(most.problems).optional(),
}
const askedSampling = { ...Sampling.shape, maxTokens: count.max(most.tokens) }
const askedSamples = count.max(most.samples)
const prompt = text(most.promptCharacters)
/** What chat templates are told that ask for today (`strftime_now`): they are refused without it. */
const date = Today.refine((text) => momentOf(text) !== null, 'a day and a time that there are')
const model = text(most.modelCharacters)

/** How much of a benchmark is evaluated; absent fields have the benchmark's own protocol. */
const look = {
  limit: count.max(most.problems).optional(),
  maxTokens: count.max(most.tokens).optional(),
  samples: askedSamples.optional(),
  temperature: z.number().min(0).max(10).optional(),
  extract: z.enum(['box', 'any']).optional(),
}
const benchmarks = z.array(Benchmark).superRefine(once)

/** Names that workflows are found by, as the search attribute `Tags`: in a query without quoting. */
const tags = z
  .array(
    z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._:@=+/-]{0,63}$/,
        'letters, digits and . _ : @ = + / - (first a letter or digit, at most 64)',
      ),
  )
  .min(1)
  .max(most.tags)
  .superRefine(once)
  .optional()

/** What a user writes: anything left out has its preset's value. */
export const TrainSpec = strict({
  $schema,
  tags,
  preset: Preset.optional(),
  model: model.optional(),
  prompt: prompt.optional(),
  date: date.optional(),
  reward: AskedReward.optional(),
  seed: seed.optional(),
  steps: z.int().min(0).max(most.steps).optional(),
  data: strict(askedData).optional(),
  /** How the labels of `majority` and `incorrect` are made; other rewards do without. */
  labels: strict({
    ...Labels.shape,
    samples: askedSamples,
    prompt,
    sampling: strict(askedSampling).partial(),
  })
    .partial()
    .optional(),
  batch: strict({
    ...batch,
    problems: count.max(most.batchProblems),
    group: askedSamples,
    minibatch: count.max(most.batchCompletions),
    microbatchTokens: count.max(most.microbatchTokens),
  })
    .partial()
    .optional(),
  sampling: strict(askedSampling).partial().optional(),
  objective: z
    .strictObject({
      name: z.enum(['grpo', 'nll']),
      clip: z.tuple([z.number().gt(0).max(1), z.number().gt(0).max(largestFloat32)]).nullable(),
      kl: real,
      scale: z.enum(['group', 'batch', 'none']),
      whiten: z.boolean(),
      average: z.enum(['tokens', 'sequence', 'microbatch']),
    })
    .partial()
    .optional(),
  optimizer: z
    .strictObject({
      name: z.enum(['adamw', 'sgd']),
      learningRate: real,
      betas: z.tuple([below1, below1]),
      eps: z.number().min(leastEps).max(1),
      weightDecay: real,
      maxGradNorm: z.number().gt(0),
    })
    .partial()
    .optional(),
  evaluate: strict({ ...evaluate, ...look, every: z.int().min(0).max(most.steps), benchmarks })
    .partial()
    .optional(),
  checkpoint: strict({ ...checkpoint, every: count.max(most.steps), keep: count.max(most.steps) })
    .partial()
    .optional(),
  stop: Stop.optional(),
  engine: engine.optional(),
})
export type TrainSpec = z.infer<typeof TrainSpec>

/** A run's checkpoint as `<run>` (its newest) or `<run>/<step>`. */
const CheckpointName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:@=+-]{0,199}(\/\d{1,7})?$/,
    'expected <run> or <run>/<step>, a run being letters, digits and . _ : @ = + - (at most 200)',
  )
/** One of the two: a model, or a run's checkpoint. */
const whose = { model: model.optional(), checkpoint: CheckpointName.optional() }
const isOneOfTwo = ({ model, checkpoint }: { model?: string | undefined; checkpoint?: string | undefined }) =>
  (model === undefined) !== (checkpoint === undefined)
const oneOfTwo = {
  error: ({ input }: { readonly input?: unknown }) => eitherOf('model', 'checkpoint', input),
  path: ['model'],
}

export const EvaluateSpec = strict({
  $schema,
  tags,
  ...whose,
  benchmarks: benchmarks.min(1),
  /** Absent: the prompt a run was trained under; for a model, what it can read. */
  prompts: z.array(prompt).min(1).max(most.prompts).superRefine(once).optional(),
  /** Absent, and `prompts` too: what a run was trained under. */
  date: date.optional(),
  seed: seed.default(0),
  ...look,
}).refine(isOneOfTwo, oneOfTwo)
export type EvaluateSpec = z.infer<typeof EvaluateSpec>

export const LabelSpec = strict({
  $schema,
  ...whose,
  data: strict(askedData).pipe(DataSpec),
  samples: askedSamples.default(64),
  seed: seed.default(0),
  /** Absent: the prompt a run was trained under; for a model, what it can read. */
  prompt: prompt.optional(),
  /** Absent, and `prompt` too: what a run was trained under. */
  date: date.optional(),
  sampling: strict(askedSampling).partial().default({}),
  vote: labels.vote.default('equivalent'),
  extract: labels.extract.default('box'),
}).refine(isOneOfTwo, oneOfTwo)
export type LabelSpec = z.infer<typeof LabelSpec>

export const ScoreSpec = strict({
  $schema,
  run: RunId,
  /** Of the run's stored steps; absent: all. */
  steps: z.array(count.max(most.steps)).min(1).max(most.scoredSteps).superRefine(once).optional(),
  reward: AskedReward,
  /** For `majority` and `incorrect`: the labels that a `label` workflow returned, if not those the run learnt from. */
  labels: z
    .string()
    .regex(/^labels\/[0-9a-f]{64}\.json$/, 'the key of labels')
    .optional(),
})
export type ScoreSpec = z.infer<typeof ScoreSpec>

export const ProbeSpec = strict({
  $schema,
  ...whose,
  benchmarks: benchmarks.min(1).default(['math-500', 'amc', 'aime-2024', 'aime-2025', 'arithmetic']),
  /** How much of a statement the model is given. */
  shares: z.array(z.number().gt(0).lt(1)).min(1).max(most.shares).superRefine(once).default([0.4, 0.6, 0.8]),
  limit: look.limit,
  maxTokens: look.maxTokens,
  extract: look.extract,
}).refine(isOneOfTwo, oneOfTwo)
export type ProbeSpec = z.infer<typeof ProbeSpec>

export const SweepSpec = strict({
  $schema,
  tags,
  base: TrainSpec.default({}),
  models: z.array(model).min(1).max(most.models).superRefine(once),
  arms: names(
    z
      .record(z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'lower-case letters, digits and -'), TrainSpec)
      .refine((arms) => Object.keys(arms).length <= most.arms, tooMany('arms')),
  ),
  seeds: z.array(seed).min(1).max(most.seeds).superRefine(once),
  /** Adds the arms null (no training), random and format where they are missing. */
  controls: z.boolean().default(true),
  concurrency: count.max(most.concurrency).optional(),
  /** By arm, 1 (first) to 5 (last): whose activities workers take first. 3 where nothing is said. */
  priorities: names(z.record(name, z.int().min(1).max(5))).default({}),
}).refine(({ arms, controls }) => controls || Object.keys(arms).length > 0, {
  message: 'expected at least one arm, or controls',
  path: ['arms'],
})
export type SweepSpec = z.infer<typeof SweepSpec>

export const PretrainSpec = strict({
  $schema,
  recipe: z.enum(['coder', 'coder-87', 'talker', 'coder-llama']),
  seed: seed.default(0),
})
export type PretrainSpec = z.infer<typeof PretrainSpec>

export const ExportSpec = strict({
  $schema,
  checkpoint: CheckpointName,
  to: text(most.pathCharacters), // file:///folder, inside what the worker allows
})
export type ExportSpec = z.infer<typeof ExportSpec>

export const GcSpec = strict({
  $schema,
  /** Counts what would go, and removes nothing. */
  dryRun: z.boolean().default(true),
  /** What was written within this time stays, whatever names it. */
  graceHours: z.number().min(0).max(most.graceHours).default(168),
  /** Says that no worker writes to the store meanwhile; only then may the grace period be short. */
  quiet: z.boolean().default(false),
}).refine(({ graceHours, quiet }) => quiet || graceHours >= 48, {
  // A blob that is in the store is believed for a day; a manifest follows within an attempt, of 12 hours at most.
  message: 'expected at least 48, unless quiet is true (no worker writes to this store meanwhile)',
  path: ['graceHours'],
})
export type GcSpec = z.infer<typeof GcSpec>

export const VerifySpec = strict({
  $schema,
  /** Reads every blob and compares its digest; false compares sizes only. */
  digests: z.boolean().default(true),
  /** How many problems the result names; all are counted. */
  problems: count.max(100).default(20),
})
export type VerifySpec = z.infer<typeof VerifySpec>
