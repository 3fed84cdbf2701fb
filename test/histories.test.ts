/**
 * Everything that the recorded histories hold is read with today's schemas: inputs and results of activities, of
 * workflows and of their children, and what continue-as-new carries. Histories of running workflows hold the same, so
 * a field that became required, or went, shows here.
 *
 * Where a boundary has no schema of its own the table has one, tied to the type that the activity or workflow declares:
 * a new required field of it does not compile. A recorded type without a row fails.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import * as contracts from '../activities/contracts.ts'
import { AtWork } from '../activities/contracts/heartbeat.ts'
import type { Activities } from '../activities/index.ts'
import type * as workflows from '../workflows/index.ts'
import type { GcState } from '../workflows/gc.ts'
import type { LabelState } from '../workflows/label.ts'
import type { TrainState } from '../workflows/progress.ts'
import type { VerifyState } from '../workflows/verify.ts'

const strict = z.strictObject
const { Digest } = contracts
const natural = z.int().min(0)
const range = strict({ from: natural, to: natural })
const shards = natural
const names = z.array(z.string())
const tags = names.exactOptional()
const admission = { attributes: names, missing: names, tags }
const sampled = { ...contracts.TableRef.shape, deviceSeconds: z.number().min(0) }
const model = strict({ source: contracts.Source, policy: Digest })
const shardOf = <T extends z.ZodType>(task: T) => strict({ task, shard: natural })
const ended = <T extends z.ZodType>(task: T) => strict({ task, shards })
const planned = <T extends z.ZodType>(result: T) => strict({ shards, result: result.nullable() })
const shared = strict({ count: natural, sizeBytes: natural })

const stepScore = strict({
  step: z.int().min(1),
  table: z.string(),
  leftOut: natural,
  rollouts: natural,
  mean: z.number().nullable(),
  trainedMean: z.number().nullable(),
  agreement: z.number().nullable(),
  correlation: z.number().nullable().exactOptional(),
  deviations: strict({ own: z.number(), trained: z.number(), both: z.number() }).exactOptional(),
  components: z.record(z.string(), z.number()),
})
const cell = { run: contracts.RunId, model: z.string(), arm: z.string(), seed: natural }
const learn = { recipe: contracts.PretrainSpec.shape.recipe, seed: natural, store: z.uuid().exactOptional() }
const csv = strict({ results: z.string(), runs: z.string() }).exactOptional()
const report = strict({ text: z.string(), page: z.string(), results: z.string(), csv, failed: natural })
/** What a spec would take: quantities, each with its source. */
const estimated = strict({
  type: z.enum([
    'train',
    'evaluate',
    'label',
    'probe',
    'sweep',
    'score',
    'pretrain',
    'export',
    'gc',
    'verify',
  ]),
  quantities: z.array(
    strict({
      of: z.string(),
      name: z.string(),
      value: z.number(),
      unit: z.enum(['parameters', 'bytes', 'tokens', 'FLOP', 'seconds', 'count']),
      source: z.discriminatedUnion('kind', [
        strict({ kind: z.literal('exact') }),
        strict({ kind: z.literal('measured'), on: z.string() }),
        strict({ kind: z.literal('estimated'), by: z.string() }),
      ]),
    }),
  ),
  notes: z.array(z.string()),
})
const exported = strict({ folder: z.string(), policy: Digest })
const uploads = strict({ stale: natural, young: natural, discarded: natural })

// ── Activities ──────────────────────────────────────────────────────────────────────────────────────────────────

type Verbs = Activities['light'] & Activities['compute']
type Row<Verb extends (input: never) => Promise<unknown>> = readonly [
  input: z.ZodType<Parameters<Verb>[0]>,
  result: z.ZodType<Awaited<ReturnType<Verb>>>,
]

