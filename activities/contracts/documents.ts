/** References, and the documents and rows of the store. Parsed whenever they are read. */
import { z } from 'zod'
import { digestOf } from '../checkpoint/canonical.ts'
import { Benchmark, DataSpec, ResolvedTrain } from './specs.ts'
import { count, Digest, RunId, strict } from './words.ts'

export const Blob = strict({ digest: Digest, sizeBytes: z.int().min(0) })
export type Blob = z.infer<typeof Blob>
export const NamedBlob = strict({ name: z.string().min(1), ...Blob.shape })
export type NamedBlob = z.infer<typeof NamedBlob>

/** Of files in any order: every name and content. */
export const digestOfFiles = (files: readonly NamedBlob[]): string => digestOf(filesInOrder(files))

/** As a policy lists them: by name. */
export const filesInOrder = (files: readonly NamedBlob[]): NamedBlob[] =>
  [...files]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, digest, sizeBytes }) => ({ name, digest, sizeBytes }))

/** A policy: the files of a Hugging Face folder (config, tokenizer, template, safetensors). `digest` covers them all. */
export const Policy = strict({ digest: Digest, files: z.array(NamedBlob).min(2) }).superRefine(
  ({ digest, files }, context) => {
    const found = digestOfFiles(files)
    if (found !== digest)
      context.addIssue({
        code: 'custom',
        path: ['digest'],
        message: `expected ${found}, of its files, found ${digest}`,
      })
  },
)
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

/** What the samples of one problem voted for. */
export const Label = strict({
  problem: z.string(),
  /** The answer with the most votes, as most of them wrote it; '' where no sample has an answer. */
  label: z.string(),
  votes: z.int().min(0),
  /** Samples that have an answer. */
  answered: z.int().min(0),
  samples: z.int().min(1),
  /** Different answers. */
  answers: z.int().min(0),
  /** Of the label against the gold answer; `none` without a label. */
  verdict: Verdict,
})
export type Label = z.infer<typeof Label>

/** A number with its 95% interval. */
export const Measured = strict({ value: z.number(), low: z.number(), high: z.number() })
export type Measured = z.infer<typeof Measured>

/** What a labelled problem set is like. Shares in 0..1; null where nothing is left to take a share of. */
export const Labelled = strict({
  problems: count,
  samples: count,
  /** Problems with a label. */
  labelled: z.int().min(0),
  /** … with a wrong one. */
  wrong: z.int().min(0),
  labelledShare: Measured,
  /** Of the problems with a label. */
  wrongShare: Measured.nullable(),
  /** Mean over problems with a label of the share of all their samples that voted for it. */
  agreement: Measured.nullable(),
})
export type Labelled = z.infer<typeof Labelled>

/** labels/<key>.json: labels of a problem set, and what made them. */
export const LabelsDocument = strict({
  format: z.literal(1),
  policy: Digest,
  problems: Digest,
  completions: z.string(), // key
  grader: z.string(),
  vote: z.string(),
  extract: z.string(),
  table: TableRef,
  result: Labelled,
})
export type LabelsDocument = z.infer<typeof LabelsDocument>

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
  /** By number of samples drawn: whether one of them is correct. Results of before it was noted lack both. */
  passAt: z.record(z.string(), Measured).optional(),
  /** Whether the answer of most samples is correct. */
  majAt: z.record(z.string(), Measured).optional(),
})
export type Accuracy = z.infer<typeof Accuracy>

/**
 * One evaluated (policy, benchmark, prompt, seed): the accuracy, and of each problem the shares of its samples that are
 * correct and that reason in code, and whether the answer of most of them is correct.
 */
export const Evaluation = strict({
  format: z.literal(1),
  policy: Digest,
  completions: z.string(), // key
  grader: z.string(),
  result: Accuracy,
  outcomes: z.array(
    strict({
      problem: z.string(),
      correct: z.number(),
      code: z.number(),
      /** 0 or 1; results of before it was noted lack it. */
      majority: z.number().optional(),
    }),
  ),
})
export type Evaluation = z.infer<typeof Evaluation>

/** How much of a benchmark's statements a policy restores from their first part. Shares in 0..1. */
export const Probed = strict({
  benchmark: z.string(),
  /** Of each statement, given. */
  share: z.number(),
  problems: z.int(),
  /** Problems too short to be cut. */
  leftOut: z.int(),
  truncated: z.number(),
  /** The rest restored to the letter. */
  exact: Measured,
  rougeL: Measured,
  /** The answer reached without having read the whole question. */
  correct: Measured,
})
export type Probed = z.infer<typeof Probed>

/** probes/<key>.json */
export const ProbeDocument = strict({
  format: z.literal(1),
  policy: Digest,
  completions: z.string(), // key
  grader: z.string(),
  result: Probed,
})
export type ProbeDocument = z.infer<typeof ProbeDocument>

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
  /** Why it ended before its steps were done. */
  stopped: z.string().optional(),
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

