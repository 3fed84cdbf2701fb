/** What Temporal itself recorded: every activity of every workflow of a namespace, and how often it had to be begun. */
import { createHash } from 'node:crypto'
import type { Client } from '@temporalio/client'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Activity {
  readonly workflow: string
  readonly run: string
  readonly activity: string
  readonly type: string
  readonly scheduledMs: number
  /** When its last attempt was started. */
  readonly startedMs: number
  /** The number of its last attempt: 1 unless it was begun again. */
  readonly attempts: number
  /** Digest of what it was given. */
  readonly input: string
  /** Whether it has a result: an activity that may be tried once only can end without. */
  readonly completed: boolean
  /** It ended without a result because its worker had no slot for it. */
  readonly busy: boolean
  /** What its last attempt that failed did so with; null: none did. */
  readonly failure: string | null
}

/** Activities that ended. The server writes an attempt's start into the history when the activity ends, with its number. */
export async function activitiesOf(client: Client): Promise<Activity[]> {
  const found: Activity[] = []
  const executions: { workflowId: string; runId: string }[] = []
  for await (const { workflowId, runId } of client.workflow.list()) executions.push({ workflowId, runId })
  for (const { workflowId, runId } of executions) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory()
    const byId = new Map((events ?? []).map((event) => [String(event.eventId), event]))
    const ends = endsOf([...byId.values()])
    for (const { activityTaskStartedEventAttributes: started, eventTime } of byId.values()) {
      if (!started) continue
      const event = byId.get(String(started.scheduledEventId))
      const scheduled = event?.activityTaskScheduledEventAttributes
      const end = ends.get(String(started.scheduledEventId)) ?? null
      found.push({
        workflow: workflowId,
        run: runId,
        activity: scheduled?.activityId ?? '',
        type: scheduled?.activityType?.name ?? '',
        scheduledMs: millisecondsOf(event?.eventTime),
        startedMs: millisecondsOf(eventTime),
        attempts: started.attempt ?? 1,
        input: digestOf(scheduled?.input?.payloads ?? []),
        completed: end === null,
        busy: end?.applicationFailureInfo?.type === 'Busy',
        failure: end?.message ?? started.lastFailure?.message ?? null,
      })
    }
  }
  return found
}

interface Failure {
  readonly message?: string | null
  readonly applicationFailureInfo?: { readonly type?: string | null } | null
}

type Event = NonNullable<
  Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>['events']
>[number]

/** Why each activity that has no result ended, by the event that scheduled it. */
function endsOf(events: readonly Event[]): Map<string, Failure> {
  return new Map(
    events.flatMap((event): [string, Failure][] => {
      const end =
        event.activityTaskFailedEventAttributes ??
        event.activityTaskTimedOutEventAttributes ??
        event.activityTaskCanceledEventAttributes
      if (!end) return []
      return [[String(end.scheduledEventId), ('failure' in end && end.failure) || { message: 'cancelled' }]]
    }),
  )
}

function digestOf(payloads: readonly { readonly data?: Uint8Array | null }[]): string {
  const hash = createHash('sha256')
  for (const { data } of payloads) hash.update(data ?? '')
  return hash.digest('hex')
}

/** The list of workflows is an index that follows with a delay: asks until as many are closed as there must be. */
export async function settled(client: Client, ids: readonly string[], signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const open = await client.workflow.count('ExecutionStatus = "Running"')
    const closed = new Set<string>()
    for await (const { workflowId } of client.workflow.list()) closed.add(workflowId)
    if (open.count === 0 && ids.every((id) => closed.has(id))) return
    await sleep(200)
  }
}

interface Timestamp {
  readonly seconds?: unknown
  readonly nanos?: number | null
}

const millisecondsOf = (at: Timestamp | null | undefined) =>
  1000 * Number(at?.seconds ?? 0) + Math.floor((at?.nanos ?? 0) / 1e6)