/** Input and result by the activity's name. */
const activities = {
  admitTrain: [
    strict({ spec: contracts.TrainSpec, run: contracts.RunId }),
    strict({ spec: contracts.ResolvedTrain, ...admission }),
  ],
  admitEvaluate: [
    strict({ spec: contracts.EvaluateSpec }),
    strict({
      spec: contracts.EvaluateSpec,
      model: z.string().nullable(),
      attributes: names.exactOptional(),
      missing: names.exactOptional(),
      tags,
    }),
  ],
  admitLabel: [
    strict({ spec: contracts.LabelSpec }),
    strict({ spec: contracts.LabelSpec, model: z.string().nullable() }),
  ],
  admitProbe: [
    strict({ spec: contracts.ProbeSpec }),
    strict({ spec: contracts.ProbeSpec, model: z.string().nullable() }),
  ],
  admitScore: [
    strict({ spec: contracts.ScoreSpec }),
    strict({ spec: contracts.ScoreSpec, steps: z.array(z.int().min(1)) }),
  ],
  admitSweep: [
    strict({ spec: contracts.SweepSpec, sweep: z.string() }),
    strict({
      total: natural,
      initial: z.array(contracts.EvaluateSpec),
      labels: z.array(contracts.LabelSpec),
      concurrency: z.int().min(1),
      ...admission,
    }),
  ],
  admitPretrain: [
    strict({ spec: contracts.PretrainSpec }),
    strict({
      spec: strict({ ...learn, store: z.uuid() }),
      phases: z.array(
        strict({ phase: z.enum(['base', 'coder-apart', 'coder', 'coder-87', 'talker']), updates: natural }),
      ),
    }),
  ],
  admitGc: [strict({ spec: contracts.GcSpec }), contracts.GcSpec],
  admitVerify: [strict({ spec: contracts.VerifySpec }), contracts.VerifySpec],
  planCells: [
    strict({ spec: contracts.SweepSpec, sweep: z.string(), from: natural }),
    z.array(
      z.union([
        strict({ ...cell, spec: contracts.ResolvedTrain, priority: z.int().min(1).max(5), tags }),
        strict({ ...cell, ended: contracts.Cell }),
      ]),
    ),
  ],
  intakeModel: [strict({ model: z.string() }), model],
  intakeData: [
    strict({ data: contracts.DataSpec, run: contracts.RunId.exactOptional() }),
    strict({
      source: z.string(),
      count: natural,
      findings: contracts.DataFindings.exactOptional(),
    }),
  ],
  estimate: [
    strict({ spec: z.unknown() }),
    estimated.extend({ table: z.array(z.tuple([z.string(), z.string(), z.string(), z.string()])) }),
  ],
  enroll: [
    contracts.EnrollTask,
    strict({
      spec: z.string(),
      step: natural,
      shards,
      store: z.uuid(),
      overlaps: z.array(contracts.Overlap),
    }),
  ],
  conclude: [contracts.ConcludeTask, model],
  recall: [
    contracts.RecallTask.extend({ evaluation: contracts.EvaluateSpec }),
    strict({
      recent: z.array(strict({ step: natural, metrics: contracts.Metrics })),
      curve: z.array(contracts.Accuracy.extend({ step: natural })),
      missing: z.array(natural),
      graders: z.array(contracts.Judged).exactOptional(),
      samples: z.array(contracts.Sample).exactOptional(),
    }),
  ],
  sample: [contracts.ShardTask, strict({ ...sampled, replayed: z.array(natural).exactOptional() })],
  reward: [contracts.ShardTask, contracts.Rewarded],
  step: [
    contracts.StepTask,
    strict({
      policy: Digest,
      metrics: contracts.Metrics,
      queue: z.string().nullable(),
      deviceSeconds: z.number().min(0),
    }),
  ],
  evaluationTasks: [
    strict({
      spec: contracts.EvaluateSpec,
      source: contracts.Source.exactOptional(),
      record: strict({ run: contracts.RunId, step: natural }).exactOptional(),
    }),
    z.array(contracts.EvaluationTask),
  ],
  planEvaluation: [contracts.EvaluationTask, planned(contracts.Accuracy)],
  complete: [shardOf(contracts.EvaluationTask), strict(sampled)],
  judge: [ended(contracts.EvaluationTask), contracts.Accuracy],
  labelTask: [
    strict({ spec: contracts.LabelSpec, data: z.string(), source: contracts.Source.exactOptional() }),
    contracts.LabelTask,
  ],
  planLabels: [
    contracts.LabelTask,
    strict({ parts: z.array(range), labels: z.string(), result: contracts.Labelled.nullable() }),
  ],
  sampleVotes: [shardOf(contracts.LabelTask), strict(sampled)],
  votes: [strict({ task: contracts.LabelTask, part: natural }), contracts.TableRef],
  countVotes: [contracts.LabelTask, strict({ labels: z.string(), result: contracts.Labelled })],
  relabel: [contracts.RelabelTask, strict({ source: z.string(), count: natural })],
  probeTasks: [
    strict({ spec: contracts.ProbeSpec, source: contracts.Source.exactOptional() }),
    z.array(contracts.ProbeTask),
  ],
  planProbe: [contracts.ProbeTask, planned(contracts.Probed)],
  continueStatements: [shardOf(contracts.ProbeTask), strict(sampled)],
  judgeProbe: [ended(contracts.ProbeTask), contracts.Probed],
  scoreStep: [contracts.ScoreTask, stepScore],
  initialise: [strict(learn), Digest],
  learn: [
    strict({ ...learn, phase: z.string(), from: natural, to: natural, checkpoint: Digest }),
    strict({ checkpoint: Digest, loss: z.number() }),
  ],
  exportCheckpoint: [strict({ spec: contracts.ExportSpec }), exported],
  report: [strict({ sweep: z.string(), cells: z.array(contracts.Cell) }), report],
  survey: [
    contracts.SurveyTask,
    strict({
      next: z.string().nullable(),
      manifests: natural,
      dropped: natural,
      problemCount: natural,
      problems: z.array(contracts.Problem),
    }),
  ],
  collect: [contracts.CollectTask, contracts.Collected],
  discard: [contracts.DiscardTask, uploads],
  inspect: [contracts.InspectTask, contracts.Inspected],
  endSurvey: [strict({ survey: contracts.RunId }), z.void()],
  pending: [
    z.undefined(),
    z.array(
      strict({
        activity: z.string(),
        activityId: z.string(),
        workflow: z.string().exactOptional(),
        queue: z.enum(['light', 'compute']),
        state: z.enum(['scheduled', 'started', 'between attempts', 'paused']),
        attempt: z.int().min(1),
        at: AtWork.exactOptional(),
        failure: strict({ fault: z.string(), message: z.string() }).exactOptional(),
        sinceMs: z.number(),
      }),
    ),
  ],
} satisfies { readonly [Name in keyof Verbs]?: Row<Verbs[Name]> }

