/** What an attempt leaves for whoever looks, and for the attempt after it: the details of its heartbeats. */
import { z } from 'zod'
import { strict } from './words.ts'

/** How far a piece of work is. */
export const AtWork = strict({
  phase: z.enum(['load', 'sample', 'update', 'score', 'save']),
  done: z.number(),
  total: z.number(),
})
export type AtWork = z.infer<typeof AtWork>

/** Of heartbeat details of any age: how far the attempt said it was, or null where it said something else. */
export function progressOf(details: unknown): AtWork | null {
  const inner = typeof details === 'object' && details !== null && 'at' in details ? details.at : details
  const parsed = AtWork.safeParse(inner)
  return parsed.success ? parsed.data : null
}

/** The signal by which a failed attempt tells its workflow, which would not hear of it otherwise. */
export const attemptFailedSignal = 'attemptFailed'

export const AttemptFailed = strict({
  /** The activity's type and its id in the history. */
  activity: z.string(),
  activityId: z.string(),
  attempt: z.int().min(1),
  /** The fault's name, and its message in at most 500 characters. */
  fault: z.string(),
  message: z.string(),
})
export type AttemptFailed = z.infer<typeof AttemptFailed>
