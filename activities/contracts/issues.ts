/**
 * What a schema found wrong, in our words: `place: expected …, found …`, a line a fault, whatever kind of issue zod has for
 * it. What a schema says of its own expectations stands as it is; all else is said here: the choices of a union, an enum
 * or an object, and the one that was probably meant. What was found is cut to some characters.
 */
import type { z } from 'zod'
import { either, fieldsOf, shapeOf, valuesOf } from './choices.ts'
import { most } from './limits.ts'
import { didYouMean } from './nearest.ts'
import { ownField } from './shape.ts'

/** How a value that was found is written: of a user's spec in short, of anything else by its kind. */
export type Shown = (value: unknown) => string

export const inShort: Shown = (value) =>
  value === undefined ? 'nothing' : cut(begun(value, most.charactersShown))

/** The beginning of a value as JSON, some characters long: a megabyte is not written to be cut. */
function begun(value: unknown, room: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room))
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? typeof value
  const isList = Array.isArray(value)
  let text = isList ? '[' : '{'
  for (const key in value) {
    if (text.length > room) break
    const name = isList ? '' : `${begun(key, room)}:`
    text += `${text.length > 1 ? ',' : ''}${name}${begun((value as Record<string, unknown>)[key], room)}`
  }
  return text + (isList ? ']' : '}')
}

export const byKind: Shown = (value) => {
  if (value === undefined || value === null) return value === null ? 'null' : 'nothing'
  if (Array.isArray(value)) return 'a list'
  return { string: 'a text', object: 'an object' }[typeof value as string] ?? `a ${typeof value}`
}

const cut = (text: string) =>
  text.length <= most.charactersShown ? text : `${text.slice(0, most.charactersShown)}…`

export type Checked<T> = { readonly data: T; readonly faults: null } | { readonly faults: readonly string[] }

/** A value as its schema reads it, or what is wrong with it, a line each. `whole`: what the value itself is called. */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  { shown = inShort, whole = '(whole spec)' }: { readonly shown?: Shown; readonly whole?: string } = {},
): Checked<T> {
  let hints = mostHints
  const parsed = schema.safeParse(value, { error: (issue) => saidOf(issue, shown, hints-- > 0) })
  if (parsed.success) return { data: parsed.data, faults: null }
  const lines = parsed.error.issues.flatMap((issue) => linesOf(issue, { value, shown, whole, above: [] }))
  return { faults: lines }
}

/** So many issues are looked at for what was meant: of ten thousand nobody reads the last. */
const mostHints = 200

/** The first few faults and the number of the others: a message is read by people, and stored in histories. */
export function firstOf(faults: readonly string[]): string {
  const others = faults.length - most.faultsNamed
  return [...faults.slice(0, most.faultsNamed), ...(others > 0 ? [`and ${others} more`] : [])].join('; ')
}

interface At {
  readonly value: unknown
  readonly shown: Shown
  readonly whole: string
  /** The place that the paths of issues begin at. */
  readonly above: readonly PropertyKey[]
}

function linesOf(issue: z.core.$ZodIssue, at: At): string[] {
  const path = [...at.above, ...issue.path]
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue, path, at)
  const only = issue.code === 'invalid_union' ? onlyOne(issue.errors) : null
  if (only !== null) return only.flatMap((inner) => linesOf(inner, { ...at, above: path }))
  const own = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? 'another name') : issue.message
  const said = own.startsWith('expected ') ? own : `expected ${own}`
  const found = issue.code === 'invalid_key' ? issue.path.at(-1) : valueAt(at.value, path)
  return [`${placeOf(path, at)}: ${/(^|,) found /.test(said) ? said : `${said}, found ${at.shown(found)}`}`]
}

/** `saidOf` left the known keys as the message. */
function unknownKeys(
  { keys, message }: z.core.$ZodIssueUnrecognizedKeys,
  path: readonly PropertyKey[],
  at: At,
) {
  const known = message.split(' ')
  const choices = known.filter((name) => name !== '$schema').map((name) => JSON.stringify(name))
  return keys.map((key, i) => {
    const expected = i === 0 ? `one of ${choices.join(', ')}` : 'one of those'
    const hint = i < most.faultsNamed ? didYouMean(key, known) : ''
    return `${placeOf([...path, key], at)}: expected ${expected}, found an unknown key${hint}`
  })
}

