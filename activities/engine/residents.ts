/** What stays in memory between calls, least recently used first to go, within a budget of bytes. */
export interface Resident {
  release(): void | Promise<void>
}

export class Residents {
  readonly #budgetBytes: number
  readonly #entries = new Map<string, { resident: Resident; sizeBytes: number }>() // in order of use
  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes
  }

  /** The resident under a key, now the most recently used. */
  get(key: string): Resident | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.resident
  }

  /** Like `get`, and the resident leaves: the caller owns it from here. */
  take(key: string): Resident | undefined {
    const resident = this.get(key)
    this.#entries.delete(key)
    return resident
  }

  /** Releases what is under a key, if anything is. */
  drop(key: string): void {
    void this.take(key)?.release()
  }

  put(key: string, resident: Resident, sizeBytes: number): void {
    const before = this.take(key)
    if (before !== undefined && before !== resident) void before.release()
    this.#entries.set(key, { resident, sizeBytes })
    this.makeRoom(0)
  }

  /** Releases the longest unused until `sizeBytes` more fit; the newest stays unless room is asked for. */
  makeRoom(sizeBytes: number): void {
    const held = () => [...this.#entries.values()].reduce((sum, entry) => sum + entry.sizeBytes, 0)
    for (const [key, entry] of this.#entries) {
      if (held() + sizeBytes <= this.#budgetBytes) return
      if (sizeBytes === 0 && this.#entries.size === 1) return
      this.#entries.delete(key)
      void entry.resident.release()
    }
  }
}
