/**
 * What a spec takes before any of it is computed: sizes, memory, tokens, operations, seconds, what goes to the store and
 * through Temporal. Pure: a spec, a model's configuration and a worker in, quantities out, each with its source. Tokens
 * are counted as if every completion went to its limit, so that what follows from them is the most that a run can take.
 * A new kind of quantity is a row more; a new kind of spec is a case in `plan`.
 */
import { problemsOf } from '../benchmarks/sizes.ts'
import type { EvaluateSpec, LabelSpec, ProbeSpec, ResolvedTrain } from '../contracts.ts'
import type { ModelConfig } from '../policy/config.ts'
import { completed, evaluated, probed, promptTokensOf, type Completed } from './completing.ts'
import {
  activationBytes,
  bytesOf,
  fullMicrobatch,
  optimizerBytes,
  parametersOf,
  positionBytes,
  processBytes,
  rolloutBytes,
  samplerBounds,
  samplingParts,
  updateParts,
} from './memory.ts'
import { shardCount } from './batch.ts'
import { learningWork, measuredOn, nothing, sum, times, type Work } from './speed.ts'

export type Source =
  | { readonly kind: 'exact' }
  | { readonly kind: 'measured'; readonly on: string }
  | { readonly kind: 'estimated'; readonly by: string }

export type Unit = 'parameters' | 'bytes' | 'tokens' | 'FLOP' | 'seconds' | 'count'

export interface Quantity {
  /** What it belongs to: the model, a step, the whole run. */
  readonly of: string
  readonly name: string
  readonly value: number
  readonly unit: Unit
  readonly source: Source
}

export interface Worker {
  readonly threads: number
  readonly memoryBytes: number
}

/** A spec with every field; of a sweep, each kind of run and how many seeds it has. */
export type Asked =
  | { readonly type: 'train'; readonly spec: ResolvedTrain }
  | { readonly type: 'evaluate'; readonly spec: EvaluateSpec }
  | { readonly type: 'label'; readonly spec: LabelSpec }
  | { readonly type: 'probe'; readonly spec: ProbeSpec }
  | { readonly type: 'sweep'; readonly specs: readonly ResolvedTrain[]; readonly seeds: number }
  | { readonly type: Unplanned }

/** Specs that are checked, and of which nothing is planned yet. */
export const unplanned = ['score', 'pretrain', 'export', 'gc', 'verify'] as const
export type Unplanned = (typeof unplanned)[number]

/** The configuration of a model by its name in the spec; null where it is not at hand. */
export type ConfigOf = (model: string) => ModelConfig | null

/** What a step of a small model takes besides what is computed: the stack's own time. */
const secondsBesideStep = 0.117

const exact: Source = { kind: 'exact' }
const by = (formula: string): Source => ({ kind: 'estimated', by: formula })
const atMost = by('as if every completion went to its limit')
const timed = by(`the figures of ${measuredOn}`)

export function plan(asked: Asked, configOf: ConfigOf, worker: Worker): Quantity[] {
  switch (asked.type) {
    case 'train':
      return trainPlan(asked.spec, configOf(asked.spec.model), worker)
    case 'sweep':
      return sweepPlan(asked, configOf, worker)
    case 'evaluate':
      return completionPlan(asked.spec.model, evaluated(asked.spec), configOf, worker)
    case 'label':
      return completionPlan(asked.spec.model, labelled(asked.spec), configOf, worker)
    case 'probe':
      return completionPlan(asked.spec.model, probed(asked.spec), configOf, worker)
    default:
      return []
  }
}

function trainPlan(spec: ResolvedTrain, config: ModelConfig | null, worker: Worker): Quantity[] {
  const { batch, steps } = spec
  const shards = shardCount(batch.problems, batch.group)
  const completions = batch.problems * batch.group
  const activities = 2 * shards + 1
  const events = 6 * activities + 1
  return [
    ...(config === null ? [] : modelRows(config)),
    { of: 'step', name: 'completions', value: completions, unit: 'count', source: exact },
    { of: 'step', name: 'shards', value: shards, unit: 'count', source: exact },
    { of: 'step', name: 'updates', value: Math.ceil(completions / batch.minibatch), unit: 'count', source: exact },
    { of: 'step', name: 'activities', value: activities, unit: 'count', source: exact },
    { of: 'run', name: 'events', value: steps * events, unit: 'count', source: by('6 an activity and 1 a step') },
    { of: 'run', name: 'time beside computing', value: steps * secondsBesideStep, unit: 'seconds', source: { kind: 'measured', on: measuredOn } },
    { of: 'run', name: 'evaluations', value: pointsOf(spec) * spec.evaluate.benchmarks.length, unit: 'count', source: exact },
    ...(config === null ? [] : trainRows(spec, config, worker)),
  ] // prettier-ignore
}

