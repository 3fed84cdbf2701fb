/**
 * A spec of any kind, checked as it would be when it is started. Its kind is what its `$schema` names,
 * or what its fields say: `models` are a sweep's, `shares` a probe's, `benchmarks` at the top an evaluation's, a reward or a
 * preset a run's, and `data` without them belongs to labels. `run` without a model is a score's, `to` an export's, `recipe` a
 * pretraining's. `{ "type": …, "spec": … }` says it outright.
 */
import type { z } from 'zod'
import {
  EvaluateSpec,
  ExportSpec,
  GcSpec,
  LabelSpec,
  PretrainSpec,
  ProbeSpec,
  ScoreSpec,
  VerifySpec,
} from '../contracts.ts'
import { most } from '../contracts/limits.ts'
import { didYouMean } from '../contracts/nearest.ts'
import { openSweep, specOf } from './arms.ts'
import { unplanned, type Asked, type Unplanned } from './plan.ts'
import { InvalidSpec, parseSpec, resolveTrain } from './resolve.ts'
import { evaluationFaults, promptFaults, promptsOf } from './within.ts'

export const kinds = ['train', 'sweep', 'evaluate', 'label', 'probe', ...unplanned] as const
export type Kind = (typeof kinds)[number]

export interface Read {
  readonly asked: Asked
  /** Models that the plan needs the configuration of. */
  readonly models: readonly string[]
  /** Of a run, in a model's place. */
  readonly checkpoint?: string
}

/** Throws InvalidSpec. `type` says what the spec is of, whatever it says itself. */
export function readAsked(input: unknown, type?: Kind): Read {
  const wrapped = isWrapped(input) ? input : null
  const spec = wrapped === null ? input : wrapped.spec
  const kind = type ?? (wrapped === null ? kindOf(spec) : requireKind(wrapped.type))
  return reading[kind](spec)
}

/** What kind of spec an object is; a run's where nothing says otherwise. */
export function kindOf(spec: unknown): Kind {
  if (typeof spec !== 'object' || spec === null) return 'train'
  const has = (...names: string[]) => names.some((name) => Object.hasOwn(spec, name))
  const named = '$schema' in spec ? /([^/]*)\.json$/.exec(String(spec.$schema))?.[1] : undefined
  const said = kinds.find((kind) => kind === named)
  if (said !== undefined) return said
  if ('$schema' in spec) throw new InvalidSpec(`$schema: ${unknownSchema(spec.$schema, named)}`)
  if (has('models', 'arms', 'seeds')) return 'sweep'
  if (has('run') && !has('model')) return 'score'
  if (has('reward', 'preset', 'steps', 'batch', 'objective', 'optimizer', 'evaluate')) return 'train'
  if (has('shares')) return 'probe'
  if (has('benchmarks')) return 'evaluate'
  if (has('data')) return 'label'
  if (has('to')) return 'export'
  return has('recipe') ? 'pretrain' : 'train'
}

/** Of a `$schema` that names no kind of spec: an editor would not find it either. */
function unknownSchema(found: unknown, named: string | undefined): string {
  const shown = JSON.stringify(found)?.slice(0, most.charactersShown) ?? 'nothing'
  const files = kinds.map((kind) => `schemas/${kind}.json`).join(', ')
  return `expected ${files}, found ${shown}${didYouMean(named, kinds)}`
}

const checked =
  (type: Unplanned, schema: z.ZodType) =>
  (input: unknown): Read => {
    parseSpec(schema, input, `${type} spec`)
    return { asked: { type }, models: [] }
  }

const reading: Readonly<Record<Kind, (spec: unknown) => Read>> = {
  train: (input) => {
    const spec = resolveTrain(input)
    refuse(promptFaults(promptsOf(spec)))
    return { asked: { type: 'train', spec }, models: [spec.model] }
  },
  sweep: (input) => {
    const { given } = openSweep(input, 'sweep')
    const [model = '', seed = 0] = [given.models[0], given.seeds[0]]
    const arms = Object.keys(given.arms).map((arm) => specOf(given, { run: '', model, arm, seed }))
    refuse(arms.flatMap((spec) => promptFaults(promptsOf(spec))))
    const specs = given.models.flatMap((model) => arms.map((spec) => ({ ...spec, model })))
    return { asked: { type: 'sweep', specs, seeds: given.seeds.length }, models: given.models }
  },
  evaluate: (input) => {
    const spec = parseSpec(EvaluateSpec, input, 'evaluate spec')
    refuse(promptFaults(spec.prompts ?? []))
    refuse(evaluationFaults(spec, spec.prompts?.length ?? 1, 'evaluate spec'))
    return { asked: { type: 'evaluate', spec }, ...whose(spec) }
  },
  label: (input) => {
    const spec = parseSpec(LabelSpec, input, 'label spec')
    refuse(promptFaults(spec.prompt === undefined ? [] : [spec.prompt]))
    return { asked: { type: 'label', spec }, ...whose(spec) }
  },
  probe: (input) => {
    const spec = parseSpec(ProbeSpec, input, 'probe spec')
    return { asked: { type: 'probe', spec }, ...whose(spec) }
  },
  score: checked('score', ScoreSpec),
  pretrain: checked('pretrain', PretrainSpec),
  export: checked('export', ExportSpec),
  gc: checked('gc', GcSpec),
  verify: checked('verify', VerifySpec),
}

const whose = ({ model, checkpoint }: { model?: string | undefined; checkpoint?: string | undefined }) => ({
  models: model === undefined ? [] : [model],
  ...(checkpoint !== undefined && { checkpoint }),
})

function refuse(faults: readonly string[]): void {
  if (faults.length > 0) throw new InvalidSpec(faults.slice(0, 12).join('; '))
}

function isWrapped(input: unknown): input is { readonly type: unknown; readonly spec: unknown } {
  if (typeof input !== 'object' || input === null || !('type' in input) || !('spec' in input)) return false
  return Object.keys(input).length === 2
}

function requireKind(type: unknown): Kind {
  const kind = kinds.find((one) => one === type)
  if (kind !== undefined) return kind
  const found = typeof type === 'string' ? JSON.stringify(type.slice(0, 80)) : typeof type
  throw new InvalidSpec(`type: expected ${kinds.join(', ')}, found ${found}${didYouMean(type, kinds)}`)
}
