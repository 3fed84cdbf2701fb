/** How fast the same thing is done again and again, and so when the last of it will be: over the last few, by one clock. */

/** What a pace is taken over: fewer jump about, more are late to notice another worker. */
const kept = 11

export interface Paced {
  /** Seconds that one of them took, a mean over the last ones. */
  readonly seconds: number
  /** When the last one will be done, if they go on like this. ISO 8601. */
  readonly endsAt: string
}

export class Pace {
  #times: number[]

  /** `times`: milliseconds since the epoch of the last ends, where an earlier history had some. */
  constructor(times: readonly number[] = []) {
    this.#times = [...times]
  }

  /** The first one began, or another was done. */
  mark(atMs: number): void {
    this.#times = [...this.#times, atMs].slice(-kept)
  }

  /** After a pause: what was before it says nothing of what follows. */
  again(atMs: number): void {
    this.#times = [atMs]
  }

  times(): readonly number[] {
    return this.#times
  }

  /** Null while it is not known: before the first is done. */
  of(left: number): Paced | null {
    const [first, last] = [this.#times[0], this.#times.at(-1)]
    if (first === undefined || last === undefined || this.#times.length < 2) return null
    const eachMs = (last - first) / (this.#times.length - 1)
    return { seconds: eachMs / 1000, endsAt: new Date(last + left * eachMs).toISOString() }
  }
}