/** Steps that are evaluated. */
function pointsOf({ steps, evaluate: { every, benchmarks } }: ResolvedTrain): number {
  if (benchmarks.length === 0) return 0
  const between = every > 0 ? Math.floor(Math.max(0, steps - 1) / every) : 0
  return 1 + between + (steps > 0 ? 1 : 0)
}

function trainRows(spec: ResolvedTrain, config: ModelConfig, worker: Worker): Quantity[] {
  const { step, evaluations, labels } = workOf(spec, config, worker)
  const [weights, state] = [4 * parametersOf(config), optimizerBytes(config, spec.optimizer.name)]
  const kept = Math.min(spec.checkpoint.keep, Math.ceil(spec.steps / spec.checkpoint.every)) + 1
  const rollouts = spec.steps * step.sampled * rolloutBytes
  return [
    { of: 'model', name: 'optimizer state', value: state, unit: 'bytes', source: exact },
    ...memoryRows(spec, config, worker),
    ...workRows('step', step),
    ...(labels.sampled > 0 ? workRows('labels', labels) : []),
    ...(evaluations.sampled > 0 ? workRows('evaluations', evaluations) : []),
    ...workRows('run', sum([times(step, spec.steps), evaluations, labels])),
    { of: 'store', name: 'checkpoints', value: weights + kept * (weights + state), unit: 'bytes', source: by('step 0, the checkpoints kept whole, and newer weights') },
    { of: 'store', name: 'rollouts', value: rollouts, unit: 'bytes', source: by(`${rolloutBytes} bytes a token, before compression`) },
  ] // prettier-ignore
}

/** What a run computes: a step of it, all of its evaluations, its labels. */
function workOf(spec: ResolvedTrain, config: ModelConfig, { threads }: Worker) {
  const { batch, sampling, steps } = spec
  const promptTokens = promptTokensOf(spec.data, config)
  const drawn = { promptTokens, prompts: batch.problems, samples: batch.group, maxTokens: sampling.maxTokens }
  const updates = Math.ceil((batch.problems * batch.group) / batch.minibatch)
  const { work, shape } = completed(config, drawn, threads)
  const learnt = learningWork(config, shape, updates, threads)
  const points = pointsOf(spec)
  const looks = evaluated({ ...spec.evaluate, prompts: [spec.prompt] })
  const labels = spec.labels === undefined || steps === 0 ? [] : labelled({ ...spec.labels, data: spec.data })
  const all = (tasks: readonly Completed[]): Work =>
    sum(tasks.map((task) => completed(config, task, threads).work))
  return { step: sum([work, learnt]), evaluations: times(all(looks), points), labels: all(labels) }
}

/** The most that a compute worker holds, while it samples and while it learns. */
function memoryRows(spec: ResolvedTrain, config: ModelConfig, { threads }: Worker): Quantity[] {
  const { batch, sampling, optimizer } = spec
  const promptTokens = promptTokensOf(spec.data, config)
  const completions = Math.min(batch.problems * batch.group, Math.max(batch.group, 256))
  const drawn = { promptTokens, maxTokens: sampling.maxTokens, completions }
  const { most, rowBytes } = samplerBounds(config, drawn, threads)
  const caches = rowBytes * Math.min(most, completions)
  const tokens = Math.round(rowBytes / positionBytes(config)) - promptTokens
  const largest = fullMicrobatch(
    { promptTokens, tokens },
    batch.group,
    batch.minibatch,
    batch.microbatchTokens,
  )
  const trainer = 4 * parametersOf(config) + optimizerBytes(config, optimizer.name)
  const sampler = bytesOf(
    samplingParts(config, drawn, threads).filter(({ what }) => !what.startsWith('keys')),
  )
  const update = bytesOf(updateParts(config, optimizer.name, largest))
  const peak = processBytes + Math.max(trainer + sampler + caches, update)
  return [
    { of: 'sampling', name: 'cache of a row', value: rowBytes, unit: 'bytes', source: exact },
    { of: 'sampling', name: 'caches', value: caches, unit: 'bytes', source: by('all rows at their limit, prompts unshared') },
    { of: 'sampling', name: 'memory', value: processBytes + trainer + sampler + caches, unit: 'bytes', source: by('process, trainer, sampler, caches and completions') },
    { of: 'update', name: 'micro-batch', value: activationBytes(config, largest), unit: 'bytes', source: by('layers’ inputs, one layer’s intermediates, attention, logits') },
    { of: 'update', name: 'memory', value: processBytes + update, unit: 'bytes', source: by('process, weights, gradients, state and a micro-batch') },
    { of: 'step', name: 'peak memory', value: peak, unit: 'bytes', source: by('the larger of sampling and update') },
  ] // prettier-ignore
}

