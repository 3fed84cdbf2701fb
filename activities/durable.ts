/**
 * What every activity shares: heartbeats while work goes on, a stop at the next safe point when the worker is told to
 * go, cached files that stay while it uses them, and one table that turns a noun's error into Temporal's permanent or retryable failure.
 */
import { Context, heartbeat, cancellationSignal } from '@temporalio/activity'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
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
  'NotAllowed',
])

/** Runs an activity's body with heartbeats every few seconds and errors in Temporal's words. */
export async function durable<T>(body: (control: Control) => Promise<T>): Promise<T> {
  const signal = cancellationSignal()
  let last: Progress | null = null
  const timer = setInterval(() => heartbeat(last), config.worker.heartbeatEveryMs)
  try {
    const progress = (progress: Progress) => {
      // The first word of a phase goes out at once: a person looks, and a waiting test need not.
      if (last?.phase !== progress.phase) heartbeat(progress)
      last = progress
    }
    return await pinned(() => body({ signal, progress }))
  } catch (error) {
    throw failureOf(error, signal)
  } finally {
    clearInterval(timer)
  }
}

function failureOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) {
    const { cancellationDetails } = Context.current()
    const reason = signal.reason as Error | undefined
    // A failure, not a cancellation: only a failure flushes the last heartbeat and is retried at once elsewhere.
    if (cancellationDetails?.workerShutdown || reason?.message === 'WORKER_SHUTDOWN') {
      return ApplicationFailure.retryable('preempted: the worker was told to stop', 'WorkerShutdown')
    }
    return reason instanceof CancelledFailure ? reason : new CancelledFailure('cancelled')
  }
  if (error instanceof ApplicationFailure || !(error instanceof Error)) return error
  const failure = {
    message: error.message,
    type: error.name,
    nonRetryable: permanent.has(error.name),
    cause: error,
  }
  return ApplicationFailure.create(failure)
}
