/**
 * Canonical JSON, and digests over it: one value has one text, whoever wrote it and in whatever order its keys came.
 *
 * RFC 8785 (JSON Canonicalization Scheme): keys sorted by UTF-16 code units, no white space, numbers as ECMAScript
 * prints them. Departures: a property that is undefined is left out, as JSON.stringify does; what JSON cannot say (NaN,
 * infinities, bigint, functions) is an error that names its path, not null.
 */
import { createHash } from 'node:crypto'

export function canonical(value: unknown): string {
  return print(value, '$')
}

/** SHA-256 of the canonical JSON, 64 hexadecimal digits. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex')
}

function print(value: unknown, path: string): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return JSON.stringify(value)
    throw new TypeError(`canonical: ${path} is ${value}, which JSON cannot hold`)
  }
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const items = Array.isArray(value) ? (value as unknown[]) : Array.from(value as Uint8Array)
    return `[${items.map((item, i) => print(item, `${path}[${i}]`)).join()}]`
  }
  if (typeof value === 'object') {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    fields.sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${print(field, `${path}.${name}`)}`).join()}}`
  }
  throw new TypeError(`canonical: ${path} is of type ${typeof value}, which JSON cannot hold`)
}
