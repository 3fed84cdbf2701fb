/**
 * One bucket and prefix, as the SDK's client reaches it: names, calls, and their errors in the store's words.
 *
 * Credentials, region and address come from AWS's own chain. Every call's failure names the call, the bucket and the
 * key; an absent object is NotFound, whatever the server calls it.
 */
import * as s3 from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { faultOf, nameOf, type StoreError } from '../faults.ts'
import { checkKey } from '../keys.ts'
import { NotFound, type Transfer } from '../store.ts'

type Send<T> = (client: s3.S3Client, options: { abortSignal?: AbortSignal }) => Promise<T>

export class Bucket {
  readonly name: string
  /** '' or ending in a slash. */
  readonly prefix: string
  readonly #client: s3.S3Client

  constructor(name: string, prefix: string, idleMs: number) {
    this.name = name
    this.prefix = prefix === '' ? '' : `${prefix}/`
    this.#client = clientOf(process.env, idleMs)
  }

  /** Where the SDK's commands find a key. Throws RangeError for what cannot be one. */
  at(key: string): { Bucket: string; Key: string } {
    checkKey(key)
    return { Bucket: this.name, Key: this.prefix + key }
  }

  /** Sends one command. Throws NotFound, StoreError, or the reason of the transfer's signal. */
  async call<T>(name: string, key: string | null, transfer: Transfer | undefined, send: Send<T>): Promise<T> {
    try {
      transfer?.signal?.throwIfAborted()
      return await send(this.#client, transfer?.signal ? { abortSignal: transfer.signal } : {})
    } catch (error) {
      transfer?.signal?.throwIfAborted()
      if (nameOf(error) === 'NoSuchKey' || (nameOf(error) === 'NotFound' && name === 'HeadObject'))
        throw new NotFound(`store ${name}: no such object ${this.place(key)}`, { cause: error })
      throw this.fault(name, key, error)
    }
  }

  fault(call: string, key: string | null, cause: unknown): StoreError {
    return faultOf(`store ${call}`, cause, this.place(key))
  }

  place(key: string | null): string {
    return `[bucket=${this.name}${key === null ? '' : `, key=${this.prefix}${key}`}]`
  }

  close(): void {
    this.#client.destroy()
  }
}

function clientOf(env: NodeJS.ProcessEnv, idleMs: number): s3.S3Client {
  // Of versions that are not this one: ours runs on any Node that package.json names. The SDK looks at nothing else.
  env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
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
      socketTimeout: idleMs,
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
        // Its CRC32 is signed; a SHA-256 on both sides would take as long as all the rest, and readers compute one.
        if (commandName === 'UploadPartCommand') headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
        return next(args)
      },
    { step: 'build', name: 'checksums' },
  )
  return client
}

/** So that a browser shows what is meant to be looked at. */
export function typeOf(key: string): { ContentType?: string } {
  if (key.endsWith('.json')) return { ContentType: 'application/json' }
  return key.endsWith('.html') ? { ContentType: 'text/html; charset=utf-8' } : {}
}