// ── Workflows ───────────────────────────────────────────────────────────────────────────────────────────────────

const metricsAt = strict({
  step: natural,
  event: natural.exactOptional(),
  runId: z.string().exactOptional(),
  metrics: contracts.Metrics,
})
const curve = z.array(contracts.Accuracy.extend({ step: natural }))
const trainState: z.ZodType<TrainState> = strict({
  recent: z.array(metricsAt),
  curve,
  at: strict({
    phase: z.enum(['admitting', 'training', 'paused', 'evaluating', 'done']),
    step: natural,
    steps: natural,
    reward: z.number().exactOptional(),
    stopped: z.string().exactOptional(),
  }),
  details: z.string(),
  queue: z.string().nullable(),
  paused: z.boolean(),
  whole: z.boolean(),
  deviceSeconds: z.number(),
  times: z.array(z.number()).exactOptional(),
  notes: names.exactOptional(),
  graders: z.array(contracts.Judged).exactOptional(),
  samples: z.array(contracts.Sample.extend({ step: natural })).exactOptional(),
})
const labelState: z.ZodType<LabelState> = strict({
  done: natural.exactOptional(),
  deviceSeconds: z.number().exactOptional(),
  taken: strict({ source: contracts.Source, data: z.string() }).exactOptional(),
  task: contracts.LabelTask.exactOptional(),
})
const surveyState = strict({
  survey: contracts.RunId,
  cutoffMs: z.number(),
  pages: natural,
  next: z.string().nullable(),
  manifests: natural,
  dropped: natural,
  problemCount: natural,
  problems: z.array(contracts.Problem),
})
const gcState: z.ZodType<GcState> = strict({ survey: surveyState, parts: z.array(contracts.Collected) })
const verifyState: z.ZodType<VerifyState> = strict({
  survey: surveyState,
  parts: z.array(contracts.Inspected),
})

