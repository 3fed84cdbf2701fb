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

/** Attempts in a row that ended in one fault of the program's own. */
export const FaultCount = z.object({
  name: z.string(),
  /** Its first 500 characters. */
  message: z.string(),
  count: z.int().min(1),
  /** Attempts in a row that ended in any such fault; this one among them. */
  row: z.int().min(1),
})
export type FaultCount = z.infer<typeof FaultCount>

/**
 * The details of a heartbeat. What is not known here is left out, so that a later version may say more. Until 2026-11
 * they were the bare `at`.
 */
export const Beat = z.object({
  /** How far the attempt is, or the state that the next one goes on from; null before its first word. */
  at: z.unknown(),
  attempt: z.int().min(1),
  /** Said last by an attempt that failed, handed its task back or was told to stop. Without it, it died. */
  ended: z.literal(true).optional(),
  faults: FaultCount.optional(),
  /** Attempts in a row that died without getting further than those before. */
  deaths: z.int().min(1).optional(),
  /** The most `done` of each phase, over these attempts. */
  furthest: z.record(z.string(), z.number()).optional(),
  /** Times in a row that a worker gave the task back. */
  handedBack: z.int().min(1).optional(),
})
export type Beat = z.infer<typeof Beat>

/** Of heartbeat details of any age: how far the attempt said it was, or null where it said something else. */
export function progressOf(details: unknown): AtWork | null {
  const parsed = AtWork.safeParse(reachedIn(details))
  return parsed.success ? parsed.data : null
}

/** Of heartbeat details of any age: how far the attempt was, in its own words; null where it said nothing. */
export function reachedIn(details: unknown): unknown {
  const beat = Beat.safeParse(details)
  return (beat.success ? beat.data.at : details) ?? null
}

/** The signal by which a failed attempt tells its workflow, which would not hear of it otherwise. */
export const attemptFailedSignal = 'attemptFailed'

/** What a message of a fault is cut to where it travels beside something else. */
export const messageLength = 500

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
