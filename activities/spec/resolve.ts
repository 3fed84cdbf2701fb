/**
 * From what a user wrote to a spec with every field, and the identity of a run.
 *
 * Objects merge field by field, everything else replaces; an optimizer or objective of another name starts from that
 * name's own defaults. The result is parsed again, so a merge can never produce what the schema forbids.
 */
import type { z } from 'zod'
import { digestOf } from '../checkpoint/canonical.ts'
import { ResolvedTrain, TrainSpec } from '../contracts.ts'
import { check, firstOf } from '../contracts/issues.ts'
import { most } from '../contracts/limits.ts'
import { ownField, shapeFault } from '../contracts/shape.ts'
import { labelRewards } from '../rewards/index.ts'
import { labelPresets, presets } from './presets.ts'
import { trainFaults } from './within.ts'

/** A spec that does not fit its schema: every path, what was expected and what was found. */
export class InvalidSpec extends Error {
  override readonly name = 'InvalidSpec'
}

export function parseSpec<T>(schema: z.ZodType<T>, input: unknown, kind: string): T {
  const fault = shapeFault(input, most)
  if (fault !== null) throw new InvalidSpec(`${kind}: ${fault}`)
  const checked = check(schema, input)
  if (checked.faults === null) return checked.data
  throw new InvalidSpec(`${kind}: ${firstOf(checked.faults)}`)
}

const defaultsByName = {
  adamw: { ...presets.paper.optimizer },
  sgd: { ...presets.demo.optimizer },
  grpo: { ...presets.paper.objective },
  nll: { name: 'nll' },
} as const

/** Every field of a training spec, from its preset (paper unless named). Throws InvalidSpec. */
export function resolveTrain(input: unknown): ResolvedTrain {
  const {
    $schema: _schema,
    tags: _tags,
    preset = 'paper',
    ...given
  } = parseSpec(TrainSpec, input, 'train spec')
  const base = presets[preset]
  const optimizer = given.optimizer?.name ?? base.optimizer.name
  const objective = given.objective?.name ?? base.objective.name
  const start = {
    ...base,
    optimizer: optimizer === base.optimizer.name ? base.optimizer : defaultsByName[optimizer],
    objective: objective === base.objective.name ? base.objective : defaultsByName[objective],
  }
  const { labels, ...fields } = given
  const resolved = withoutDefaults(parseSpec(ResolvedTrain, merge(start, fields), 'train spec'))
  // In a sweep, `labels` of the base are other arms'.
  if (labelRewards(resolved.reward).length === 0) return within(resolved)
  const own = {
    prompt: resolved.prompt,
    sampling: { temperature: 1, topP: 1, maxTokens: resolved.sampling.maxTokens },
  }
  const labelled = { ...resolved, labels: merge({ ...own, ...labelPresets[preset] }, labels) }
  return within(parseSpec(ResolvedTrain, labelled, 'train spec'))
}

/** A spec whose products are within their limits too. Throws InvalidSpec. */
function within(spec: ResolvedTrain): ResolvedTrain {
  const faults = trainFaults(spec)
  if (faults.length > 0) throw new InvalidSpec(`train spec: ${faults.join('; ')}`)
  return spec
}

/** A field that came later is absent while it has its default, so that what was stored before it stays equal. */
function withoutDefaults(spec: ResolvedTrain): ResolvedTrain {
  const { required = true, ...evaluate } = spec.evaluate
  return required ? { ...spec, evaluate } : spec
}

/** Names that a person finds workflows by: of no influence on what is computed, so no part of a resolved spec. */
export interface Tagged {
  readonly tags?: readonly string[]
}

/** Those of a spec that has been parsed; nothing where it has none. */
export function tagsIn(spec: unknown): Tagged {
  const { tags } = spec as { readonly tags?: readonly string[] | undefined }
  return tags === undefined ? {} : { tags }
}

/** An arm over a base spec: the arm's fields win. */
export function overlay(base: TrainSpec, arm: TrainSpec): TrainSpec {
  return merge(base, arm) as TrainSpec
}

/** A reward, a filter and an allow-list are values, not sets of fields: they replace. */
const replaced = new Set(['reward', 'where', 'only', 'stop'])

function merge(under: unknown, over: unknown, key = ''): unknown {
  if (over === undefined) return under
  if (!isRecord(under) || !isRecord(over) || replaced.has(key)) return over
  // The filters of one data set have nothing to do with another.
  const isAnother = (field: string) => over[field] !== undefined && over[field] !== under[field]
  if (key === 'data' && ['name', 'source'].some(isAnother)) return over
  const merged: Record<string, unknown> = { ...under }
  for (const [name, value] of Object.entries(over)) merged[name] = merge(ownField(under, name), value, name)
  return merged
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a run is computed from, besides how long it goes on and how often it is looked at. */
export interface Origin {
  readonly spec: ResolvedTrain
  readonly policy: string // digest of the initial policy
  readonly problems: string // digest of the problems' blob
}

/** The fields that may change between two starts of one run. */
const extensible = new Set(['steps', 'evaluate', 'checkpoint', 'stop'])

export function identityOf(origin: Origin): string {
  return digestOf(identifying(origin))
}

const said = (value: unknown) => (value === undefined ? 'not given' : JSON.stringify(value))

/** The paths in which two origins differ, `field: was → is`, identity only. */
export function differences(was: Origin, is: Origin): string[] {
  const lines: string[] = []
  const walk = (path: string, a: unknown, b: unknown): void => {
    if (isRecord(a) && isRecord(b)) {
      for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort())
        walk(path ? `${path}.${key}` : key, ownField(a, key), ownField(b, key))
    } else if (JSON.stringify(a) !== JSON.stringify(b)) {
      lines.push(`${path}: ${said(a)} → ${said(b)}`)
    }
  }
  walk('', identifying(was), identifying(is))
  return lines
}

function identifying({ spec, policy, problems }: Origin): Record<string, unknown> {
  const kept = Object.entries(spec).filter(([key]) => !extensible.has(key))
  return { ...Object.fromEntries(kept), policy, problems }
}