type Workflow = (...args: never[]) => Promise<unknown>
type WorkflowRow<W extends Workflow> = readonly [args: z.ZodType, result: z.ZodType<Awaited<ReturnType<W>>>]

/** A workflow's arguments (what a user gives, then what a parent or continue-as-new adds) and its result. */
const started = {
  train: [
    z.tuple([contracts.TrainSpec, trainState.optional()]),
    strict({
      run: contracts.RunId,
      steps: natural,
      stopped: contracts.Stopped.exactOptional(),
      checkpoint: contracts.Source,
      policy: Digest,
      notes: names.exactOptional(),
      curve,
      metrics: contracts.Metrics,
      deviceSeconds: z.number(),
    }),
  ],
  evaluate: [
    z.tuple([contracts.EvaluateSpec, strict({ run: contracts.RunId, step: natural }).optional()]),
    strict({ results: z.array(contracts.Accuracy), deviceSeconds: z.number() }),
  ],
  sweep: [z.tuple([contracts.SweepSpec, z.array(contracts.Cell).optional()]), report],
  label: [
    z.tuple([contracts.LabelSpec, labelState.optional()]),
    contracts.Labelled.extend({ labels: z.string(), table: z.string(), deviceSeconds: z.number() }),
  ],
  score: [
    z.tuple([contracts.ScoreSpec, z.array(stepScore).optional()]),
    strict({
      run: contracts.RunId,
      rollouts: natural,
      leftOut: natural,
      mean: z.number().nullable(),
      trainedMean: z.number().nullable(),
      agreement: z.number().nullable(),
      correlation: z.number().nullable().exactOptional(),
      steps: z.array(stepScore),
    }),
  ],
  probe: [
    z.tuple([contracts.ProbeSpec]),
    strict({ results: z.array(contracts.Probed), deviceSeconds: z.number() }),
  ],
  estimate: [z.tuple([z.unknown()]), estimated],
  pretrain: [z.tuple([contracts.PretrainSpec]), strict({ model: contracts.Source, policy: Digest })],
  export: [z.tuple([contracts.ExportSpec]), exported],
  gc: [
    z.tuple([contracts.GcSpec.optional(), gcState.optional()]),
    strict({
      dryRun: z.boolean(),
      cutoff: z.iso.datetime(),
      manifests: natural,
      dropped: natural,
      needed: shared,
      young: shared,
      unneeded: shared,
      removed: shared,
      uploads,
    }),
  ],
  verify: [
    z.tuple([contracts.VerifySpec.optional(), verifyState.optional()]),
    strict({
      ok: z.boolean(),
      manifests: natural,
      dropped: natural,
      intact: shared,
      readBytes: natural,
      gone: natural,
      problemCount: natural,
      problems: z.array(contracts.Problem),
    }),
  ],
} satisfies {
  readonly [Name in Exclude<keyof typeof workflows, 'default'>]: WorkflowRow<(typeof workflows)[Name]>
}

// ── Histories ───────────────────────────────────────────────────────────────────────────────────────────────────

interface Payloads {
  readonly payloads?: readonly {
    readonly metadata: Readonly<Record<string, string>>
    readonly data?: string
  }[]
}
interface Named {
  readonly name: string
}
interface Attributes {
  readonly activityType?: Named
  readonly workflowType?: Named
  readonly scheduledEventId?: string
  readonly input?: Payloads
  readonly result?: Payloads
}
interface Event {
  readonly eventId: string
  readonly eventType: string
  readonly [attributes: string]: unknown
}
/** A value that a history holds: of what, where it stands, and as it was before it was written. */
interface Recorded {
  readonly of: 'activity' | 'workflow'
  readonly name: string
  readonly part: 'input' | 'result'
  readonly at: string
  readonly value: unknown
}

