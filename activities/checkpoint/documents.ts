/**
 * Stored JSON documents: validated when read, written as canonical JSON, the first committed one wins.
 *
 * A document is believed only if it parses under its schema, which includes its `format`, and is what its key names
 * (names.ts); `expected` are further fields that who asks knows of it. Two writers of one key agree
 * because both go on with what the store holds, not with what they meant to write.
 */
import type { z } from 'zod'
import { byKind, check, firstOf } from '../contracts/issues.ts'
import { canonical } from './canonical.ts'
import { misnamed, unexpected } from './names.ts'
import { CorruptObject, NotFound, type Store } from './store.ts'

/** The document, or null where there is none. Throws CorruptObject naming the key and what does not fit. */
export async function readDocument<T>(
  store: Store,
  key: string,
  schema: z.ZodType<T>,
  expected: Partial<T> = {},
): Promise<T | null> {
  try {
    return await requireDocument(store, key, schema, expected)
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

/** The document. Throws NotFound, CorruptObject. */
export async function requireDocument<T>(
  store: Store,
  key: string,
  schema: z.ZodType<T>,
  expected: Partial<T> = {},
): Promise<T> {
  const bytes = await store.get(key)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new CorruptObject(`${store.url}: ${key} is not JSON (${bytes.length} bytes)`, { cause })
  }
  // What anybody may have put there is nothing to be quoted.
  const checked = check(schema, value, { shown: byKind, whole: '$' })
  if (checked.faults === null) {
    const fault = misnamed(key, value) ?? unexpected(checked.data, expected)
    if (fault !== null) throw new CorruptObject(`${store.url}: ${key}: ${fault}`)
    return checked.data
  }
  throw new CorruptObject(`${store.url}: ${key} does not fit its schema: ${firstOf(checked.faults)}`)
}

/** Writes the document unless its key has one, and answers with the one the store holds from now on. */
export async function commit<T>(
  store: Store,
  key: string,
  schema: z.ZodType<T>,
  value: T,
  expected: Partial<T> = {},
): Promise<T> {
  const fresh = schema.parse(value)
  const bytes = new TextEncoder().encode(canonical(fresh))
  return (await store.create(key, bytes)) === 'created'
    ? fresh
    : requireDocument(store, key, schema, expected)
}

/** Writes the document whatever is there. */
export async function replaceDocument<T>(
  store: Store,
  key: string,
  schema: z.ZodType<T>,
  value: T,
): Promise<void> {
  await store.replace(key, new TextEncoder().encode(canonical(schema.parse(value))))
}
