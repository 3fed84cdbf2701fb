/** What Temporal itself recorded: every activity of every workflow of a namespace, and how often it had to be begun. */
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
  /** What the attempt before the last one failed with; null: there was none. */
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
    for (const { activityTaskStartedEventAttributes: started, eventTime } of byId.values()) {
      if (!started) continue
      const event = byId.get(String(started.scheduledEventId))
      const scheduled = event?.activityTaskScheduledEventAttributes
      found.push({
        workflow: workflowId,
        run: runId,
        activity: scheduled?.activityId ?? '',
        type: scheduled?.activityType?.name ?? '',
        scheduledMs: millisecondsOf(event?.eventTime),
        startedMs: millisecondsOf(eventTime),
        attempts: started.attempt ?? 1,
        failure: started.lastFailure?.message ?? null,
      })
    }
  }
  return found
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
