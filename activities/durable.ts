/**
 * What every activity shares: heartbeats while work goes on, a stop at the next safe point when the worker is told to
 * go, cached files that stay while it uses them, and errors in Temporal's words (attempt.ts).
 */
import { cancellationSignal } from '@temporalio/activity'
import type { z } from 'zod'
import * as config from '../temporal.config.ts'
import { thisAttempt, type Attempt } from './attempt.ts'
import { pinned } from './checkpoint/pins.ts'
import type { Control } from './engine/port.ts'

/** Runs an activity's body with heartbeats every few seconds and errors in Temporal's words. */
export async function durable<T>(body: (control: Control) => Promise<T>): Promise<T> {
  const attempt = thisAttempt()
  let phase: string | null = null
  return beating(attempt, (signal) =>
    body({
      signal,
      progress: (progress) => {
        // The first word of a phase goes out at once: a person looks, and a waiting test need not.
        attempt.reached(progress, phase !== progress.phase)
        phase = progress.phase
      },
    }),
  )
}

/**
 * Like `durable`, for a body that goes on where its last attempt's heartbeats got to. `from` is what that attempt
 * reached last, null in the first; what it did after its last heartbeat is done again.
 */
export async function resumable<T, State>(
  schema: z.ZodType<State>,
  body: (from: State | null, reached: (state: State) => void, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const before = schema.safeParse(thisAttempt().from)
  const from = before.success ? before.data : null
  const attempt = thisAttempt(from)
  return beating(attempt, (signal) => body(from, (state) => attempt.reached(state, false), signal))
}

async function beating<T>(attempt: Attempt, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = cancellationSignal()
  const timer = setInterval(() => attempt.beat(), config.worker.heartbeatEveryMs)
  try {
    return await pinned(async () => {
      await attempt.begin()
      return body(signal)
    })
  } catch (error) {
    clearInterval(timer) // its last word is the last
    throw await attempt.end(error, signal)
  } finally {
    clearInterval(timer)
  }
}