const modelRows = (config: ModelConfig): Quantity[] => [
  { of: 'model', name: 'parameters', value: parametersOf(config), unit: 'parameters', source: exact },
  { of: 'model', name: 'weights', value: 4 * parametersOf(config), unit: 'bytes', source: exact },
]

const workRows = (of: string, { sampled, learnt, flops, seconds }: Work): Quantity[] => [
  { of, name: 'tokens sampled', value: sampled, unit: 'tokens', source: atMost },
  ...(learnt > 0 ? [{ of, name: 'tokens learnt', value: learnt, unit: 'tokens', source: atMost } as const] : []),
  { of, name: 'operations', value: flops, unit: 'FLOP', source: by('2 a parameter and token, 6 where it learns, and attention') },
  { of, name: 'device time', value: seconds, unit: 'seconds', source: timed },
] // prettier-ignore

/** Benchmarks, labels or statements to be continued: completions without learning. */
function completionPlan(
  model: string | undefined,
  tasks: readonly Completed[],
  configOf: ConfigOf,
  worker: Worker,
): Quantity[] {
  const config = model === undefined ? null : configOf(model)
  const shards = tasks.reduce((n, { prompts, samples }) => n + shardCount(prompts, samples), 0)
  const completions = tasks.reduce((n, { prompts, samples }) => n + prompts * samples, 0)
  const rows: Quantity[] = [
    { of: 'all', name: 'completions', value: completions, unit: 'count', source: exact },
    { of: 'all', name: 'shards', value: shards, unit: 'count', source: exact },
  ]
  if (config === null) return rows
  const { threads } = worker
  const all = tasks.map((task) => completed(config, task, threads))
  const memory = Math.max(...all.map(({ memory }) => memory))
  return [
    ...rows,
    ...modelRows(config),
    { of: 'sampling', name: 'memory', value: processBytes + memory, unit: 'bytes', source: by('process, sampler, caches and completions') },
    ...workRows('all', sum(all.map(({ work }) => work))),
  ] // prettier-ignore
}

const labelled = ({ data, samples, sampling }: Pick<LabelSpec, 'data' | 'samples' | 'sampling'>): Completed[] => {
  const prompts = problemsOf(data)
  return prompts === null ? [] : [{ prompts, promptTokens: null, samples, maxTokens: sampling.maxTokens ?? 3072, data }]
} // prettier-ignore

function sweepPlan(
  { specs, seeds }: Extract<Asked, { type: 'sweep' }>,
  configOf: ConfigOf,
  worker: Worker,
): Quantity[] {
  const known = specs.flatMap((spec) => {
    const config = configOf(spec.model)
    return config === null ? [] : [{ spec, config }]
  })
  const works = known.map(({ spec, config }) => {
    const { step, evaluations, labels } = workOf(spec, config, worker)
    return sum([times(step, spec.steps), evaluations, labels])
  })
  const peak = known.flatMap(({ spec, config }) =>
    memoryRows(spec, config, worker).filter(({ of, name }) => of === 'step' && name === 'peak memory'),
  )
  const largest = peak.toSorted((a, b) => b.value - a.value).slice(0, 1)
  const isShared = by('each run by itself; initial evaluations and labels that runs share are computed once')
  return [
    { of: 'sweep', name: 'runs', value: seeds * specs.length, unit: 'count', source: exact },
    ...largest,
    ...workRows('sweep', known.length < specs.length ? nothing : times(sum(works), seeds)).map((row) =>
      row.unit === 'seconds' ? row : { ...row, source: isShared },
    ),
  ]
}
