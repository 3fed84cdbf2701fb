/** The words that every contract is written in. */
import { z } from 'zod'

export const strict = z.strictObject
export const Digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 digest of 64 hexadecimal digits')
/** A run is its workflow id: no slash, so prefixes never nest. */
export const RunId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:@=+-]{0,199}$/,
    'letters, digits and . _ : @ = + - (first a letter or digit, at most 200)',
  )
/** What a chat template is told when it asks for today: policy/strftime.ts says which days there are. */
export const Today = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$/, 'a date as "2024-07-26" or "2024-07-26T14:05:00"')
export const count = z.int().min(1)
export const probability = z.number().min(0).max(1)

/** Of two fields exactly one is given. */
export function eitherOf(one: string, other: string, value: unknown): string {
  const has = (name: string) => (value as Record<string, unknown> | null | undefined)?.[name] !== undefined
  return `expected either ${one} or ${other}, found ${has(one) || has(other) ? 'both' : 'neither'}`
}
