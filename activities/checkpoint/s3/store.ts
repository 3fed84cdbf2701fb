/**
 * The store in a bucket of Amazon S3 or of a server that speaks its protocol. Only this folder knows AWS.
 *
 * Commit protocol: an object is looked at first (size and CRC32: a torn one may be visible), written with
 * `If-None-Match: *` and its CRC32, in parts above 16 MiB (multipart.ts). A lost response shows as 412, 404 or 409: the
 * store is looked at again, never assumed. Needs s3:GetObject, PutObject, DeleteObject, AbortMultipartUpload and
 * ListBucket, ListBucketMultipartUploads, ListMultipartUploadParts.
 */
import * as s3 from '@aws-sdk/client-s3'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { base64OfCrc32 } from '../checksum.ts'
import { bytesOf, contentOf, fresh, openContent, same, type Content } from '../content.ts'
import { nameOf } from '../faults.ts'
import { checkKey } from '../keys.ts'
import {
  CorruptObject,
  NotFound,
  type Listed,
  type ObjectHead,
  type Store,
  type Transfer,
  type Unfinished,
  type Upload,
} from '../store.ts'
import { Bucket, typeOf } from './bucket.ts'
import { Multipart, partBytes } from './multipart.ts'

/** Tries of what the SDK does not retry: conflicts, an upload that vanished, a body that broke off. */
const attempts = 6

export class S3Store implements Store {
  readonly url: string
  readonly #bucket: Bucket
  readonly #parts: Multipart

  private constructor(bucket: string, prefix: string, idleMs: number) {
    this.url = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`
    this.#bucket = new Bucket(bucket, prefix, idleMs)
    this.#parts = new Multipart(this.#bucket)
  }

  /**
   * The store at s3://bucket/prefix. Asks for one key, so that a wrong bucket, key or address shows here. A connection
   * on which nothing moved for `idleMs` is given up, and what it carried is asked for again.
   */
  static async open(url: string, { idleMs = 60_000 } = {}): Promise<S3Store> {
    const [, bucket, prefix = ''] =
      /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/.exec(url) ?? []
    if (bucket === undefined)
      throw new TypeError(`store ${JSON.stringify(url)}: expected s3://bucket or s3://bucket/prefix`)
    if (prefix !== '') checkKey(prefix)
    const store = new S3Store(bucket, prefix, idleMs)
    try {
      await store.#listed({ MaxKeys: 1, Prefix: store.#bucket.prefix })
      return store
    } catch (error) {
      await store.close()
      throw error
    }
  }

  async head(key: string, transfer?: Transfer): Promise<ObjectHead | null> {
    const input = { ...this.#bucket.at(key), ChecksumMode: 'ENABLED' as const }
    try {
      const found = await this.#bucket.call('HeadObject', key, transfer, (client, options) =>
        client.send(new s3.HeadObjectCommand(input), options),
      )
      // A checksum of checksums ("…-3") says nothing about the bytes without knowing the parts.
      const whole = found.ChecksumType !== 'COMPOSITE' && !found.ChecksumCRC32?.includes('-')
      return {
        sizeBytes: found.ContentLength ?? 0,
        crc32: whole ? (found.ChecksumCRC32 ?? null) : null,
        modifiedMs: Number(found.LastModified ?? 0),
      }
    } catch (error) {
      if (error instanceof NotFound) return null
      throw error
    }
  }

  get(key: string, transfer?: Transfer): Promise<Uint8Array> {
    return bytesOf(this.read(key, transfer))
  }

  /** Goes on where a connection broke, on the same version of the object, and checks the CRC32 at the end. */
  async *read(key: string, transfer?: Transfer): AsyncIterable<Uint8Array> {
    let opened = await this.#open(key, transfer)
    const { totalBytes, etag, expected } = opened
    let [doneBytes, crc, failures] = [0, 0, 0]
    while (doneBytes < totalBytes) {
      try {
        for await (const chunk of opened.body) {
          doneBytes += chunk.length
          crc = crc32(chunk, crc)
          failures = 0
          transfer?.progress?.(doneBytes, totalBytes)
          yield chunk
        }
        if (doneBytes < totalBytes) throw new Error(`ended after ${doneBytes} of ${totalBytes} bytes`)
      } catch (cause) {
        transfer?.signal?.throwIfAborted()
        if (++failures === attempts) throw this.#bucket.fault('GetObject', key, cause)
        opened = await this.#open(key, transfer, { from: doneBytes, etag })
      }
    }
    const found = base64OfCrc32(crc)
    if (expected !== null && found !== expected)
      throw new CorruptObject(`store: expected CRC32 ${expected}, found ${found} ${this.#bucket.place(key)}`)
  }

  async create(key: string, bytes: Uint8Array, transfer?: Transfer): Promise<'created' | 'exists'> {
    if ((await this.head(key, transfer)) !== null) return 'exists'
    return this.#write(key, contentOf(bytes), true, transfer)
  }