const folder = join(import.meta.dirname, 'histories')
const files = (await readdir(folder)).filter((name) => name.endsWith('.json'))

const textOf = (base64: string) => Buffer.from(base64, 'base64').toString('utf8')
/** Each payload as the SDK's own converter reads it. */
function valuesOf(given: Payloads | undefined, at: string): unknown[] {
  return (given?.payloads ?? []).map(({ metadata, data = '' }) => {
    const encoding = textOf(metadata['encoding'] ?? '')
    if (encoding === 'binary/null') return undefined
    expect(encoding, at).toBe('json/plain')
    return JSON.parse(textOf(data)) as unknown
  })
}

function recordedIn(file: string, events: readonly Event[]): Recorded[] {
  const scheduled = new Map<string, string>()
  let own = ''
  return events.flatMap((event): Recorded[] => {
    const at = `${file}, event ${event.eventId}`
    const key = Object.keys(event).find((name) => name.endsWith('EventAttributes')) ?? ''
    const attributes = (event[key] ?? {}) as Attributes
    const named = attributes.activityType?.name ?? attributes.workflowType?.name ?? ''
    const args = () => valuesOf(attributes.input, at)
    const result = () => valuesOf(attributes.result, at)[0]
    switch (event.eventType.replace('EVENT_TYPE_', '')) {
      case 'ACTIVITY_TASK_SCHEDULED':
        scheduled.set(event.eventId, named)
        return [{ of: 'activity', name: named, part: 'input', at, value: args()[0] }]
      case 'ACTIVITY_TASK_COMPLETED': {
        const name = scheduled.get(attributes.scheduledEventId ?? '') ?? ''
        return [{ of: 'activity', name, part: 'result', at, value: result() }]
      }
      case 'WORKFLOW_EXECUTION_STARTED':
        own = named
        return [{ of: 'workflow', name: own, part: 'input', at, value: args() }]
      case 'WORKFLOW_EXECUTION_COMPLETED':
        return [{ of: 'workflow', name: own, part: 'result', at, value: result() }]
      case 'WORKFLOW_EXECUTION_CONTINUED_AS_NEW':
      case 'START_CHILD_WORKFLOW_EXECUTION_INITIATED':
        return [{ of: 'workflow', name: named, part: 'input', at, value: args() }]
      case 'CHILD_WORKFLOW_EXECUTION_COMPLETED':
        return [{ of: 'workflow', name: named, part: 'result', at, value: result() }]
      default:
        return []
    }
  })
}

const recorded = (
  await Promise.all(
    files.map(async (file) => {
      const { events } = JSON.parse(await readFile(join(folder, file), 'utf8')) as { events: Event[] }
      return recordedIn(file, events)
    }),
  )
).flat()

const tables: Readonly<Record<Recorded['of'], Readonly<Record<string, readonly [z.ZodType, z.ZodType]>>>> = {
  activity: activities,
  workflow: started,
}

/** What is wrong with a recorded value, or null. Reading it with a default filled in is no fault. */
function faultOf({ of, name, part, at, value }: Recorded): string | null {
  const row = tables[of][name]
  if (row === undefined) return `${at}: ${of} ${name} has no schema here`
  const parsed = row[part === 'input' ? 0 : 1].safeParse(value)
  return parsed.success ? null : `${at}: ${part} of ${of} ${name}: ${z.prettifyError(parsed.error)}`
}

