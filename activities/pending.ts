/** What a workflow cannot see of itself: which of its activities wait, which were begun, and how far they say they are. */
import { Context } from '@temporalio/activity'
import type { WorkflowExecutionDescription } from '@temporalio/client'
import { defaultPayloadConverter } from '@temporalio/common'
import { taskQueues } from '../temporal.config.ts'
import { progressOf, type AtWork } from './contracts/heartbeat.ts'
import type { Deps } from './deps.ts'
import { durable } from './durable.ts'

/** An activity that has not ended. */
export interface Pending {
  readonly activity: string
  readonly activityId: string
  /** The child, or child's child, that it belongs to; absent: the workflow's own. */
  readonly workflow?: string
  readonly queue: 'light' | 'compute'
  /** In a queue; with a worker; failed and waiting to be tried again; paused by somebody. */
  readonly state: 'scheduled' | 'started' | 'between attempts' | 'paused'
  readonly attempt: number
  /** How far it says it is. */
  readonly at?: AtWork
  /** Of its last attempt that failed. */
  readonly failure?: { readonly fault: string; readonly message: string }
  /** Milliseconds since the epoch: when its worker took it, or when it came into the queue. */
  readonly sinceMs: number
}

/** Workflows that one question looks at: a sweep has as many runs open as its window is wide. */
const maxWorkflows = 24

export function pendingActivities({ client, now }: Deps) {
  return {
    /** Of the workflow that asks, and of the children that it waits for. */
    pending: () =>
      durable(async (): Promise<Pending[]> => {
        const { workflowExecution } = Context.current().info
        if (workflowExecution === undefined) return []
        const found: Pending[] = []
        const waiting = [{ ...workflowExecution, isChild: false }]
        for (let looked = 0; looked < maxWorkflows; looked++) {
          const next = waiting.shift()
          if (next === undefined) break
          const { workflowId, runId, isChild } = next
          const description = await client.workflow.getHandle(workflowId, runId).describe()
          const own = pendingOf(description, now()).filter(({ activity }) => activity !== 'pending')
          found.push(...own.map((one) => (isChild ? { ...one, workflow: workflowId } : one)))
          waiting.push(...childrenOf(description).map((child) => ({ ...child, isChild: true })))
        }
        return found
      }),
  }
}

/** Open activities, as the server describes them. */
export function pendingOf({ raw }: WorkflowExecutionDescription, nowMs: number): Pending[] {
  return (raw.pendingActivities ?? []).map((one) => {
    const started = [STARTED, CANCEL_REQUESTED].includes(Number(one.state))
    // A heartbeat from before this attempt began is another's.
    const beats = started && millisecondsOf(one.lastHeartbeatTime) >= millisecondsOf(one.lastStartedTime)
    const at = beats ? progressOf(detailsOf(one.heartbeatDetails?.payloads)) : null
    const next = millisecondsOf(one.nextAttemptScheduleTime)
    const failure = failureOf(one.lastFailure)
    const queue = one.activityOptions?.taskQueue?.name ?? ''
    return {
      activity: one.activityType?.name ?? '',
      activityId: one.activityId ?? '',
      queue: queue.startsWith(taskQueues.compute) ? 'compute' : 'light',
      state: one.paused ? 'paused' : started ? 'started' : next > nowMs ? 'between attempts' : 'scheduled',
      attempt: Math.max(1, one.attempt ?? 1),
      ...(at !== null && { at }),
      ...(failure !== null && { failure }),
      sinceMs: millisecondsOf(started ? one.lastStartedTime : one.scheduledTime),
    }
  })
}

/** Open children. */
export const childrenOf = ({ raw }: WorkflowExecutionDescription) =>
  (raw.pendingChildren ?? []).map(({ workflowId, runId, workflowTypeName }) => ({
    workflowId: workflowId ?? '',
    runId: runId ?? '',
    type: workflowTypeName ?? '',
  }))

/** `PendingActivityState` of Temporal's API. */
const STARTED = 2
const CANCEL_REQUESTED = 3

function detailsOf(payloads: Parameters<typeof defaultPayloadConverter.fromPayload>[0][] | null | undefined) {
  const [first] = payloads ?? []
  try {
    return first === undefined ? null : defaultPayloadConverter.fromPayload(first)
  } catch {
    return null // another program's heartbeat
  }
}

type Failure = NonNullable<
  NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number]['lastFailure']
>

/** Name and sentence of a failure as Temporal stores it. */
export function failureOf(given: Failure | null | undefined): { fault: string; message: string } | null {
  if (!given) return null
  const fault = given.applicationFailureInfo?.type || (given.timeoutFailureInfo ? 'Timeout' : 'Failure')
  return { fault, message: (given.message ?? '').slice(0, 500) }
}

const millisecondsOf = (at: { seconds?: unknown; nanos?: number | null } | null | undefined) =>
  at ? Number(at.seconds ?? 0) * 1000 + (at.nanos ?? 0) / 1e6 : 0
