/**
 * The store in a bucket of Amazon S3 or of a server that speaks its protocol. The only file that knows AWS.
 *
 * Commit protocol: an object is looked at first (size and CRC32: a torn one may be visible), written with
 * `If-None-Match: *` and its CRC32, in parts above 16 MiB. An upload that broke off is found again by listing, and
 * parts whose checksum the server has are not sent again. A lost response shows as 412, 404 or 409: the store is
 * looked at again, never assumed. Needs s3:GetObject, PutObject, DeleteObject, AbortMultipartUpload and ListBucket,
 * ListBucketMultipartUploads, ListMultipartUploadParts. Credentials, region and address come from AWS's own chain.
 *
 * Leaves out: removing uploads that nobody goes on with (a lifecycle rule AbortIncompleteMultipartUpload does it).
 */
import * as s3 from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { base64OfCrc32, crc32Of } from './checksum.ts'
import { contentOf, openContent, same, type Content } from './content.ts'
import { faultOf, nameOf, type StoreError } from './faults.ts'
import { checkKey } from './keys.ts'
import { CorruptObject, NotFound, type Store, type Transfer } from './store.ts'

/** The size of a part, and the size above which there is more than one. A part is what a broken connection costs. */
const partBytes = 16 * 1024 * 1024
/** S3's limit; parts grow when an object would need more. */
const maxParts = 10_000
/** Parts on their way at once: each is held in memory. */
const partsAtOnce = 4
/** Tries of what the SDK does not retry: conflicts, an upload that vanished, a body that broke off. */
const attempts = 6

export class S3Store implements Store {
  readonly url: string
  readonly #client: s3.S3Client
  readonly #bucket: string
  /** '' or ending in a slash. */
  readonly #prefix: string

  private constructor(bucket: string, prefix: string) {
    this.url = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`
    this.#bucket = bucket
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    this.#client = clientOf(process.env)
  }

  /** The store at s3://bucket/prefix. Asks for one key, so that a wrong bucket, key or address shows here. */
  static async open(url: string): Promise<S3Store> {
    const [, bucket, prefix = ''] =
      /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/.exec(url) ?? []
    if (bucket === undefined)
      throw new TypeError(`store ${JSON.stringify(url)}: expected s3://bucket or s3://bucket/prefix`)
    if (prefix !== '') checkKey(prefix)
    const store = new S3Store(bucket, prefix)
    try {
      await store.#listed({ MaxKeys: 1, Prefix: store.#prefix })
      return store
    } catch (error) {
      await store.close()
      throw error
    }
  }

  async head(key: string, transfer?: Transfer): Promise<{ sizeBytes: number; crc32: string | null } | null> {
    const input = { ...this.#at(key), ChecksumMode: 'ENABLED' as const }
    try {
      const found = await this.#try('HeadObject', key, transfer, (options) =>
        this.#client.send(new s3.HeadObjectCommand(input), options),
      )
      // A checksum of checksums ("…-3") says nothing about the bytes without knowing the parts.
      const whole = found.ChecksumType !== 'COMPOSITE' && !found.ChecksumCRC32?.includes('-')
      return { sizeBytes: found.ContentLength ?? 0, crc32: whole ? (found.ChecksumCRC32 ?? null) : null }
    } catch (error) {
      if (error instanceof NotFound) return null
      throw error
    }
  }

