/**
 * Where a user's file of problems lies: a folder or a bucket that the worker allows, or a data set of the Hub at the
 * commit that its revision stands for. What lies elsewhere is streamed to a file on this machine, never into memory.
 *
 * What a retry cannot mend is DataUnavailable; a network that fails is left as it is. Leaves out: several files at once.
 */
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { isRefused } from '../checkpoint/faults.ts'
import { openStore } from '../checkpoint/open.ts'
import { NotFound } from '../checkpoint/store.ts'
import type { Control } from '../engine/port.ts'
import { hubFault } from '../models/hub.ts'
import { requireAllowed, threeSlashes, type Reach } from '../models/source.ts'
import { rootsOf } from '../models/within.ts'
import { DataUnavailable, InvalidData } from './faults.ts'
import { openRegular } from './local.ts'
import { begun } from './patience.ts'

export interface Origin {
  /** The same text is the same bytes for ever; null where a file may change under its name. */
  readonly pinned: string | null
  /** The path of a regular file with the source's bytes: where it lies already, or `scratch`, which is written. */
  bring(scratch: () => Promise<string>, control: Control): Promise<string>
}

/** A file is read in ranges, so that this bounds the disk and the time to bring it, not memory. */
export const mostBytes = 4 * 2 ** 30

/** Throws InvalidData unless a source has the form of one; whether it is there, nobody has looked. */
export function requireSource(source: string): void {
  if (source.startsWith('hf://') ? address.test(source) : /^(file:\/\/|s3:\/\/[^/]+\/)./.test(source)) return
  const ofHub = 'hf://datasets/owner/name@revision/path'
  const forms = source.startsWith('hf://') ? ofHub : `file:///…, s3://… or ${ofHub}`
  throw new InvalidData(`data ${source}: expected ${forms}${threeSlashes(source)}`)
}

export async function openOrigin(
  source: string,
  reach: Reach & { readonly patienceMs?: number },
  signal?: AbortSignal,
): Promise<Origin> {
  requireSource(source)
  if (source.startsWith('hf://')) return hub(source, reach.hub, signal, reach.patienceMs)
  requireAllowed(`data ${source}`, source, reach.allow)
  return { pinned: null, bring: source.startsWith('file://') ? inFolder(source, reach) : inBucket(source) }
}

const inFolder =
  (source: string, { allow }: Reach) =>
  async () => {
    let path: string
    try {
      path = fileURLToPath(source)
    } catch (cause) {
      throw new DataUnavailable(`data ${source}: is no path (${(cause as Error).message})`, { cause })
    }
    const file = await openRegular(path, source, await rootsOf(allow))
    await file.close()
    requireSize(source, file.sizeBytes)
    return path
  }

const inBucket =
  (source: string): Origin['bring'] =>
  async (scratch, control) => {
    const cut = source.lastIndexOf('/')
    const key = source.slice(cut + 1)
    try {
      const store = await openStore(source.slice(0, cut))
      try {
        const sizeBytes = (await store.head(key))?.sizeBytes ?? 0
        requireSize(source, sizeBytes)
        const bytes = Readable.from(store.read(key, { signal: control.signal }))
        return await written(bytes, source, await scratch(), sizeBytes, control)
      } finally {
        await store.close()
      }
    } catch (cause) {
      if (cause instanceof NotFound)
        throw new DataUnavailable(`data ${source}: there is no such object`, { cause })
      if (!isRefused(cause)) throw cause
      throw new DataUnavailable(`data ${source}: ${(cause as Error).message}`, { cause })
    }
  }

/** As the Hub's own tools write it; a slash in a revision is %2F: …@refs%2Fconvert%2Fparquet/default/train/0000.parquet. */
const address = /^hf:\/\/datasets\/([\w.-]+\/[\w.-]+)@([\w.%-]+)\/(.+)$/

async function hub(
  source: string,
  at: Reach['hub'],
  signal?: AbortSignal,
  patienceMs?: number,
): Promise<Origin> {
  const [, name = '', revision = '', path = ''] = address.exec(source) ?? []
  const { datasetInfo, downloadFile } = await import('@huggingface/hub')
  const where = (until?: AbortSignal) => ({
    ...(at.endpoint !== undefined && { hubUrl: at.endpoint }),
    ...(at.token !== undefined && { accessToken: at.token }),
    ...(until && {
      fetch: (...[url, init]: Parameters<typeof fetch>) =>
        begun((_, given: RequestInit) => fetch(url, given), '', { ...init }, until, patienceMs),
    }),
  })
  const fail = hubFault(`data ${source}`, DataUnavailable)
  const asked = { name, revision: decoded(revision, source), additionalFields: ['sha' as const] }
  const isCommit = /^[0-9a-f]{40}$/.test(revision)
  const sha = isCommit ? revision : (await datasetInfo({ ...asked, ...where(signal) }).catch(fail)).sha
  const repo = { type: 'dataset', name } as const
  return {
    pinned: `hf://datasets/${name}@${sha}/${path}`,
    bring: async (scratch, control) => {
      const from = { repo, revision: sha, path, ...where(control.signal) }
      const blob = await downloadFile(from).catch(fail)
      if (blob === null)
        throw new DataUnavailable(`data ${source}: the data set has no ${path} at revision ${sha}`)
      requireSize(source, blob.size)
      const bytes = Readable.fromWeb(blob.stream())
      return written(bytes, source, await scratch(), blob.size, control).catch(fail)
    },
  }
}

function decoded(revision: string, source: string): string {
  try {
    return decodeURIComponent(revision)
  } catch (cause) {
    throw new InvalidData(`data ${source}: revision ${revision} is not URL-encoded text`, { cause })
  }
}

/** Writes a stream to `to`, which it returns; tells how far it is, and stops with the control. */
export async function written(
  bytes: Readable,
  source: string,
  to: string,
  total: number,
  control: Control,
  see: (chunk: Uint8Array) => void = () => {},
): Promise<string> {
  let done = 0
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      done += chunk.byteLength
      requireSize(source, done)
      see(chunk)
      control.progress({ phase: 'load', done, total: Math.max(total, done) })
      yield chunk
    }
  }
  await pipeline(bytes, counted, createWriteStream(to), { signal: control.signal })
  return to
}

function requireSize(source: string, sizeBytes: number): void {
  if (sizeBytes <= mostBytes) return
  const [found, most] = [sizeBytes, mostBytes].map((bytes) => `${Math.round(bytes / 2 ** 20)} MiB`)
  throw new DataUnavailable(`data ${source}: has ${found}, expected at most ${most}`)
}
