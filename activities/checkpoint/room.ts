/**
 * Keeps a cache within its limits: the least recently used files go until what comes fits.
 *
 * Two limits. `limitBytes` bounds what the cache holds, as far as that is possible without files in use. `floorBytes`
 * of the disk stay free whoever fills it: where evicting everything that is not in use does not help, nothing is
 * brought (CacheFull). Use is a file's modification time, so that processes sharing a folder see each other's; a file
 * with more than one link is in use. The folder is looked through once per sixteenth of the limit that was added, not
 * at every file: that sixteenth stays empty after each look, so that one process never exceeds the limit, and n
 * processes exceed it by n - 1 sixteenths at most.
 */
import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from './faults.ts'
import { sweep } from './temporary.ts'

export interface RoomOptions {
  /** What the cache may hold, bytes; Infinity: no limit. */
  readonly limitBytes: number
  /** What must stay free on its disk, bytes. */
  readonly floorBytes: number
  /** Bytes free on the disk of this folder. */
  readonly freeBytes: (folder: string) => Promise<number>
  /** Milliseconds since the epoch, one clock for all processes that share the folder. */
  readonly now: () => number
}

/** The disk is too full for what is needed, and nothing more can go. Worth a retry: elsewhere, or later. */
export class CacheFull extends Error {
  override readonly name = 'CacheFull'
}

interface Cached {
  readonly path: string
  readonly sizeBytes: number
  readonly usedMs: number
  readonly inUse: boolean
}

export class Room {
  readonly #folder: string
  readonly #temporary: string
  readonly #options: RoomOptions
  /** Bytes that came since the folder was looked through; Infinity: it never was. */
  #unseenBytes = Infinity
  /** Bytes on their way: promised a place, not yet on the disk. */
  #comingBytes = 0
  /** One look at a time. */
  #looking: Promise<void> = Promise.resolve()

  constructor(folder: string, temporary: string, options: RoomOptions) {
    this.#folder = folder
    this.#temporary = temporary
    this.#options = options
  }

  /** Brings so many bytes once there is room for them. Throws CacheFull. */
  async during<T>(sizeBytes: number, bring: () => Promise<T>): Promise<T> {
    await this.#inTurn(async () => {
      this.#unseenBytes += sizeBytes
      await this.#make(sizeBytes)
      this.#comingBytes += sizeBytes
    })
    try {
      return await bring()
    } finally {
      this.#comingBytes -= sizeBytes
    }
  }

  /** Keeps the limits after so many bytes came by another way than `during`. Throws CacheFull. */
  async make(cameBytes: number): Promise<void> {
    await this.#inTurn(async () => {
      this.#unseenBytes += cameBytes
      await this.#make(0)
    })
  }

  /** Notes that a file was used now; one that was evicted meanwhile is not. */
  async used(path: string): Promise<void> {
    const now = this.#options.now() / 1000 // utimes counts in seconds
    await utimes(path, now, now).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error
    })
  }

  async #inTurn(action: () => Promise<void>): Promise<void> {
    const turn = this.#looking.then(action)
    this.#looking = turn.catch(() => undefined)
    await turn
  }

  async #make(newBytes: number): Promise<void> {
    const { limitBytes } = this.#options
    const shortBytes = await this.#shortBytes(newBytes)
    if (shortBytes <= 0 && (limitBytes === Infinity || this.#unseenBytes <= limitBytes / 16)) return
    await sweep(this.#temporary) // pins of processes that died
    const files = await this.#files()
    const heldBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
    const expectedBytes = heldBytes + this.#comingBytes + newBytes
    let excessBytes = Math.max(shortBytes, expectedBytes - (limitBytes * 15) / 16)
    for (const { path, sizeBytes, inUse } of files.sort((a, b) => a.usedMs - b.usedMs)) {
      if (excessBytes <= 0) break
      if (inUse) continue
      await rm(path, { force: true })
      excessBytes -= sizeBytes
    }
    this.#unseenBytes = 0
    if (shortBytes > 0 && (await this.#shortBytes(newBytes)) > 0) throw await this.#full(files, newBytes)
  }

  /** What is missing on the disk for the floor and all that comes; 0 or less: nothing. */
  async #shortBytes(newBytes: number): Promise<number> {
    const { floorBytes, freeBytes } = this.#options
    if (floorBytes === 0) return 0
    return floorBytes + this.#comingBytes + newBytes - (await freeBytes(this.#folder))
  }

  async #full(files: readonly Cached[], newBytes: number): Promise<CacheFull> {
    const usedBytes = files.reduce((sum, file) => sum + (file.inUse ? file.sizeBytes : 0), 0)
    const { floorBytes, freeBytes } = this.#options
    return new CacheFull(
      `cache ${this.#folder}: expected room for ${this.#comingBytes + newBytes} bytes above a floor of ${floorBytes}, ` +
        `found ${await freeBytes(this.#folder)} bytes free, ${usedBytes} of the cache in use ` +
        `(see PLACEBO_CACHE, PLACEBO_CACHE_FLOOR)`,
    )
  }

  async #files(): Promise<Cached[]> {
    const folders = (await readdir(this.#folder)).filter((name) => /^[0-9a-f]{2}$/.test(name))
    const found: Cached[] = []
    for (const folder of folders)
      for (const name of await readdir(join(this.#folder, folder))) {
        const path = join(this.#folder, folder, name)
        const file = await stat(path).catch(() => null) // evicted meanwhile, by another process
        if (file?.isFile())
          found.push({ path, sizeBytes: file.size, usedMs: file.mtimeMs, inUse: file.nlink > 1 })
      }
    return found
  }
}