/** sweeps/<sweep>/runs.json: where each run of a sweep ended, for the nights that follow. */
export const SweepDocument = strict({
  format: z.literal(1),
  sweep: z.string(),
  /** The curve holds the last point of each benchmark. */
  runs: z.array(RunResult.pick({ model: true, arm: true, seed: true, run: true, status: true, curve: true })),
})
export type SweepDocument = z.infer<typeof SweepDocument>

/** models/<key>.json: what was taken in, whole. */
export const ModelDocument = strict({
  format: z.literal(1),
  source: z.string(),
  policy: Policy,
  /** What a person should know of it; absent where there is nothing, and from before it was noted. */
  notes: z.array(z.string()).optional(),
})
export type ModelDocument = z.infer<typeof ModelDocument>

const findings = strict({ count: z.int().min(0), first: z.array(z.string()) })
/** What a person should know of problems, with the first few of each kind by file and line. */
export const DataFindings = strict({
  /** Statements that come again. */
  duplicates: findings,
  /** Answers that the grader compares as text only. */
  unreadable: findings,
  /** Copies that were left out; absent where `duplicates` does not ask for it. */
  dropped: findings.optional(),
  /** Rows that were left out because they cannot be read; absent where `badRows` does not ask for it. */
  skipped: findings.optional(),
  /** Answers that say that there is none (`proof`, `notfound`). This and the next are absent where there is none. */
  placeholders: findings.optional(),
  /** Answers that no completion can be right by: placeholders, and what the grader does not find equal to itself. */
  never: findings.optional(),
  /** Answers that were taken from behind a mark without the spec saying so, and the mark. */
  after: strict({ mark: z.string(), count: z.int().min(0) }).optional(),
})
export type DataFindings = z.infer<typeof DataFindings>

/** 2 where problems have several answers or messages, which a program that knows 1 only would pass over in silence. */
const problemsFormat = z.union([z.literal(1), z.literal(2)])

/** data/<key>.json: the problems a spec's `data` stands for, as one blob (a JSON array of Problem). */
export const DataDocument = strict({
  format: problemsFormat,
  data: DataSpec,
  problems: Blob,
  count,
  /** Documents from before it was noted lack it. */
  findings: DataFindings.optional(),
  /** Of problems that carry labels: keys of the labels, and of the problems without them. */
  labelled: strict({ labels: z.string(), from: z.string() }).optional(),
})
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
  format: problemsFormat,
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
  /** False where the weights stayed with the worker that made them: elsewhere they are computed again. */
  stored: z.literal(false).optional(),
  /** Digests of the rollouts and rewards this step learnt from, by shard. */
  learntFrom: z.array(strict({ rollouts: Digest, rewards: Digest })),
})
export type CheckpointDocument = z.infer<typeof CheckpointDocument>

const shared = strict({ benchmark: z.int().min(0), training: z.int().min(0) })
/** What training problems share with one benchmark: how many problems of each side. */
export const Overlap = strict({
  benchmark: z.string(),
  /** Of the benchmark, as it is evaluated. */
  problems: z.int().min(0),
  /** The same statement, and a run of 13 words. */
  same: shared,
  words: shared,
  /** The first few pairs, by their ids. */
  first: z.array(strict({ training: z.string(), benchmark: z.string(), how: z.enum(['same', 'words']) })),
})
export type Overlap = z.infer<typeof Overlap>

/** overlaps/<key>.json, by what was compared; and runs/<run>/overlap.json, the run's own. */
export const OverlapDocument = strict({
  format: z.literal(1),
  /** Digests of the problems. */
  training: Digest,
  benchmarks: z.array(Digest),
  overlaps: z.array(Overlap),
})
export type OverlapDocument = z.infer<typeof OverlapDocument>

/** Why a run ended before its steps were done. */
export const Stopped = strict({
  rule: z.enum(['non-finite', 'entropy', 'reward']),
  /** The last step that the run kept. */
  step: z.int().min(0),
  message: z.string(),
})
export type Stopped = z.infer<typeof Stopped>

/** runs/<run>/result.json: how the run ended under a spec, the newest it was started under. */
export const ResultDocument = strict({
  format: z.literal(1),
  spec: z.string(),
  step: z.int().min(0),
  stopped: Stopped.optional(),
})
export type ResultDocument = z.infer<typeof ResultDocument>

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
  replayed: z.array(z.int()), // steps computed again to get a lost policy or optimizer state back
  /** Seconds of computing that the step took, sampling included; documents from before it was noted lack it. */
  deviceSeconds: z.number().optional(),
})
export type ProvenanceDocument = z.infer<typeof ProvenanceDocument>