  async get(key: string, transfer?: Transfer): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    for await (const chunk of this.read(key, transfer)) chunks.push(chunk)
    return Buffer.concat(chunks)
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
        if (++failures === attempts) throw this.#fault('GetObject', key, cause)
        opened = await this.#open(key, transfer, { from: doneBytes, etag })
      }
    }
    const found = base64OfCrc32(crc)
    if (expected !== null && found !== expected)
      throw new CorruptObject(`store: expected CRC32 ${expected}, found ${found} ${this.#place(key)}`)
  }

  async create(key: string, bytes: Uint8Array, transfer?: Transfer): Promise<'created' | 'exists'> {
    if ((await this.head(key, transfer)) !== null) return 'exists'
    return this.#write(key, contentOf(bytes), true, transfer)
  }

  async replace(key: string, bytes: Uint8Array, transfer?: Transfer): Promise<void> {
    await this.#write(key, contentOf(bytes), false, transfer)
  }

  async upload(key: string, path: string, transfer?: Transfer): Promise<'created' | 'exists'> {
    const content = await openContent(path, transfer?.signal)
    try {
      const before = await this.head(key, transfer)
      if (same(before, content)) return 'exists'
      const outcome = await this.#write(key, content, before === null, transfer)
      // Somebody else's object, or a torn one: only bytes with the right checksum are left alone.
      if (outcome === 'created' || same(await this.head(key, transfer), content)) return outcome
      return await this.#write(key, content, false, transfer)
    } finally {
      await content.close()
    }
  }

  async *list(prefix: string): AsyncIterable<{ key: string; sizeBytes: number }> {
    let ContinuationToken: string | undefined
    do {
      const page = await this.#listed({
        Prefix: this.#prefix + prefix,
        ...(ContinuationToken && { ContinuationToken }),
      })
      for (const { Key = '', Size = 0 } of page.Contents ?? [])
        yield { key: Key.slice(this.#prefix.length), sizeBytes: Size }
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
  }

  async remove(key: string): Promise<void> {
    await this.#try('DeleteObject', key, undefined, (options) =>
      this.#client.send(new s3.DeleteObjectCommand(this.#at(key)), options),
    )
  }

  async close(): Promise<void> {
    this.#client.destroy()
  }

  async #open(key: string, transfer?: Transfer, resume?: { from: number; etag: string | undefined }) {
    const range = resume && { Range: `bytes=${resume.from}-`, ...(resume.etag && { IfMatch: resume.etag }) }
    const input = { ...this.#at(key), ...range }
    const found = await this.#try('GetObject', key, transfer, (options) =>
      this.#client.send(new s3.GetObjectCommand(input), options),
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
        else await this.#putParts(key, content, condition, fresh, transfer)
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
    const input = { ...this.#at(key), Body, ...sums, ...typeOf(key), ...condition }
    await this.#try('PutObject', key, transfer, (options) =>
      this.#client.send(new s3.PutObjectCommand(input), options),
    )
    transfer?.progress?.(content.sizeBytes, content.sizeBytes)
  }

  async #putParts(
    key: string,
    content: Content,
    condition: { IfNoneMatch?: string },
    fresh: boolean,
    transfer?: Transfer,
  ): Promise<void> {
    const UploadId =
      (fresh ? null : await this.#unfinished(key, transfer)) ?? (await this.#begin(key, transfer))
    const at = { ...this.#at(key), UploadId }
    try {
      const Parts = await this.#sendParts(key, UploadId, content, transfer)
      const input = {
        ...at,
        MultipartUpload: { Parts },
        ChecksumCRC32: content.crc32,
        ChecksumType: 'FULL_OBJECT' as const,
        MpuObjectSize: content.sizeBytes,
        ...condition,
      }
      await this.#try('CompleteMultipartUpload', key, transfer, (options) =>
        this.#client.send(new s3.CompleteMultipartUploadCommand(input), options),
      )
    } catch (error) {
      // Parts that can still become the object stay, for whoever resumes; these cannot.
      if (['PreconditionFailed', 'InvalidPart', 'BadDigest'].includes(nameOf(error)))
        await this.#client.send(new s3.AbortMultipartUploadCommand(at)).catch(() => undefined)
      throw error
    }
  }

  async #begin(key: string, transfer?: Transfer): Promise<string> {
    const sums = { ChecksumAlgorithm: 'CRC32' as const, ChecksumType: 'FULL_OBJECT' as const }
    const input = { ...this.#at(key), ...sums, ...typeOf(key) }
    const { UploadId } = await this.#try('CreateMultipartUpload', key, transfer, (options) =>
      this.#client.send(new s3.CreateMultipartUploadCommand(input), options),
    )
    if (UploadId === undefined) throw this.#fault('CreateMultipartUpload', key, new Error('no upload id'))
    return UploadId
  }

  /** The newest upload of this key that somebody began and did not end. */
  async #unfinished(key: string, transfer?: Transfer): Promise<string | null> {
    const { Bucket, Key } = this.#at(key)
    const { Uploads = [] } = await this.#try('ListMultipartUploads', key, transfer, (options) =>
      this.#client.send(new s3.ListMultipartUploadsCommand({ Bucket, Prefix: Key }), options),
    )
    const own = Uploads.filter((upload) => upload.Key === Key && upload.ChecksumType !== 'COMPOSITE')
    own.sort((a, b) => Number(b.Initiated ?? 0) - Number(a.Initiated ?? 0))
    return own[0]?.UploadId ?? null
  }

  async #sendParts(
    key: string,
    UploadId: string,
    content: Content,
    transfer?: Transfer,
  ): Promise<s3.CompletedPart[]> {
    const at = { ...this.#at(key), UploadId }
    const sent = await this.#sentParts(key, UploadId, transfer)
    const sizeBytes = Math.max(partBytes, Math.ceil(content.sizeBytes / maxParts))
    let doneBytes = 0
    return atOnce(partsAtOnce, Math.ceil(content.sizeBytes / sizeBytes), async (i) => {
      const Body = await content.part(i * sizeBytes, Math.min((i + 1) * sizeBytes, content.sizeBytes))
      const part = { PartNumber: i + 1, ChecksumCRC32: crc32Of(Body) }
      const known = sent.get(part.PartNumber)
      const isThere = known?.Size === Body.length && known.ChecksumCRC32 === part.ChecksumCRC32
      const { ETag } = isThere
        ? known
        : await this.#try('UploadPart', key, transfer, (options) =>
            this.#client.send(new s3.UploadPartCommand({ ...at, ...part, Body }), options),
          )
      doneBytes += Body.length
      transfer?.progress?.(doneBytes, content.sizeBytes)
      return { ...part, ...(ETag && { ETag }) }
    })
  }

  async #sentParts(key: string, UploadId: string, transfer?: Transfer): Promise<Map<number, s3.Part>> {
    const sent = new Map<number, s3.Part>()
    let PartNumberMarker: string | undefined
    // Not the SDK's paginator: it goes by the marker alone and never ends where a server gives one with its last page.
    do {
      const input = { ...this.#at(key), UploadId, ...(PartNumberMarker && { PartNumberMarker }) }
      const page = await this.#try('ListParts', key, transfer, (options) =>
        this.#client.send(new s3.ListPartsCommand(input), options),
      )
      for (const part of page.Parts ?? []) sent.set(part.PartNumber ?? 0, part)
      PartNumberMarker = page.IsTruncated ? page.NextPartNumberMarker : undefined
    } while (PartNumberMarker !== undefined)
    return sent
  }

  #listed(input: Omit<s3.ListObjectsV2CommandInput, 'Bucket'>) {
    return this.#try('ListObjectsV2', null, undefined, (options) =>
      this.#client.send(new s3.ListObjectsV2Command({ ...input, Bucket: this.#bucket }), options),
    )
  }

  #at(key: string) {
    checkKey(key)
    return { Bucket: this.#bucket, Key: this.#prefix + key }
  }

  #place(key: string | null): string {
    return `[bucket=${this.#bucket}${key === null ? '' : `, key=${this.#prefix}${key}`}]`
  }

  async #try<T>(
    call: string,
    key: string | null,
    transfer: Transfer | undefined,
    send: (options: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    try {
      transfer?.signal?.throwIfAborted()
      return await send(transfer?.signal ? { abortSignal: transfer.signal } : {})
    } catch (error) {
      transfer?.signal?.throwIfAborted()
      if (nameOf(error) === 'NoSuchKey' || (nameOf(error) === 'NotFound' && call === 'HeadObject'))
        throw new NotFound(`store ${call}: no such object ${this.#place(key)}`, { cause: error })
      throw this.#fault(call, key, error)
    }
  }

  #fault(call: string, key: string | null, cause: unknown): StoreError {
    return faultOf(`store ${call}`, cause, this.#place(key))
  }
}

