/**
 * Where a user's file of problems lies: a folder or a bucket that the worker allows, or a data set of the Hub at the
 * commit that its revision stands for.
 *
 * What a retry cannot mend is DataUnavailable; a network that fails is left as it is. Leaves out: several files at once.
 */
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { nameOf } from '../checkpoint/faults.ts'
import { openStore } from '../checkpoint/open.ts'
import { NotFound } from '../checkpoint/store.ts'
import { hubFault } from '../models/hub.ts'
import { requireAllowed, type Reach } from '../models/source.ts'
import { InvalidData } from './check.ts'

/** A file that cannot be had, whatever is in it. */
export class DataUnavailable extends InvalidData {}

export interface Origin {
  /** The same text is the same bytes for ever; null where a file may change under its name. */
  readonly pinned: string | null
  read(signal: AbortSignal): Promise<Uint8Array>
}

/** Problems are held in memory, and so is the file they come from. */
const mostBytes = 500 * 2 ** 20

export async function openOrigin(source: string, reach: Reach): Promise<Origin> {
  if (source.startsWith('hf://')) return hub(source, reach.hub)
  if (!/^(file|s3):\/\/./.test(source))
    throw new InvalidData(
      `data ${source}: expected file:///…, s3://… or hf://datasets/owner/name@revision/path`,
    )
  requireAllowed(`data ${source}`, source, reach.allow)
  return { pinned: null, read: source.startsWith('file://') ? inFolder(source) : inBucket(source) }
}

const inFolder = (source: string) => async (signal: AbortSignal) => {
  const path = fileURLToPath(source)
  try {
    requireSize(source, (await stat(path)).size)
    return await readFile(path, { signal })
  } catch (cause) {
    if (signal.aborted || cause instanceof DataUnavailable) throw cause
    throw new DataUnavailable(`data ${source}: cannot be read (${(cause as Error).message})`, { cause })
  }
}

const inBucket = (source: string) => async (signal: AbortSignal) => {
  const cut = source.lastIndexOf('/')
  const key = source.slice(cut + 1)
  try {
    const store = await openStore(source.slice(0, cut))
    try {
      requireSize(source, (await store.head(key))?.sizeBytes ?? 0)
      return await store.get(key, { signal })
    } finally {
      await store.close()
    }
  } catch (cause) {
    if (cause instanceof NotFound)
      throw new DataUnavailable(`data ${source}: there is no such object`, { cause })
    if (!/^(NoSuchBucket|AccessDenied)$/.test(nameOf(cause))) throw cause
    throw new DataUnavailable(`data ${source}: ${(cause as Error).message}`, { cause })
  }
}

/** As the Hub's own tools write it; a slash in a revision is %2F: …@refs%2Fconvert%2Fparquet/default/train/0000.parquet. */
const address = /^hf:\/\/datasets\/([\w.-]+\/[\w.-]+)@([\w.%-]+)\/(.+)$/

async function hub(source: string, { endpoint, token }: Reach['hub']): Promise<Origin> {
  const [, name = '', revision = '', path = ''] = address.exec(source) ?? []
  if (name === '') throw new InvalidData(`data ${source}: expected hf://datasets/owner/name@revision/path`)
  const { datasetInfo, downloadFile } = await import('@huggingface/hub')
  const where = {
    ...(endpoint !== undefined && { hubUrl: endpoint }),
    ...(token !== undefined && { accessToken: token }),
  }
  const fail = hubFault(`data ${source}`, DataUnavailable)
  const asked = { name, revision: decodeURIComponent(revision), additionalFields: ['sha' as const], ...where }
  const isCommit = /^[0-9a-f]{40}$/.test(revision)
  const sha = isCommit ? revision : (await datasetInfo(asked).catch(fail)).sha
  const repo = { type: 'dataset', name } as const
  return {
    pinned: `hf://datasets/${name}@${sha}/${path}`,
    read: async () => {
      const blob = await downloadFile({ repo, revision: sha, path, ...where }).catch(fail)
      if (blob === null)
        throw new DataUnavailable(`data ${source}: the data set has no ${path} at revision ${sha}`)
      requireSize(source, blob.size)
      return new Uint8Array(await blob.arrayBuffer().catch(fail))
    },
  }
}

function requireSize(source: string, sizeBytes: number): void {
  if (sizeBytes <= mostBytes) return
  const [found, most] = [sizeBytes, mostBytes].map((bytes) => `${Math.round(bytes / 2 ** 20)} MiB`)
  throw new DataUnavailable(`data ${source}: has ${found}, expected at most ${most}`)
}
