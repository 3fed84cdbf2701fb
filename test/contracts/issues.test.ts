/**
 * Every message about a value that does not fit its schema is in our words. The schemas are walked: each of their fields is
 * given what it cannot take, left out, and beside it a field that is none.
 */
import { expect, it } from 'vitest'
import { z } from 'zod'
import * as contracts from '../../activities/contracts.ts'
import { byKind, check, firstOf } from '../../activities/contracts/issues.ts'

const specs = Object.entries(contracts).filter(([name, schema]) => /^\w+Spec$/.test(name) && schema instanceof z.ZodType) as [string, z.ZodType][] // prettier-ignore

type Path = readonly (string | number)[]
const defOf = (schema: z.core.$ZodType) => (schema as z.core.$ZodTypes)._zod.def
const texts = ['nano', 'file:///x', 'a/1', `labels/${'0'.repeat(64)}.json`, 'first']
const first = (schema: z.core.$ZodType, values: readonly unknown[]) =>
  values.find((value) => z.safeParse(schema, value).success)

/** A value that a schema takes, with every field there is in it. */
function valueOf(schema: z.core.$ZodType, depth = 0): unknown {
  const def = defOf(schema)
  switch (def.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(def.shape).filter(([name]) => name !== '$schema').map(([name, of]) => [name, valueOf(of, depth + 1)]),
      ) // prettier-ignore
    case 'record':
      return { a: valueOf(def.valueType, depth + 1) }
    case 'array':
      return [valueOf(def.element, depth + 1)]
    case 'tuple':
      return def.items.map((item) => valueOf(item, depth + 1))
    case 'union':
      // The last is the one with most in it.
      return valueOf((depth < 8 ? def.options.at(-1) : def.options[0]) as z.core.$ZodType, depth + 1)
    case 'enum':
      return Object.values(def.entries)[0]
    case 'literal':
      return def.values[0]
    case 'lazy':
      return valueOf((schema as z.core.$ZodLazy)._zod.innerType, depth + 1)
    case 'pipe':
      return valueOf(defOf(def.in).type === 'transform' ? def.out : def.in, depth)
    case 'nullable':
    case 'optional':
    case 'default':
      return valueOf(def.innerType, depth)
    default:
      return first(schema, [1, 0.5, 0, ...texts, true])
  }
}

/** The places of a value, its own among them. */
const placesIn = (value: unknown, path: Path = []): Path[] =>
  typeof value !== 'object' || value === null
    ? [path]
    : [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, Array.isArray(value) ? Number(key) : key]))] // prettier-ignore

const nothing = Symbol('nothing')
/** The value with another at a place. */
function put(value: unknown, [key, ...rest]: Path, other: unknown): unknown {
  if (key === undefined) return other
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string | number, unknown>
  if (rest.length === 0 && other === nothing) delete copy[key]
  else copy[key] = put(copy[key], rest, other)
  return copy
} // prettier-ignore

const wrong: unknown[] = [
  null, true, 3.7, -1, 1e300, 0, '', 'nobody', 'x'.repeat(40_000), [], ['nobody', 'nobody'], [[1]], {}, { nobody: 1 },
  { random: 2 }, { all: [] }, { not: { all: ['nobody'] } }, { name: 'nobody' }, { '': 1 }, JSON.parse('{"__proto__": 1, "toString": 2}'),
  nothing,
] // prettier-ignore

/** More than anything may have, in the place of a list or an object. */
const large: unknown[] = [Array.from({ length: 10_001 }, (_, i) => i), Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`n${i}`, 1]))] // prettier-ignore
const at = (value: unknown, path: Path) =>
  path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value)

/** zod's own words, of every locale message that it has in English. */
const theirs =
  /invalid (input|option|key|string|type|value|format|discriminator)|too (big|small)|unrecognized|received|expected (string|number|boolean|object|array|record|int|tuple|nonoptional)\b|[<>]=|undefined/i

const codes = new Set<string>()
const codesIn = (issues: readonly z.core.$ZodIssue[]): void => {
  for (const issue of issues) {
    codes.add(issue.code)
    if (issue.code === 'invalid_union') issue.errors.forEach(codesIn)
  }
}

