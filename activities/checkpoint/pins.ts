/**
 * What is in use now cannot be evicted: a pin is a hard link to a cached file, in a folder of this process's own.
 *
 * Users read the link, so whoever evicts the file under its own name, this process or another one that shares the
 * cache, takes nothing away from them; and a file with more than one link is known to be in use. A pin lives as long as
 * the body it was made in (`pinned`), which an activity is. Links of processes that died are removed with their other
 * temporary files. Leaves out: file systems without hard links.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { linkSync, mkdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from './faults.ts'
import { temporaryName } from './temporary.ts'

/** What one body holds: a release for every pin, by the pin's path. */
type Held = Map<string, () => void>

const bodies = new AsyncLocalStorage<Held>()

/** Runs a body; every cached file that it is handed stays until it ends. */
export async function pinned<T>(body: () => Promise<T>): Promise<T> {
  const held: Held = new Map()
  try {
    return await bodies.run(held, body)
  } finally {
    for (const release of held.values()) release()
  }
}

export class Pins {
  readonly #folder: string
  /** Bodies that hold a pin, by its path. */
  readonly #holders = new Map<string, number>()

  /** `temporary`: a folder on the cache's file system that `sweep` is run on. */
  constructor(temporary: string) {
    this.#folder = join(temporary, temporaryName('pins'))
  }

  /**
   * Where the body that runs now finds a cached file until it ends; outside of any, the file's own path, good until
   * room is made. Null: the file is not there (any more).
   */
  hold(file: string, name: string): string | null {
    const held = bodies.getStore()
    if (held === undefined) return file
    const pin = join(this.#folder, name)
    if (held.has(pin)) return pin
    // Synchronous throughout: no other body comes between a count and its link.
    const holders = this.#holders.get(pin) ?? 0
    if (holders === 0 && !this.#link(file, pin)) return null
    this.#holders.set(pin, holders + 1)
    held.set(pin, () => this.#release(pin))
    return pin
  }

  #link(file: string, pin: string): boolean {
    mkdirSync(this.#folder, { recursive: true })
    try {
      linkSync(file, pin)
      return true
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false
      throw error
    }
  }

  #release(pin: string): void {
    const holders = (this.#holders.get(pin) ?? 1) - 1
    this.#holders.set(pin, holders)
    if (holders > 0) return
    this.#holders.delete(pin)
    unlinkSync(pin)
    if (this.#holders.size === 0) rmdirSync(this.#folder)
  }
}
