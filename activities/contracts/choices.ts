/**
 * What a schema takes, in words: a union's choices by name and shape, an object's fields, a number's bounds. For messages,
 * so it is short: what stands deep in an object is `{…}`, and what a schema says of itself again is `…`.
 */
import type { z } from 'zod'

type Schema = z.core.$ZodType

const defOf = (schema: Schema) => (schema as z.core.$ZodTypes)._zod.def

/** Without what wraps it: optional, with a default, looked at before. */
function bare(schema: Schema): Schema {
  const def = defOf(schema)
  if (def.type === 'lazy') return bare((schema as z.core.$ZodLazy)._zod.innerType)
  if (def.type === 'pipe') return bare(defOf(def.in).type === 'transform' ? def.out : def.in)
  return 'innerType' in def && def.type !== 'nullable' ? bare(def.innerType) : schema
}

/** Objects within one another whose fields are named. */
const mostDepth = 2
/** An object of more fields than this is said by their names alone. */
const mostFields = 3

const known = new WeakMap<Schema, string>()

/** `"format" or { "random": a number from 0 to 1 }` */
export function shapeOf(schema: Schema): string {
  const shape = known.get(schema) ?? shapeAt(schema, 0)
  known.set(schema, shape)
  return shape
}

function shapeAt(schema: Schema, depth: number): string {
  const at = depth === 0 ? bare(schema) : schema
  const def = defOf(at)
  switch (def.type) {
    case 'lazy':
      return '…'
    case 'nullable':
      return `${shapeAt(def.innerType, depth)} or null`
    case 'union':
      return either(def.options.flatMap((option) => choicesOf(option, depth)))
    case 'enum':
    case 'literal':
      return either(valuesOf(at).map((value) => JSON.stringify(value)))
    case 'array':
      return listOf(shapeAt(def.element, depth + 1))
    case 'tuple':
      return `[${def.items.map((item) => shapeAt(item, depth + 1)).join(', ')}]`
    case 'object':
      return objectOf(def.shape, depth)
    case 'record':
      return 'an object'
    case 'number':
      return numberOf(at)
    case 'string':
      return 'a text'
    case 'boolean':
      return 'true or false'
    default:
      return bare(at) === at ? 'another value' : shapeAt(bare(at), depth)
  }
}

const listOf = (inner: string) => (inner === '…' ? '[…]' : `[${inner}, …]`)

/** An enum in a union is as many choices as it has values. */
function choicesOf(schema: Schema, depth: number): string[] {
  const values = valuesOf(schema)
  return values.length > 0 ? values.map((value) => JSON.stringify(value)) : [shapeAt(schema, depth + 1)]
}

function objectOf(shape: Readonly<Record<string, Schema>>, depth: number): string {
  const names = Object.keys(shape).filter((name) => name !== '$schema')
  if (depth >= mostDepth) return '{…}'
  if (names.length > mostFields)
    return `an object with ${names.map((name) => JSON.stringify(name)).join(', ')}`
  return `{ ${names.map((name) => `${JSON.stringify(name)}: ${shapeAt(shape[name] as Schema, depth + 1)}`).join(', ')} }`
}

/** By the checks that a number goes through. */
function numberOf(schema: Schema): string {
  const own = defOf(schema) as { readonly check?: string; readonly format?: string }
  const checks = [own, ...(schema._zod.def.checks ?? []).map(({ _zod }) => _zod.def)] as readonly Check[]
  const isWhole = checks.some(({ check, format }) => check === 'number_format' && format === 'safeint')
  const [low, high] = ['greater_than', 'less_than'].map((name) =>
    checks.findLast(({ check }) => check === name),
  )
  const what = isWhole ? 'a whole number' : 'a number'
  if (low === undefined)
    return high === undefined ? what : `${what} ${high.inclusive ? 'of at most' : 'below'} ${high.value}`
  const from = `${what} ${low.inclusive ? 'from' : 'above'} ${low.value}`
  if (high === undefined) return low.inclusive ? `${from} on` : from
  return `${from} ${high.inclusive ? 'to' : 'and below'} ${high.value}`
}

interface Check {
  readonly check?: string
  readonly format?: string
  readonly value?: number
  readonly inclusive?: boolean
}

/** The values of an enum or a literal, of a union's too; none of anything else. */
export function valuesOf(schema: Schema): z.core.util.Primitive[] {
  const def = defOf(bare(schema))
  if (def.type === 'enum') return Object.values(def.entries)
  if (def.type === 'literal') return [...def.values]
  return def.type === 'union' ? def.options.flatMap(valuesOf) : []
}

/** The fields of an object, or of the objects of a union. */
export function fieldsOf(schema: Schema): string[] {
  const def = defOf(bare(schema))
  if (def.type === 'object') return Object.keys(def.shape)
  return def.type === 'union' ? def.options.flatMap(fieldsOf) : []
}

/** `a, b or c` */
export function either(choices: readonly string[]): string {
  const last = choices.at(-1) ?? 'nothing'
  return choices.length < 2 ? last : `${choices.slice(0, -1).join(', ')} or ${last}`
}