it.each([...specs, ['ResolvedTrain', contracts.ResolvedTrain] as const])('%s: place, expected and found, whatever is wrong', (name, schema) => {
  const whole = valueOf(schema)
  // Of a sweep the specs of runs in it have been through it.
  const places = placesIn(whole).filter((place) => name !== 'SweepSpec' || place.length < 3)
  expect(places.length).toBeGreaterThan(2)
  let faults = 0
  for (const place of places)
    for (const other of typeof at(whole, place) === 'object' ? [...wrong, ...large] : wrong) {
      const value = put(whole, place, other)
      const checked = check(schema, value)
      const parsed = schema.safeParse(value)
      expect(checked.faults === null).toBe(parsed.success)
      if (!parsed.success) codesIn(parsed.error.issues)
      for (const line of (checked.faults ?? []).slice(0, 30)) {
        expect(line, name).toMatch(/^(\(whole spec\)|[^:]+): expected .+, found .+$/)
        expect(line, name).not.toMatch(/, found .*, found /)
        expect(line.replaceAll(/"[^"]*"/g, '""'), name).not.toMatch(theirs)
        expect(line.length).toBeLessThan(900)
        faults += 1
      }
    }
  expect(faults).toBeGreaterThan(places.length)
}) // prettier-ignore

it('those were all kinds of issues that a spec’s schema can have', () => {
  expect([...codes].sort()).toEqual([
    'custom', 'invalid_format', 'invalid_key', 'invalid_type', 'invalid_union', 'invalid_value', 'too_big', 'too_small',
    'unrecognized_keys',
  ]) // prettier-ignore
})

it.each<[z.ZodType, unknown, string]>([
  [z.number().multipleOf(3), 4, 'v: expected a multiple of 3, found 4'],
  [z.url(), 'x', 'v: expected a text that is a url, found "x"'],
  [z.string().regex(/^a$/), 'b', 'v: expected a text like /^a$/, found "b"'],
  [z.string().min(1), '', 'v: expected at least 1 character, found 0'],
  [z.array(z.string()).max(1), ['a', 'b'], 'v: expected at most 1 entry, found 2'],
  [z.tuple([z.number(), z.number()]), [1], 'v: expected at least 2 entries, found 1'],
  [z.tuple([z.number(), z.number()]).nullable(), 'x', 'v: expected [a number, a number], found "x"'],
  [z.number().gt(0).lt(1), 'x', 'v: expected a number above 0 and below 1, found "x"'],
  [z.number().max(3), 'x', 'v: expected a number of at most 3, found "x"'],
  [z.int(), 1.5, 'v: expected a whole number, found 1.5'],
  [z.boolean(), 'yes', 'v: expected true or false, found "yes"'],
  [z.custom((value) => value === 1), 2, 'v: expected another value, found 2'],
  [z.map(z.string(), z.number()), 2, 'v: expected another value, found 2'],
  [z.never(), 2, 'v: expected another value, found 2'],
  [z.string(), Symbol('s'), 'v: expected a text, found symbol'],
  [z.strictObject({ a: z.literal(1) }), { b: 'x'.repeat(100) }, 'a: expected 1, found nothing'],
  [z.string(), { a: 'x'.repeat(100) }, `v: expected a text, found {"a":"${'x'.repeat(74)}…`],
])('%#: %s', (schema, value, message) => {
  expect(check(schema, value, { whole: 'v' }).faults?.[0]).toBe(message)
})

it('of what is nobody’s spec only the kind is said', () => {
  const schema = z.strictObject({ a: z.string(), b: z.enum(['x', 'y']), c: z.array(z.int()).max(1) })
  expect(check(schema, { a: ['secret'], b: 'secret', c: [{ secret: 1 }] }, { shown: byKind }).faults).toEqual(
    [
      'a: expected a text, found a list',
      'b: expected "x" or "y", found a text',
      'c.0: expected a whole number, found an object',
    ],
  )
})

it('a dozen faults are named, the others counted', () => {
  expect(firstOf(Array.from({ length: 14 }, (_, i) => `p${i}`))).toMatch(/^p0; p1; .*; p11; and 2 more$/)
  expect(firstOf(['a', 'b'])).toBe('a; b')
})