  async replace(key: string, bytes: Uint8Array, transfer?: Transfer): Promise<void> {
    await this.#write(key, contentOf(bytes), false, transfer)
  }

  async upload(key: string, path: string, transfer?: Upload): Promise<'created' | 'exists'> {
    const content = await openContent(path, transfer)
    try {
      const before = await this.head(key, transfer)
      if (same(before, content) && fresh(before, transfer)) return 'exists'
      const outcome = await this.#write(key, content, before === null, transfer)
      // Somebody else's object, or a torn one: only bytes with the right checksum are left alone.
      if (outcome === 'created' || same(await this.head(key, transfer), content)) return outcome
      return await this.#write(key, content, false, transfer)
    } finally {
      await content.close()
    }
  }

  async *list(prefix: string, after?: string): AsyncIterable<Listed> {
    let ContinuationToken: string | undefined
    do {
      const page = await this.#listed({
        Prefix: this.#bucket.prefix + prefix,
        ...(after && { StartAfter: this.#bucket.prefix + after }),
        ...(ContinuationToken && { ContinuationToken }),
      })
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        const key = Key.slice(this.#bucket.prefix.length)
        yield { key, sizeBytes: Size, modifiedMs: Number(LastModified ?? 0) }
      }
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
  }

  async remove(key: string): Promise<void> {
    await this.#bucket.call('DeleteObject', key, undefined, (client, options) =>
      client.send(new s3.DeleteObjectCommand(this.#bucket.at(key)), options),
    )
  }

  /** S3 has no such condition on a removal: what is written between the look and the removal goes with it. */
  async removeOlder(key: string, beforeMs: number): Promise<boolean> {
    const found = await this.head(key)
    if (found === null || found.modifiedMs >= beforeMs) return false
    await this.remove(key)
    return true
  }

  unfinished(): AsyncIterable<Unfinished> {
    return this.#parts.unfinished()
  }

  async discard(unfinished: Unfinished): Promise<void> {
    await this.#parts.discard(unfinished)
  }

  async close(): Promise<void> {
    this.#bucket.close()
  }

  async #open(key: string, transfer?: Transfer, resume?: { from: number; etag: string | undefined }) {
    const range = resume && { Range: `bytes=${resume.from}-`, ...(resume.etag && { IfMatch: resume.etag }) }
    const input = { ...this.#bucket.at(key), ...range }
    const found = await this.#bucket.call('GetObject', key, transfer, (client, options) =>
      client.send(new s3.GetObjectCommand(input), options),
    )
    return {
      body: found.Body as unknown as AsyncIterable<Uint8Array>, // in Node a Readable; ending the loop destroys it
      totalBytes: found.ContentLength ?? 0,
      etag: found.ETag,
      expected: found.ChecksumType === 'FULL_OBJECT' ? (found.ChecksumCRC32 ?? null) : null,
    }
  }

  /** 'exists' only if `onlyNew`: something is there, and it may be these very bytes. */
  async #write(
    key: string,
    content: Content,
    onlyNew: boolean,
    transfer?: Transfer,
  ): Promise<'created' | 'exists'> {
    const condition = onlyNew ? { IfNoneMatch: '*' } : {}
    let fresh = false
    for (let attempt = 1; ; attempt++) {
      try {
        if (content.sizeBytes <= partBytes) await this.#put(key, content, condition, transfer)
        else await this.#parts.put(key, content, condition, fresh, transfer)
        return 'created'
      } catch (error) {
        const name = nameOf(error)
        if (name === 'PreconditionFailed') return 'exists'
        // Gone because it was completed: by another writer, or by an earlier try whose answer was lost.
        if (name === 'NoSuchUpload' && same(await this.head(key, transfer), content)) return 'created'
        const mendable = ['ConditionalRequestConflict', 'NoSuchUpload', 'InvalidPart', 'BadDigest'].includes(
          name,
        )
        if (!mendable || attempt === attempts) throw error
        fresh = name !== 'ConditionalRequestConflict'
        await sleep(100 * 2 ** attempt, undefined, transfer?.signal && { signal: transfer.signal })
      }
    }
  }

  async #put(
    key: string,
    content: Content,
    condition: { IfNoneMatch?: string },
    transfer?: Transfer,
  ): Promise<void> {
    const Body = await content.part(0, content.sizeBytes)
    const sums = { ContentLength: content.sizeBytes, ChecksumCRC32: content.crc32 }
    const input = { ...this.#bucket.at(key), Body, ...sums, ...typeOf(key), ...condition }
    await this.#bucket.call('PutObject', key, transfer, (client, options) =>
      client.send(new s3.PutObjectCommand(input), options),
    )
    transfer?.progress?.(content.sizeBytes, content.sizeBytes)
  }

  #listed(input: Omit<s3.ListObjectsV2CommandInput, 'Bucket'>) {
    return this.#bucket.call('ListObjectsV2', null, undefined, (client, options) =>
      client.send(new s3.ListObjectsV2Command({ ...input, Bucket: this.#bucket.name }), options),
    )
  }
}
