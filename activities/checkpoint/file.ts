/**
 * The store in a folder: an object is a plain file at its key, written beside its place and put there in one step, so
 * that no reader of any process sees half of it. `create` links (which never overwrites), `replace` renames; both
 * after the bytes reached the disk. CRC32s are computed when asked: there is no second file that could disagree.
 *
 * Leaves out: file systems without hard links, and empty folders, which stay after `remove`.
 */
import { createReadStream, type Dirent } from 'node:fs'
import { link, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { chunksOf, crc32OfFile } from './checksum.ts'
import { bytesOf, fresh, same, sumsOf } from './content.ts'
import { codeOf, faultOf } from './faults.ts'
import { checkKey } from './keys.ts'
import {
  NotFound,
  type Listed,
  type ObjectHead,
  type Store,
  type Transfer,
  type Unfinished,
  type Upload,
} from './store.ts'
import { sweep, temporaryName } from './temporary.ts'

/** Not a key (checkKey refuses segments that start with a dot), so nothing lists or reads it. */
const temporary = '.tmp'

export class FileStore implements Store {
  readonly url: string
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
    this.url = pathToFileURL(folder).href
  }

  /** The store at a file:// URL; its folder is made if it is missing. */
  static async open(url: string): Promise<FileStore> {
    const store = new FileStore(fileURLToPath(url))
    await store.#try('mkdir', null, async () => {
      await mkdir(join(store.#folder, temporary), { recursive: true })
      await sweep(join(store.#folder, temporary))
    })
    return store
  }

  async head(key: string): Promise<ObjectHead | null> {
    const path = this.#path(key)
    return this.#try('head', key, async () => {
      const { mtimeMs } = await stat(path) // first: what is written meanwhile may look older, never younger
      return { ...(await crc32OfFile(path)), modifiedMs: mtimeMs }
    }).catch((error: unknown) => {
      if (error instanceof NotFound) return null
      throw error
    })
  }

  get(key: string, transfer?: Transfer): Promise<Uint8Array> {
    return bytesOf(this.read(key, transfer))
  }

  async *read(key: string, transfer?: Transfer): AsyncIterable<Uint8Array> {
    const handle = await this.#try('read', key, () => open(this.#path(key)))
    try {
      const { size } = await handle.stat()
      let doneBytes = 0
      const stream = createReadStream('', { fd: handle, autoClose: false, highWaterMark: 1024 * 1024 })
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        transfer?.signal?.throwIfAborted()
        doneBytes += chunk.length
        transfer?.progress?.(doneBytes, size)
        yield chunk
      }
    } finally {
      await handle.close()
    }
  }

  async create(key: string, bytes: Uint8Array, transfer?: Transfer): Promise<'created' | 'exists'> {
    return this.#try('create', key, async () => {
      if (await present(this.#path(key))) return 'exists'
      return this.#write(key, (handle) => writeAll(handle, [bytes], bytes.length, transfer), linkNew)
    })
  }

  async replace(key: string, bytes: Uint8Array, transfer?: Transfer): Promise<void> {
    await this.#try('replace', key, () =>
      this.#write(key, (handle) => writeAll(handle, [bytes], bytes.length, transfer), renameOver),
    )
  }

  async upload(key: string, path: string, transfer?: Upload): Promise<'created' | 'exists'> {
    const source = await sumsOf(path, transfer)
    const known = await this.head(key)
    if (same(known, source) && fresh(known, transfer)) return 'exists'
    return this.#try('upload', key, () =>
      this.#write(
        key,
        (handle) => writeAll(handle, chunksOf(path, transfer), source.sizeBytes, transfer),
        known === null ? linkNew : renameOver,
      ),
    )
  }

  async *list(prefix: string, after = ''): AsyncIterable<Listed> {
    yield* this.#walk(prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix, after)
  }

  async remove(key: string): Promise<void> {
    await this.#try('remove', key, () => rm(this.#path(key), { force: true }))
  }

  async removeOlder(key: string, beforeMs: number): Promise<boolean> {
    const path = this.#path(key)
    return this.#try('remove', key, async () => {
      const found = await stat(path).catch(ifAbsent)
      if (found === null || found.mtimeMs >= beforeMs) return false
      await rm(path, { force: true })
      return true
    })
  }

  /** Temporary files: a process of this machine that died leaves none past the next opening, other machines' stay. */
  async *unfinished(): AsyncIterable<Unfinished> {
    for (const id of await readdir(join(this.#folder, temporary))) {
      const found = await stat(join(this.#folder, temporary, id)).catch(ifAbsent) // ended meanwhile
      if (found !== null) yield { id, key: null, startedMs: found.birthtimeMs || found.mtimeMs }
    }
  }

  async discard({ id }: Unfinished): Promise<void> {
    await this.#try('discard', null, () => rm(join(this.#folder, temporary, basename(id)), { force: true }))
  }

  async close(): Promise<void> {}

  /** Files under `folder` ('' or ending in a slash) whose keys start with `prefix`, in byte order of their keys. */
  async *#walk(folder: string, prefix: string, after: string): AsyncIterable<Listed> {
    const entries = await this.#try('list', folder, () =>
      readdir(join(this.#folder, folder), { withFileTypes: true }),
    ).catch((error: unknown): Dirent[] => {
      if (error instanceof NotFound) return []
      throw error
    })
    const names = entries
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .sort(inByteOrder)
    for (const name of names) {
      if (name.endsWith('/')) {
        const isBehind = after.startsWith(name) || inByteOrder(name, after) > 0 // or some of it is
        if (isBehind && (name.startsWith(prefix) || prefix.startsWith(name)))
          yield* this.#walk(name, prefix, after)
      } else if (name.startsWith(prefix) && inByteOrder(name, after) > 0) {
        const found = await stat(join(this.#folder, name)).catch(ifAbsent) // removed since it was listed
        if (found !== null) yield { key: name, sizeBytes: found.size, modifiedMs: found.mtimeMs }
      }
    }
  }

  async #write(
    key: string,
    fill: (handle: FileHandle) => Promise<void>,
    place: (from: string, to: string) => Promise<'created' | 'exists'>,
  ): Promise<'created' | 'exists'> {
    const to = this.#path(key)
    const from = join(this.#folder, temporary, temporaryName('object'))
    try {
      const handle = await open(from, 'wx')
      try {
        await fill(handle)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await mkdir(dirname(to), { recursive: true })
      const outcome = await place(from, to)
      await syncFolder(dirname(to))
      return outcome
    } finally {
      await rm(from, { force: true })
    }
  }

  #path(key: string): string {
    checkKey(key)
    return join(this.#folder, key)
  }

  async #try<T>(call: string, key: string | null, action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      const place = `[folder=${this.#folder}${key === null ? '' : `, key=${key}`}]`
      const absent = ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error) ?? '')
      if (absent && ['head', 'read', 'list'].includes(call))
        throw new NotFound(`store ${call}: no such object ${place}`, { cause: error })
      if (codeOf(error) === null) throw error
      throw faultOf(`store ${call}`, error, place)
    }
  }
}

async function linkNew(from: string, to: string): Promise<'created' | 'exists'> {
  try {
    await link(from, to)
    return 'created'
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return 'exists'
    throw error
  }
}

async function renameOver(from: string, to: string): Promise<'created'> {
  await rename(from, to)
  return 'created'
}

async function writeAll(
  handle: FileHandle,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  totalBytes: number,
  transfer?: Transfer,
): Promise<void> {
  let doneBytes = 0
  for await (const chunk of chunks) {
    transfer?.signal?.throwIfAborted()
    await handle.writeFile(chunk) // at the handle's position, all of it
    doneBytes += chunk.length
    transfer?.progress?.(doneBytes, totalBytes)
  }
}

/** As UTF-8, which is the order in which S3 lists. */
const inByteOrder = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

function ifAbsent(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null
  throw error
}

const present = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

/** A new name is on the disk only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
