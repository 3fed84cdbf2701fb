/** The activities as workflows call them: light ones anywhere, compute ones where there is a slot. */
import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  TimeoutFailure,
} from '@temporalio/workflow'
import { permanenceOf } from '../activities/contracts/faults.ts'
import type { Activities } from '../activities/index.ts'
import { activityOptions } from '../temporal.config.ts'

export const light = proxyActivities<Activities['light']>(activityOptions.light)
/** What goes through the whole store: light, and long. */
export const housekeeping = proxyActivities<Activities['light']>(activityOptions.housekeeping)
export const compute = proxyActivities<Activities['compute']>(activityOptions.compute)

/** Compute that training does not wait for. */
export const beside = proxyActivities<Activities['compute']>(activityOptions.beside)

/**
 * Why an activity went elsewhere: its worker was busy, was told to stop, may not do it (another store, say), or failed at
 * it or is not heard of any more.
 */
export type Moved = 'busy' | 'preempted' | 'elsewhere' | 'lost'

/** Light activities that the Web UI's timeline shows under a name. */
export const lightAs = (summary: string) =>
  proxyActivities<Activities['light']>({ ...activityOptions.light, summary })

/**
 * A compute activity on the queue of the worker that holds what it needs, or, where there is none or it does not get
 * it done, on any. `moved` hears why it went elsewhere. A permanent fault and a cancellation end it at once. The Web UI's
 * timeline shows it under `summary`.
 */
export async function near<T>(
  queue: string | null,
  summary: string,
  call: (activities: Activities['compute']) => Promise<T>,
  moved: (why: Moved, message: string) => void,
): Promise<T> {
  const anywhere = () => call(proxyActivities<Activities['compute']>({ ...activityOptions.compute, summary }))
  if (queue === null) return anywhere()
  const there = { ...activityOptions.near, summary, taskQueue: queue }
  try {
    return await call(proxyActivities<Activities['compute']>(there))
  } catch (error) {
    const cause = error instanceof ActivityFailure ? error.cause : null
    if (isCancellation(error) || cause === null || cause === undefined) throw error
    if (cause instanceof ApplicationFailure && cause.nonRetryable) throw error
    moved(whyOf(cause), cause.message)
    return anywhere()
  }
}

function whyOf(cause: Error): Moved {
  if (cause instanceof TimeoutFailure) return cause.timeoutType === 'SCHEDULE_TO_START' ? 'busy' : 'lost'
  if (!(cause instanceof ApplicationFailure)) return 'lost'
  const { type } = cause
  if (type === 'Busy') return 'busy'
  if (type === 'WorkerShutdown') return 'preempted'
  return permanenceOf(type ?? '') === 'handed-back' ? 'elsewhere' : 'lost'
}
