/**
 * What every activity shares: heartbeats while work goes on, a stop at the next safe point when the worker is told to
 * go, cached files that stay while it uses them, and one table that turns a noun's error into Temporal's permanent or retryable failure.
 */
import { Context, heartbeat, cancellationSignal } from '@temporalio/activity'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import type { z } from 'zod'
import * as config from '../temporal.config.ts'
import { pinned } from './checkpoint/pins.ts'
import type { Control, Progress } from './engine/port.ts'

/** Faults that no retry can mend, by the name of the noun's error. */
const permanent = new Set([
  'InvalidSpec',
  'SpecMismatch',
  'ModelUnavailable',
  'UnsupportedModel',
  'CorruptModel',
  'InvalidData',
  'InvalidReward',
  'CorruptObject',
  'WrongStore',
  'NonFiniteLoss',
  'PromptTooLong',
  'DoesNotFit',
  'NotAllowed',
  'WeightsLost',
  'NotKept',
])

/** Runs an activity's body with heartbeats every few seconds and errors in Temporal's words. */
export async function durable<T>(body: (control: Control) => Promise<T>): Promise<T> {
  return beating<T, Progress>(null, (signal, last, say) =>
    body({
      signal,
      // The first word of a phase goes out at once: a person looks, and a waiting test need not.
      progress: (progress) => say(progress, last()?.phase !== progress.phase),
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
  const before = schema.safeParse(Context.current().info.heartbeatDetails)
  const from = before.success ? before.data : null
  return beating<T, State>(from, (signal, _last, say) => body(from, (state) => say(state, false), signal))
}

type Say<Beat> = (beat: Beat, now: boolean) => void

async function beating<T, Beat>(
  first: Beat | null,
  body: (signal: AbortSignal, last: () => Beat | null, say: Say<Beat>) => Promise<T>,
): Promise<T> {
  const signal = cancellationSignal()
  let last = first
  const timer = setInterval(() => heartbeat(last), config.worker.heartbeatEveryMs)
  const say: Say<Beat> = (beat, now) => {
    last = beat
    if (now) heartbeat(beat)
  }
  try {
    return await pinned(() => body(signal, () => last, say))
  } catch (error) {
    if (signal.aborted && last !== null) heartbeat(last) // the next attempt begins where this one got to
    throw failureOf(error, signal)
  } finally {
    clearInterval(timer)
  }
}

/** What an activity ends with that was stopped at a safe point: preempted with its worker, or cancelled. */
export function stopped(signal: AbortSignal): Error {
  const { cancellationDetails } = Context.current()
  const reason = signal.reason as Error | undefined
  // A failure, not a cancellation: only a failure flushes the last heartbeat and is retried at once elsewhere.
  if (cancellationDetails?.workerShutdown || reason?.message === 'WORKER_SHUTDOWN') {
    return ApplicationFailure.retryable('preempted: the worker was told to stop', 'WorkerShutdown')
  }
  return reason instanceof CancelledFailure ? reason : new CancelledFailure('cancelled')
}

function failureOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return stopped(signal)
  if (error instanceof ApplicationFailure || !(error instanceof Error)) return error
  const failure = {
    message: error.message,
    type: error.name,
    nonRetryable: permanent.has(error.name),
    cause: error,
  }
  return ApplicationFailure.create(failure)
}
