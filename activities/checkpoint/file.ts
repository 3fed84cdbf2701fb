/**
 * The store in a folder: an object is a plain file at its key, written beside its place and put there in one step, so
 * that no reader of any process sees half of it. `create` links (which never overwrites), `replace` renames; both
 * after the bytes reached the disk. CRC32s are computed when asked: there is no second file that could disagree.
 *
 * Leaves out: file systems without hard links, and empty folders, which stay after `remove`.
 */
import { createReadStream, type Dirent } from 'node:fs'
import { link, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { chunksOf, crc32OfFile } from './checksum.ts'
import { same } from './content.ts'
import { codeOf, faultOf } from './faults.ts'
import { checkKey } from './keys.ts'
import { NotFound, type Store, type Transfer } from './store.ts'
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

  async head(key: string): Promise<{ sizeBytes: number; crc32: string | null } | null> {
    return this.#try('head', key, () => crc32OfFile(this.#path(key))).catch((error: unknown) => {
      if (error instanceof NotFound) return null
      throw error
    })
  }

  async get(key: string, transfer?: Transfer): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    for await (const chunk of this.read(key, transfer)) chunks.push(chunk)
    return Buffer.concat(chunks)
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

  async upload(key: string, path: string, transfer?: Transfer): Promise<'created' | 'exists'> {
    const source = await crc32OfFile(path, transfer)
    const known = await this.head(key)
    if (same(known, source)) return 'exists'
    return this.#try('upload', key, () =>
      this.#write(
        key,
        (handle) => writeAll(handle, chunksOf(path, transfer), source.sizeBytes, transfer),
        known === null ? linkNew : renameOver,
      ),
    )
  }

  async *list(prefix: string): AsyncIterable<{ key: string; sizeBytes: number }> {
    yield* this.#walk(prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix)
  }

  async remove(key: string): Promise<void> {
    await this.#try('remove', key, () => rm(this.#path(key), { force: true }))
  }

  async close(): Promise<void> {}

  /** Files under `folder` ('' or ending in a slash) whose keys start with `prefix`, in byte order of their keys. */
  async *#walk(folder: string, prefix: string): AsyncIterable<{ key: string; sizeBytes: number }> {
    const entries = await this.#try('list', folder, () =>
      readdir(join(this.#folder, folder), { withFileTypes: true }),
    ).catch((error: unknown): Dirent[] => {
      if (error instanceof NotFound) return []
      throw error
    })
    const names = entries
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    for (const name of names) {
      if (name.endsWith('/')) {
        if (name.startsWith(prefix) || prefix.startsWith(name)) yield* this.#walk(name, prefix)
      } else if (name.startsWith(prefix)) {
        const found = await stat(join(this.#folder, name)).catch(() => null) // null: removed since it was listed
        if (found !== null) yield { key: name, sizeBytes: found.size }
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