/** Of a union's choices the only one that the value looks like: it is the right one around something wrong. */
function onlyOne(choices: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | null {
  const alike = choices.filter((issues) => issues.length > 0 && issues.every(({ path }) => path.length > 0))
  return alike.length === 1 ? (alike[0] ?? null) : null
}

const valueAt = (value: unknown, path: readonly PropertyKey[]) => path.reduce(ownField, value)

function placeOf(path: readonly PropertyKey[], { whole }: At): string {
  return path.length === 0 ? whole : path.map((key) => cut(String(key)) || '""').join('.')
}

/** An issue in our words, `expected …, found …`; of unknown keys the known ones. */
function saidOf(issue: z.core.$ZodRawIssue, shown: Shown, hinted: boolean): string {
  const schema = schemaOf(issue)
  if (issue.code === 'unrecognized_keys') return (schema === null ? [] : fieldsOf(schema)).join(' ')
  return `expected ${expectedOf(issue, schema)}, found ${foundOf(issue, shown)}${hinted ? meantBy(issue, schema) : ''}`
}

/** The schema that raised it; null where a check did. */
function schemaOf({ inst }: z.core.$ZodRawIssue): z.core.$ZodType | null {
  return inst !== undefined && 'type' in inst._zod.def ? (inst as z.core.$ZodType) : null
}

function expectedOf(issue: z.core.$ZodRawIssue, schema: z.core.$ZodType | null): string {
  switch (issue.code) {
    case 'too_big':
      return sized(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most')
    case 'too_small':
      return sized(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least')
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`
    case 'invalid_format':
      return issue.format === 'regex' ? `a text like ${issue.pattern}` : `a text that is a ${issue.format}`
    case 'invalid_value':
      return either(issue.values.map((value) => JSON.stringify(value) ?? String(value)))
    case 'invalid_union':
      if (issue.discriminator === undefined) return schema === null ? 'another value' : shapeOf(schema)
      return either(
        ((issue.options ?? []) as unknown[]).map((value) => JSON.stringify(value) ?? String(value)),
      )
    case 'invalid_type':
      return schema === null ? (typeWords[issue.expected] ?? `a ${issue.expected}`) : shapeOf(schema)
    default: // custom without words, and parts of maps and sets, which no spec has
      return 'another value'
  }
}

const typeWords: Readonly<Record<string, string>> = {
  int: 'a whole number',
  array: 'a list',
  object: 'an object',
}

function sized(origin: string, bound: number | bigint, how: string): string {
  const of = { string: ['character', 'characters'], array: ['entry', 'entries'], set: ['entry', 'entries'] }[
    origin
  ]
  return `${how} ${bound}${of === undefined ? '' : ` ${of[Number(bound) === 1 ? 0 : 1]}`}`
}

function foundOf(issue: z.core.$ZodRawIssue, shown: Shown): string {
  const { code, input } = issue
  const isSize = code === 'too_big' || code === 'too_small'
  if (isSize && typeof input === 'string') return `${input.length}`
  if (isSize && Array.isArray(input)) return `${input.length}`
  // A discriminator's issue stands at its field, and has the object as its input.
  if (code === 'invalid_union' && issue.discriminator !== undefined)
    return shown(ownField(input, issue.discriminator))
  return shown(input)
}

/** The choice that was probably meant, by a text that is none or by the keys of an object. */
function meantBy(issue: z.core.$ZodRawIssue, schema: z.core.$ZodType | null): string {
  if (issue.code === 'invalid_value') return didYouMean(issue.input, textsOf(issue.values))
  if (issue.code !== 'invalid_union' || schema === null) return ''
  const { discriminator, input } = issue
  if (discriminator !== undefined && 'options' in issue)
    return didYouMean(ownField(input, discriminator), textsOf(issue.options as unknown[]))
  if (typeof input !== 'object' || input === null) return didYouMean(input, textsOf(valuesOf(schema)))
  const known = fieldsOf(schema)
  const keys = Object.keys(input).slice(0, most.faultsNamed)
  return keys.map((key) => didYouMean(key, known)).find((hint) => hint !== '') ?? ''
}

const textsOf = (values: readonly unknown[]) => values.filter((value) => typeof value === 'string')
