/**
 * The store's port: bytes by key, and blobs by content. `s3/` and `file.ts` implement it and pass one contract test.
 *
 * Immutable blobs lie at blobs/sha256/ab/<digest>; what names them (a manifest) is written after them. A key is never
 * rewritten with other bytes except by `replace` (run.json, reports). Correctness never depends on conditional
 * writes: two writers of one key write the same bytes, or the first committed one is read back and wins.
 */
export interface BlobRef {
  readonly digest: string // SHA-256, 64 hexadecimal digits
  readonly sizeBytes: number
}

/** How an object looks from outside. `modifiedMs`: when it was written, by the store's clock, since the epoch. */
export interface ObjectHead {
  readonly sizeBytes: number
  /** Base64; null where the store recorded none. */
  readonly crc32: string | null
  readonly modifiedMs: number
}

export interface Listed {
  readonly key: string
  readonly sizeBytes: number
  readonly modifiedMs: number
}

/** A write that began and did not end: parts of an upload, a temporary file. */
export interface Unfinished {
  readonly id: string
  /** What it was to become, where the store knows. */
  readonly key: string | null
  readonly startedMs: number
}

/** Called with bytes moved so far: heartbeats, and a way to see a stall. */
export interface Transfer {
  readonly signal?: AbortSignal
  readonly progress?: (doneBytes: number, totalBytes: number) => void
}

export interface Upload extends Transfer {
  /** The right bytes written before it are written again. What collects garbage goes by that age. */
  readonly freshSinceMs?: number
  /** Of the file's bytes, base64, where the caller has read them already. */
  readonly crc32?: string
}

export interface Store {
  /** s3://bucket/prefix or file:///folder, without credentials. */
  readonly url: string
  /** Size, checksum and age of an object, or null. */
  head(key: string): Promise<ObjectHead | null>
  /** The whole object. Throws NotFound. */
  get(key: string, transfer?: Transfer): Promise<Uint8Array>
  /** The object's bytes in order, for what should not lie in memory whole. Throws NotFound. */
  read(key: string, transfer?: Transfer): AsyncIterable<Uint8Array>
  /** Writes unless the key exists; says which. Existing bytes are never changed. */
  create(key: string, bytes: Uint8Array, transfer?: Transfer): Promise<'created' | 'exists'>
  /** Writes whatever is there. */
  replace(key: string, bytes: Uint8Array, transfer?: Transfer): Promise<void>
  /** Like `create`, from a file; in parts above 16 MiB. `crc32` (base64) is sent and checked. */
  upload(key: string, path: string, transfer?: Upload): Promise<'created' | 'exists'>
  /** Keys under a prefix, in byte order; those behind `after` only, where it is given. */
  list(prefix: string, after?: string): AsyncIterable<Listed>
  remove(key: string): Promise<void>
  /** Removes an object unless it is gone or was written at or after this time; says whether it did. */
  removeOlder(key: string, beforeMs: number): Promise<boolean>
  /** Writes into this store that began and did not end, in no order: another may go on with them, or nobody will. */
  unfinished(): AsyncIterable<Unfinished>
  /** Removes what such a write has sent so far. Whoever goes on with it begins anew. */
  discard(unfinished: Unfinished): Promise<void>
  close(): Promise<void>
}

/** What a worker keeps of the store on its own disk: every file verified by its digest before anyone reads it. */
export interface Blobs {
  /** Stores bytes under their digest; nothing is sent when a whole object of that size and checksum is there. */
  put(bytes: Uint8Array, transfer?: Transfer): Promise<BlobRef>
  /** Stores a file and adopts it into the cache (moved, not copied), so that the next reader has it at once. */
  adopt(path: string, transfer?: Transfer): Promise<BlobRef>
  /** Adopts a file that the store is not given: only this cache has it, held like what `file` gives out. */
  keep(path: string, transfer?: Transfer): Promise<BlobRef>
  /** Stores what may be in this cache only. Throws NotFound. */
  share(ref: BlobRef, transfer?: Transfer): Promise<void>
  /**
   * A local path to the blob's verified bytes, good until the end of the `pinned` body it is asked in (an activity is
   * one); outside of any, until room is made. Throws CorruptObject, NotFound, CacheFull.
   */
  file(ref: BlobRef, transfer?: Transfer): Promise<string>
  /** The blob's verified bytes. */
  bytes(ref: BlobRef, transfer?: Transfer): Promise<Uint8Array>
  /** The folder that holds the cached files; a blob's path in it is `<first two digits>/<digest>`. */
  readonly folder: string
  /** A fresh path on the same file system, for a file that will be adopted. Throws CacheFull. */
  scratch(name: string): Promise<string>
}

export class NotFound extends Error {
  override readonly name = 'NotFound'
}

/** Bytes that do not match the digest, size or format that named them. */
export class CorruptObject extends Error {
  override readonly name = 'CorruptObject'
}