function clientOf(env: NodeJS.ProcessEnv): s3.S3Client {
  const endpoint = env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']
  // A server at an address of its own seldom answers to bucket names as host names, and seldom knows regions.
  const own = endpoint === undefined ? {} : { forcePathStyle: true, region: env['AWS_REGION'] ?? 'us-east-1' }
  const sockets = { keepAlive: true, maxSockets: 64 }
  const client = new s3.S3Client({
    ...own,
    retryMode: 'standard',
    maxAttempts: 8,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 3000,
      requestTimeout: 120_000,
      throwOnRequestTimeout: true,
      socketTimeout: 60_000,
      httpAgent: sockets,
      httpsAgent: sockets,
    }),
    // Every write carries its own CRC32, and `read` checks over resumed connections, where the SDK cannot.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const { headers } = args.request as { headers: Record<string, string> }
        if (commandName === 'GetObjectCommand') headers['x-amz-checksum-mode'] = 'ENABLED'
        return next(args)
      },
    { step: 'build', name: 'askForChecksum' },
  )
  return client
}

/** So that a browser shows what is meant to be looked at. */
function typeOf(key: string): { ContentType?: string } {
  if (key.endsWith('.json')) return { ContentType: 'application/json' }
  return key.endsWith('.html') ? { ContentType: 'text/html; charset=utf-8' } : {}
}

/** `action` for 0..count-1, some at once; after a failure nothing new begins, and what runs is waited for. */
async function atOnce<T>(limit: number, count: number, action: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const lane = async () => {
    while (next < count) {
      const i = next++
      try {
        results[i] = await action(i)
      } catch (error) {
        next = count
        throw error
      }
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: limit }, lane))
  for (const outcome of lanes) if (outcome.status === 'rejected') throw outcome.reason
  return results
}
