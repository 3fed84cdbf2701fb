/**
 * Objects in parts, each as large as what a broken connection may cost.
 *
 * An upload that broke off is found again by listing, whoever began it, and parts whose size and checksum the server
 * has are not sent again. Progress is told by bytes as each part arrives. What nobody goes on with is listed and
 * discarded by whoever collects garbage, or by a lifecycle rule AbortIncompleteMultipartUpload.
 */
import * as s3 from '@aws-sdk/client-s3'
import { atOnce } from '../at-once.ts'
import { crc32Of } from '../checksum.ts'
import type { Content } from '../content.ts'
import { nameOf } from '../faults.ts'
import type { Transfer, Unfinished } from '../store.ts'
import { typeOf, type Bucket } from './bucket.ts'

/** The size of a part, and the size above which there is more than one. A part is what a broken connection costs. */
export const partBytes = 16 * 1024 * 1024
/** S3's limit; parts grow when an object would need more. */
const maxParts = 10_000
/** Parts on their way at once: each is held in memory. */
const partsAtOnce = 4

export class Multipart {
  readonly #bucket: Bucket

  constructor(bucket: Bucket) {
    this.#bucket = bucket
  }

  /** Writes a key in parts; `fresh` begins anew instead of going on with an upload that broke off. */
  async put(
    key: string,
    content: Content,
    condition: { IfNoneMatch?: string },
    fresh: boolean,
    transfer?: Transfer,
  ): Promise<void> {
    const UploadId =
      (fresh ? null : await this.#unfinished(key, transfer)) ?? (await this.#begin(key, transfer))
    const at = { ...this.#bucket.at(key), UploadId }
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
      await this.#bucket.call('CompleteMultipartUpload', key, transfer, (client, options) =>
        client.send(new s3.CompleteMultipartUploadCommand(input), options),
      )
    } catch (error) {
      // Parts that can still become the object stay, for whoever resumes; these cannot.
      if (['PreconditionFailed', 'InvalidPart', 'BadDigest'].includes(nameOf(error)))
        await this.#abort(key, UploadId).catch(() => undefined)
      throw error
    }
  }

  /** Every upload under the store's prefix that has not ended. */
  async *unfinished(): AsyncIterable<Unfinished> {
    const { name, prefix } = this.#bucket
    let markers: { KeyMarker?: string; UploadIdMarker?: string } | null = {}
    while (markers !== null) {
      const input: s3.ListMultipartUploadsCommandInput = { Bucket: name, Prefix: prefix, ...markers }
      const page = await this.#bucket.call('ListMultipartUploads', null, undefined, (client, options) =>
        client.send(new s3.ListMultipartUploadsCommand(input), options),
      )
      for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? [])
        yield { id: UploadId, key: Key.slice(prefix.length), startedMs: Number(Initiated ?? 0) }
      const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page
      markers =
        IsTruncated && NextKeyMarker
          ? { KeyMarker: NextKeyMarker, ...(NextUploadIdMarker && { UploadIdMarker: NextUploadIdMarker }) }
          : null
    }
  }

  /** Removes an upload's parts; one that has ended meanwhile stays as it ended. */
  async discard({ id, key }: Unfinished): Promise<void> {
    await this.#abort(key ?? '', id).catch((error: unknown) => {
      if (nameOf(error) !== 'NoSuchUpload') throw error
    })
  }

  async #abort(key: string, UploadId: string): Promise<void> {
    const input = { ...this.#bucket.at(key), UploadId }
    await this.#bucket.call('AbortMultipartUpload', key, undefined, (client, options) =>
      client.send(new s3.AbortMultipartUploadCommand(input), options),
    )
  }

  async #begin(key: string, transfer?: Transfer): Promise<string> {
    const sums = { ChecksumAlgorithm: 'CRC32' as const, ChecksumType: 'FULL_OBJECT' as const }
    const input = { ...this.#bucket.at(key), ...sums, ...typeOf(key) }
    const { UploadId } = await this.#bucket.call('CreateMultipartUpload', key, transfer, (client, options) =>
      client.send(new s3.CreateMultipartUploadCommand(input), options),
    )
    if (UploadId === undefined)
      throw this.#bucket.fault('CreateMultipartUpload', key, new Error('no upload id'))
    return UploadId
  }

  /** The newest upload of this key that somebody began and did not end. */
  async #unfinished(key: string, transfer?: Transfer): Promise<string | null> {
    const { Bucket, Key } = this.#bucket.at(key)
    const { Uploads = [] } = await this.#bucket.call(
      'ListMultipartUploads',
      key,
      transfer,
      (client, options) => client.send(new s3.ListMultipartUploadsCommand({ Bucket, Prefix: Key }), options),
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
    const at = { ...this.#bucket.at(key), UploadId }
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
        : await this.#bucket.call('UploadPart', key, transfer, (client, options) =>
            client.send(new s3.UploadPartCommand({ ...at, ...part, Body }), options),
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
      const input = { ...this.#bucket.at(key), UploadId, ...(PartNumberMarker && { PartNumberMarker }) }
      const page = await this.#bucket.call('ListParts', key, transfer, (client, options) =>
        client.send(new s3.ListPartsCommand(input), options),
      )
      for (const part of page.Parts ?? []) sent.set(part.PartNumber ?? 0, part)
      PartNumberMarker = page.IsTruncated ? page.NextPartNumberMarker : undefined
    } while (PartNumberMarker !== undefined)
    return sent
  }
}
