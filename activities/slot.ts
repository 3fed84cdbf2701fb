/**
 * The compute slot of a process: one activity at a time has it, from whichever queue it came.
 *
 * Temporal counts slots by queue, and a compute worker polls two: the one that all share and its own. So a task can
 * arrive while another computes. It waits for a moment, since most steps are short, and then goes back as `Busy`,
 * because a worker elsewhere may be idle. What attempts before it counted goes on with it.
 */
import { cancellationSignal } from '@temporalio/activity'
import { thisAttempt } from './attempt.ts'

/** A worker's slot did not become free in time. Retryable: another attempt, maybe elsewhere, follows. */
export class Busy extends Error {
  override readonly name = 'Busy'
}

export class Slot {
  #taken = false
  readonly #waiting: (() => void)[] = [] // first come, first served

  /** Runs the body when nobody else has the slot. Throws Busy after `patienceMs`, the signal's reason on abort. */
  async hold<T>(body: () => Promise<T>, patienceMs: number, signal: AbortSignal): Promise<T> {
    if (this.#taken) await this.#turn(patienceMs, signal)
    this.#taken = true
    try {
      return await body()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#taken = false
      else next() // the slot passes from hand to hand, so that nobody can come between
    }
  }

  #turn(patienceMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
      }
      const mine = () => (settle(), resolve())
      const leave = (reason: Error) => {
        settle()
        this.#waiting.splice(this.#waiting.indexOf(mine), 1)
        reject(reason)
      }
      const abort = () => leave(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      const timer = setTimeout(
        () => leave(new Busy('the worker that took this task has its compute slot taken')),
        patienceMs,
      )
      signal.addEventListener('abort', abort, { once: true })
      this.#waiting.push(mine)
    })
  }
}

type Verbs = Readonly<Record<string, (input: never) => Promise<unknown>>>

/** The same activities, each in the slot. */
export function inSlot<A extends Verbs>(activities: A, slot: Slot, patienceMs: number): A {
  const held = (verb: (input: never) => Promise<unknown>) => async (input: never) => {
    const signal = cancellationSignal()
    let begun = false
    const body = () => ((begun = true), verb(input))
    try {
      return await slot.hold(body, patienceMs, signal)
    } catch (error) {
      if (begun) throw error // said in Temporal's words already
      const attempt = thisAttempt()
      throw await thisAttempt(attempt.from).end(error, signal)
    }
  }
  return Object.fromEntries(
    Object.entries(activities).map(([name, verb]) => [name, held(verb)]),
  ) as unknown as A
}
