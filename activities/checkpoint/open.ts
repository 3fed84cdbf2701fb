/**
 * Opens a store by its URL, and tells one store from another by the id in its store.json.
 *
 * A wrong bucket, key or address shows here: opening lists the store once. s3/ is loaded only for s3:// URLs, for the
 * SDK behind it takes longer to load than all the rest.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { commit, readDocument } from './documents.ts'
import { WrongStore } from './faults.ts'
import { FileStore } from './file.ts'
import * as keys from './keys.ts'
import type { Store } from './store.ts'

/** `s3://bucket/prefix` (credentials and address from the environment, as AWS's tools read them) or `file:///folder`. */
export async function openStore(url: string): Promise<Store> {
  if (/^file:\/\/\//.test(url)) return FileStore.open(url)
  if (/^s3:\/\//.test(url)) return (await import('./s3/store.ts')).S3Store.open(url)
  throw new TypeError(`store ${JSON.stringify(url)}: expected s3://bucket/prefix or file:///folder`)
}

const StoreDocument = z.strictObject({ format: z.literal(1), id: z.uuid() })

/** The id of the store, made at its first use. With `expected`, throws WrongStore unless it is that one. */
export async function checkStore(store: Store, expected?: string): Promise<string> {
  const found = await readDocument(store, keys.store, StoreDocument)
  if (expected !== undefined && found?.id !== expected)
    throw new WrongStore(`${store.url}: expected store ${expected}, found ${found?.id ?? `no ${keys.store}`}`)
  if (found !== null) return found.id
  return (await commit(store, keys.store, StoreDocument, { format: 1, id: randomUUID() })).id
}
