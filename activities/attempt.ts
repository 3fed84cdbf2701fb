/**
 * One attempt of an activity among those before and after it: what they left in heartbeat details, what its own end
 * leaves there, how its error is said in Temporal's words, and the signal by which its workflow hears of it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import * as config from '../temporal.config.ts'
import { faults, permanenceOf, type Permanence } from './contracts/faults.ts'
import {
  attemptFailedSignal,
  messageLength,
  progressOf,
  reachedIn,
  type AttemptFailed,
} from './contracts/heartbeat.ts'
import { isWellFormed, wellFormed } from './contracts/shape.ts'
import * as counts from './faults/counts.ts'
import { errorOf, permanenceOfError } from './faults/nature.ts'
import { diedAt, repeatedly, whereOf } from './faults/words.ts'

export interface Attempt {
  /** What the attempt before got to, in its own words; null in the first. */
  readonly from: unknown
  /** Throws WorkersDied where one attempt after another died without getting further. */
  begin(): Promise<void>
  /** What the next attempt will find, sent at once or with the next beat. */
  reached(at: unknown, now: boolean): void
  beat(): void
  /** What to throw for what was thrown. The next attempt finds how often it was. */
  end(thrown: unknown, signal: AbortSignal): Promise<unknown>
}

/** The attempt that runs here. `first`: what its heartbeats say until its own first word. */
export function thisAttempt(first: unknown = null): Attempt {
  // Words come from threads and processes that other attempts began: only here is it known whose they are.
  const context = Context.current()
  const { info } = context
  const before = reachedIn(info.heartbeatDetails)
  let now = counts.countsAt(info.attempt, info.heartbeatDetails)
  let at = first
  const say = (ended = false) => context.heartbeat(counts.beatOf(now, at, ended))
  return {
    from: before,
    begin: async () => {
      if (now.deaths < counts.mostDeaths) return
      if (await lastOneDied()) throw diedAt(now, here(before))
      now = { ...now, deaths: 0 }
    },
    reached: (word, atOnce) => {
      at = word
      now = counts.countsReached(now, word)
      if (atOnce) say()
    },
    beat: () => say(),
    end: async (thrown, signal) => {
      if (thrown instanceof CancelledFailure && !signal.aborted) return thrown
      const ending = signal.aborted ? stopped(signal) : endingOf(legible(errorOf(thrown)))
      if (ending instanceof CancelledFailure) return ending // no attempt follows
      now = counts.countsEnded(now, ending.how, { name: ending.name, message: ending.error.message })
      say(true) // a failure waits for it to be sent
      const failure = failureOf(ending, now, here(at))
      if (failure.nonRetryable !== true && ending.how !== 'stopped')
        await tell(ending.name, ending.error.message)
      return failure
    },
  }
}

/** Causes within one another that are looked at. */
const mostCauses = 100

/**
 * The error with the texts of it and of its causes in whole characters: in a short text Temporal's bridge takes half of
 * one for a broken message, and a worker ends by that.
 */
function legible(error: Error): Error {
  let at: unknown = error
  for (let depth = 0; typeof at === 'object' && at !== null && depth < mostCauses; depth++) {
    const texts = at as Record<string, unknown>
    for (const name of ['message', 'name', 'type', 'stack', 'cause']) {
      const text = texts[name]
      if (typeof text !== 'string' || isWellFormed(text)) continue
      Reflect.defineProperty(texts, name, { value: wellFormed(text), writable: true, configurable: true })
    }
    at = texts['cause']
  }
  return error
}

interface Ending {
  readonly how: Permanence | 'stopped'
  readonly name: string
  readonly error: Error
}

/** How an activity ends that was stopped at a safe point: preempted with its worker, or cancelled. */
function stopped(signal: AbortSignal): Ending | CancelledFailure {
  const { cancellationDetails } = Context.current()
  const reason = signal.reason as Error | undefined
  // A failure, not a cancellation: only a failure flushes the last heartbeat and is retried at once elsewhere.
  if (cancellationDetails?.workerShutdown || reason?.message === 'WORKER_SHUTDOWN') {
    const error = new Error('preempted: the worker was told to stop')
    return { how: 'stopped', name: 'WorkerShutdown', error }
  }
  return reason instanceof CancelledFailure ? reason : new CancelledFailure('cancelled')
}

function endingOf(error: Error): Ending {
  if (!(error instanceof ApplicationFailure))
    return { how: permanenceOfError(error), name: error.name, error }
  const name = error.type ?? 'Error'
  if (error.nonRetryable) return { how: 'permanent', name, error }
  return { how: Object.hasOwn(faults, name) ? permanenceOf(name) : permanenceOfError(error), name, error }
}

function failureOf({ how, name, error }: Ending, now: counts.Counts, where: string): ApplicationFailure {
  const { message } = error
  const words = { message, type: name, ...(how !== 'stopped' && { cause: error }) }
  if (how === 'permanent') return ApplicationFailure.create({ ...words, nonRetryable: true })
  if (how === 'handed-back') {
    const most = config.worker.pauseSeconds[name === 'Busy' ? 'busy' : 'handedBack']
    const nextRetryDelay = `${counts.pauseSeconds(now.handedBack, most)}s` as const
    return ApplicationFailure.create({ ...words, nextRetryDelay })
  }
  if (how !== 'limited' || !counts.isExhausted(now)) return ApplicationFailure.create(words)
  const said = repeatedly(error, now, where, process.env['PLACEBO_BUILD_ID'])
  return ApplicationFailure.create({ ...words, message: said, nonRetryable: true })
}

function here(at: unknown): string {
  const { activityType, workflowExecution } = Context.current().info
  return whereOf(activityType, workflowExecution?.workflowId, progressOf(at))
}

/**
 * Whether the attempt before this one was waited for in vain, by what the server knows. It may have failed where nobody
 * could count: in a worker of another version, or one that does not know the activity.
 */
async function lastOneDied(): Promise<boolean> {
  const client = ownClient()
  const { workflowExecution, activityId } = Context.current().info
  if (client === null || workflowExecution === undefined) return true
  const { workflowId, runId } = workflowExecution
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe()
  const pending = raw.pendingActivities?.find((one) => one.activityId === activityId)
  return pending?.lastFailure?.timeoutFailureInfo != null
}

/** What a workflow is told waits for no server that is away. */
const tellWithinMs = 1000

/** Tells the workflow of a failed attempt, which does not see attempts: of the 2nd, 4th, 8th … */
async function tell(fault: string, message: string): Promise<void> {
  const { activityType: activity, activityId, attempt, workflowExecution } = Context.current().info
  const client = ownClient()
  const isDue = attempt >= 2 && Number.isInteger(Math.log2(attempt))
  if (!isDue || client === null || workflowExecution === undefined) return
  const { workflowId, runId } = workflowExecution
  const cut = message.slice(0, messageLength)
  const said: AttemptFailed = { activity, activityId, attempt, fault, message: cut }
  const sent = client.workflow.getHandle(workflowId, runId).signal(attemptFailedSignal, said)
  const late = new AbortController()
  const waited = sleep(tellWithinMs, undefined, { signal: late.signal })
  // It may have ended, or the server be away: that nobody hears of the failure must not change it.
  await Promise.race([sent, waited]).catch(() => undefined)
  late.abort()
  await waited.catch(() => undefined)
  sent.catch(() => undefined)
}

/** The worker's client; null in a test's environment. */
function ownClient() {
  try {
    return Context.current().client
  } catch {
    return null
  }
}