describe('what the recorded histories hold', () => {
  it.each(files)('%s is read with the schemas of today', (file) => {
    const own = recorded.filter(({ at }) => at.startsWith(`${file}, `))
    expect(own.length).toBeGreaterThan(2)
    expect(own.flatMap((one) => faultOf(one) ?? [])).toEqual([])
  })

  it('meets each row of both tables, inputs and results', () => {
    const met = new Set(recorded.map(({ of, name, part }) => `${of} ${name} ${part}`))
    const rows = Object.entries(tables).flatMap(([of, table]) =>
      Object.keys(table).flatMap((name) => [`${of} ${name} input`, `${of} ${name} result`]),
    )
    // The history of `pretrain` was recorded while it was still open.
    expect(rows.filter((row) => !met.has(row))).toEqual(['workflow pretrain result'])
  })
})

describe('what continue-as-new carries, of which no history has any', () => {
  const digest = 'a'.repeat(64)
  const [source, data] = [`models/${digest}.json`, `data/${digest}.json`]
  const sum = { count: 1, sizeBytes: 2 }
  const survey = { survey: 's', cutoffMs: 1.5, pages: 1, next: null, manifests: 2, dropped: 0, problemCount: 1, problems: [{ key: 'k', problem: 'p' }] } // prettier-ignore
  const sampling = { temperature: 1, topP: 1, maxTokens: 46 }
  const task = {
    source,
    data,
    samples: 8,
    seed: 0,
    prompt: 'plain',
    sampling,
    vote: 'string',
    extract: 'any',
  }
  const point = recorded.find(({ name, part }) => name === 'judge' && part === 'result')!.value as object
  const scored = recorded.find(({ name, part }) => name === 'scoreStep' && part === 'result')!.value

  it.each<[name: keyof typeof started, spec: unknown, state: unknown]>([
    [
      'train',
      {},
      {
        recent: [
          { step: 1, metrics: { reward: 0.5 } },
          { step: 2, event: 12, runId: 'r', metrics: {} },
        ],
        curve: [{ step: 0, ...point }],
        at: { phase: 'paused', step: 2, steps: 9, reward: 0.5, stopped: 'why' },
        details: '**training**',
        queue: 'placebo-compute-1',
        paused: true,
        whole: false,
        deviceSeconds: 1.5,
      },
    ],
    ['label', { model: 'm', data: { name: 'nano' } }, { done: 4, deviceSeconds: 1.5, task }],
    ['label', { model: 'm', data: { name: 'nano' } }, { taken: { source, data } }],
    ['sweep', { models: ['m'], arms: {}, seeds: [1] }, [{ model: 'm', arm: 'a', seed: 1, run: 's:m:a:1', status: 'failed', failure: 'why' }]],
    ['score', { run: 'r', reward: 'format' }, [scored]],
    ['gc', {}, { survey, parts: [{ after: '', needed: sum, young: sum, unneeded: sum, removed: sum }] }],
    ['verify', {}, { survey, parts: [{ after: '', intact: sum, readBytes: 2, gone: 0, problemCount: 0, problems: [] }] }],
  ])('of %s is read, as builds before this one wrote it', (name, spec, state) => {
    const value = [spec, state]
    expect(faultOf({ of: 'workflow', name, part: 'input', at: 'here', value })).toBeNull()
    const other = [spec, { ...(state as object), more: 1 }]
    expect(faultOf({ of: 'workflow', name, part: 'input', at: 'here', value: other })).not.toBeNull()
  }) // prettier-ignore
})

describe('a value of another shape', () => {
  const step = recorded.find(({ name, part }) => name === 'step' && part === 'input')!
  const given = step.value as object

  it.each<[why: string, other: Partial<Recorded>, fault: string]>([
    [
      'with a field that nobody knows',
      { value: { ...given, shards: 1, more: 1 } },
      'Unrecognized key: "more"',
    ],
    ['without a field that was always there', { value: { ...given, shards: undefined } }, 'at shards'],
    ['of an activity without a schema', { name: 'unheard-of' }, 'activity unheard-of has no schema here'],
  ])('is found: %s', (_, other, fault) => {
    expect(faultOf(step)).toBeNull()
    expect(faultOf({ ...step, ...other })).toContain(fault)
  })
})
