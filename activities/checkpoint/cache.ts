/**
 * Content-addressed blobs: in the store at blobs/sha256/ab/<digest>, on the worker's own disk at <folder>/ab/<digest>.
 *
 * Nothing is read before its digest was computed: while a download streams to a temporary file, which is renamed only
 * if it matches, and once a process for files that were there before it. Two processes that bring the same blob rename
 * the same bytes onto each other. An object in the store is believed only if its size and CRC32 are the blob's own; a
 * torn one is written again, and so is one old enough that a garbage collector could be about to remove it. What is
 * handed out inside of `pinned` (pins.ts) stays for as long; the rest goes when there must be room (room.ts), which is
 * always safe: a missing file is downloaded again.
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { checksumsOf, checksumsOfFile, digestOfFile, type Checksums } from './checksum.ts'
import { fresh, same } from './content.ts'
import { codeOf } from './faults.ts'
import * as keys from './keys.ts'
import { Pins, pinned } from './pins.ts'
import { Room, type RoomOptions } from './room.ts'
import { CorruptObject, type BlobRef, type Blobs, type Store, type Transfer, type Upload } from './store.ts'
import { sweep, temporaryName } from './temporary.ts'

/**
 * For how long a blob that is in the store is believed to stay there although nothing names it yet. What collects
 * garbage must wait for this and the longest attempt of an activity.
 */
export const believedForMs = 24 * 3600_000

/** The store's blobs through a folder of this machine; without `limits` nothing is ever evicted. */
export function openBlobs(store: Store, folder: string, limits: RoomOptions | null = null): Blobs {
  return new BlobCache(store, folder, limits)
}

class BlobCache implements Blobs {
  readonly folder: string
  readonly #store: Store
  readonly #temporary: string
  /** Digests whose cached file this process has verified. */
  readonly #verified = new Set<string>()
  readonly #bringing = new Map<string, Promise<string>>()
  readonly #swept: Promise<void>
  readonly #pins: Pins
  readonly #room: Room | null
  readonly #now: (() => number) | null

  constructor(store: Store, folder: string, limits: RoomOptions | null) {
    this.#store = store
    this.folder = folder
    this.#temporary = join(folder, 'tmp')
    mkdirSync(this.#temporary, { recursive: true })
    this.#swept = sweep(this.#temporary)
    this.#pins = new Pins(this.#temporary)
    this.#room = limits && new Room(folder, this.#temporary, limits)
    this.#now = limits?.now ?? null
  }

  async put(bytes: Uint8Array, transfer?: Transfer): Promise<BlobRef> {
    const sums = checksumsOf(bytes)
    const key = keys.blob(sums.digest)
    // What is there and differs is torn, and what is written is the same whoever writes it: no condition is needed.
    const found = await this.#store.head(key)
    if (!same(found, sums) || !fresh(found, this.#fresh())) await this.#store.replace(key, bytes, transfer)
    return refOf(sums)
  }

  async adopt(path: string, transfer?: Transfer): Promise<BlobRef> {
    const sums = await checksumsOfFile(path, signalOf(transfer))
    await this.#upload(sums, path, { ...transfer, crc32: sums.crc32 })
    await this.#place(path, sums.digest)
    await this.#room?.make(sums.sizeBytes)
    return refOf(sums)
  }

  async keep(path: string, transfer?: Transfer): Promise<BlobRef> {
    const ref = await digestOfFile(path, signalOf(transfer))
    await this.#place(path, ref.digest)
    await this.#hold(this.#path(ref.digest), ref) // first of all: it cannot be downloaded again
    await this.#room?.make(ref.sizeBytes)
    return ref
  }

  async share(ref: BlobRef, transfer?: Transfer): Promise<void> {
    await pinned(async () => this.#upload(ref, await this.file(ref, transfer), transfer))
  }

  async #upload({ digest }: BlobRef, path: string, transfer?: Upload): Promise<void> {
    await this.#store.upload(keys.blob(digest), path, { ...transfer, ...this.#fresh() })
  }

  async file(ref: BlobRef, transfer?: Transfer): Promise<string> {
    // One download at a time of a blob. Not shared: the one who started it may be cancelled without the others.
    for (;;) {
      const other = this.#bringing.get(ref.digest)
      if (other === undefined) break
      await other.catch(() => undefined)
      transfer?.signal?.throwIfAborted()
    }
    const bringing = this.#bring(ref, transfer)
    this.#bringing.set(ref.digest, bringing)
    try {
      return await bringing
    } finally {
      this.#bringing.delete(ref.digest)
    }
  }

  async bytes(ref: BlobRef, transfer?: Transfer): Promise<Uint8Array> {
    return pinned(async () => readFile(await this.file(ref, transfer)))
  }

  async scratch(name: string): Promise<string> {
    await this.#room?.make(0)
    return this.#scratch(name)
  }

  async #scratch(name: string): Promise<string> {
    await this.#swept
    return join(this.#temporary, temporaryName(shortened(basename(name))))
  }

  async #bring(ref: BlobRef, transfer?: Transfer): Promise<string> {
    const path = this.#path(ref.digest)
    for (;;) {
      const isCached = await this.#cached(ref, transfer)
      const bring = () => this.#fetch(ref, transfer)
      const held = isCached
        ? await this.#hold(path, ref)
        : await (this.#room?.during(ref.sizeBytes, bring) ?? bring())
      if (held !== null) return held // else another process has evicted it since
    }
  }

  async #fetch(ref: BlobRef, transfer?: Transfer): Promise<string | null> {
    const temporary = await this.#scratch(ref.digest)
    try {
      await this.#download(ref, temporary, transfer)
      await this.#place(temporary, ref.digest)
      return await this.#hold(this.#path(ref.digest), ref)
    } finally {
      await rm(temporary, { force: true })
    }
  }

  async #hold(path: string, { digest }: BlobRef): Promise<string | null> {
    await this.#room?.used(path)
    return this.#pins.hold(path, digest)
  }

  #fresh(): { freshSinceMs?: number } {
    return this.#now === null ? {} : { freshSinceMs: this.#now() - believedForMs }
  }

