/**
 * Brings the files that a spec's `data` stands for to this machine: a user's file from where it lies, a set's files from
 * the caller's folder or their pinned home. Everything that touches a network, a store or the allow-list is here; what
 * is in the files, `load.ts` reads without any of them.
 */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { DataSpec } from '../contracts.ts'
import type { Control } from '../engine/port.ts'
import { isPassingStatus } from '../faults/nature.ts'
import type { Reach as SourceReach } from '../models/source.ts'
import { rootsOf } from '../models/within.ts'
import { DataUnavailable, InvalidData } from './faults.ts'
import { openRegular, type LocalFile } from './local.ts'
import { openOrigin, written, type Origin } from './origin.ts'
import { begun } from './patience.ts'
import { sources, type SourceFile } from './sources.ts'

export interface Reach extends SourceReach {
  /** PLACEBO_DATA_DIR, null where none is set. */
  readonly folder: string | null
  /** What a server may take to begin its answer. */
  readonly patienceMs?: number
  readonly fetch: (
    url: string,
    init: { readonly signal: AbortSignal },
  ) => Promise<Pick<Response, 'ok' | 'status' | 'body' | 'headers'>>
}

/** A fresh path for a file that is brought from elsewhere; who gives it removes it. */
export type Scratch = (name: string) => Promise<string>

/** None for a set that is made here. `origin`: of a source that the caller has opened already. */
export async function bring(
  data: DataSpec,
  reach: Reach,
  scratch: Scratch,
  control: Control,
  origin?: Origin,
): Promise<LocalFile[]> {
  const { name, source } = data
  if (source !== undefined) {
    const from = origin ?? (await openOrigin(source, reach, control.signal))
    const path = await from.bring(() => scratch('data'), control)
    // Whoever opens it looks again at where it leads.
    const within = source.startsWith('file://') ? { within: await rootsOf(reach.allow) } : {}
    return [{ path, name: source, ...within }]
  }
  if (name === undefined) throw new InvalidData('data: expected a name or a source, found neither')
  if (name === 'nano' || name === 'arithmetic') return []
  const files: LocalFile[] = []
  for (const file of sources[name]) {
    const local = (await inFolder(file, reach)) ?? (await fromHome(file, reach, scratch, control))
    files.push({ ...local, ...(file.level !== undefined && { level: file.level }) })
  }
  return files
}

/** Of all of them: how much a reader may hold is by that. */
export async function bytesOf(files: readonly LocalFile[]): Promise<number> {
  const sizes = await Promise.all(files.map(async ({ path }) => (await stat(path)).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function inFolder({ name }: SourceFile, { folder }: Reach): Promise<LocalFile | null> {
  if (folder === null) return null
  const path = join(folder, name)
  try {
    await (await openRegular(path, path)).close()
    return { path, name: path, place: name }
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    if (code === 'ENOENT') return null // then from its home
    throw error
  }
}

async function fromHome(
  file: SourceFile,
  { fetch, patienceMs }: Reach,
  scratch: Scratch,
  control: Control,
): Promise<LocalFile> {
  const advice = `set PLACEBO_DATA_DIR to a folder with ${file.name}`
  const response = await begun(fetch, file.url, {}, control.signal, patienceMs).catch((cause: Error) => {
    const code = (cause.cause as NodeJS.ErrnoException | undefined)?.code
    const why = `${cause.message}${code === undefined ? '' : ` (${code})`}`
    throw new Error(`${file.url}: ${why}; without network access, ${advice}`, { cause })
  })
  const { ok, status } = response
  if (!ok) {
    const said = `${file.url}: HTTP ${status}; ${advice}`
    throw isPassingStatus(status) ? Object.assign(new Error(said), { status }) : new DataUnavailable(said)
  }
  const hash = createHash('sha256')
  const bytes = Readable.fromWeb(response.body ?? new Blob([]).stream())
  const sizeBytes = Number(response.headers.get('content-length') ?? 0)
  const to = await scratch(file.name)
  const path = await written(bytes, file.url, to, sizeBytes, control, (chunk) => hash.update(chunk))
  const found = hash.digest('hex')
  if (found !== file.sha256)
    throw new InvalidData(`${file.url}: SHA-256 expected ${file.sha256}, found ${found}; ${advice}`)
  return { path, name: file.url, published: true }
}