  /** Whether the cache has the blob's verified bytes; what does not match is removed. */
  async #cached(ref: BlobRef, transfer?: Transfer): Promise<boolean> {
    const path = this.#path(ref.digest)
    const sizeBytes = await sizeOf(path)
    if (sizeBytes === null) return false
    if (sizeBytes === ref.sizeBytes) {
      if (this.#verified.has(ref.digest)) return true
      if ((await digestOfFile(path, signalOf(transfer))).digest === ref.digest) {
        this.#verified.add(ref.digest)
        return true
      }
    }
    await rm(path, { force: true })
    return false
  }

  async #download(ref: BlobRef, to: string, transfer?: Transfer): Promise<void> {
    const key = keys.blob(ref.digest)
    const sha256 = createHash('sha256')
    let sizeBytes = 0
    const handle = await open(to, 'wx')
    try {
      for await (const chunk of this.#store.read(key, transfer)) {
        sha256.update(chunk)
        sizeBytes += chunk.length
        await handle.writeFile(chunk)
      }
    } finally {
      await handle.close()
    }
    const digest = sha256.digest('hex')
    if (digest === ref.digest && sizeBytes === ref.sizeBytes) return
    throw new CorruptObject(
      `${this.#store.url}: ${key} does not match its digest: ` +
        `expected ${ref.sizeBytes} bytes of ${ref.digest}, found ${sizeBytes} bytes of ${digest}`,
    )
  }

  async #place(from: string, digest: string): Promise<void> {
    const to = this.#path(digest)
    await mkdir(dirname(to), { recursive: true })
    await rename(from, to)
    this.#verified.add(digest)
  }

  #path(digest: string): string {
    return join(this.folder, digest.slice(0, 2), digest)
  }
}

/** A model's file may have a name that leaves no room for what a temporary one adds; file names have 255 bytes. */
const shortened = (name: string) => (Buffer.byteLength(name) <= 128 ? name : name.slice(-32))

const refOf = ({ digest, sizeBytes }: Checksums): BlobRef => ({ digest, sizeBytes })

/** The signal alone: bytes that are only hashed are not progress of a transfer. */
const signalOf = (transfer?: Transfer): Transfer => (transfer?.signal ? { signal: transfer.signal } : {})

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}
