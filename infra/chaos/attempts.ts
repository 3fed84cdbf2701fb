/**
 * Attempts that ended without a result, and what did the same again: the next attempt of the same activity, or, where
 * an activity may be tried once only (it was on the queue of one worker), the activity that the workflow asked for in
 * its place, with the same input. A worker whose slot was taken gave an attempt back before it began; that is none.
 */
import type { Activity } from './histories.ts'
import type { Attempt, Note } from './notes.ts'

export interface CutOff {
  readonly type: string
  /** What it failed with; null where the history does not keep it: it keeps one failure of an activity. */
  readonly failure: string | null
  /** Null: it died before its first note. */
  readonly worker: string | null
  /** From its beginning to the next one's. */
  readonly fromMs: number
  readonly toMs: number
  /** Names the attempt that followed. */
  readonly next: string
  /** When that one got anywhere: the engine's first word, or its beginning where the work was found done. Null: it did not. */
  readonly progressMs: number | null
  /** It was running when its worker was told to stop. */
  readonly told: boolean
}

export const idOf = ({ workflow, run, activity, attempt }: Attempt) =>
  [workflow, run, activity, attempt].join(' ')

export function cutOffs(activities: readonly Activity[], notes: readonly Note[]): CutOff[] {
  const [begun, progress, told] = [
    timesOf(notes, 'begin'),
    timesOf(notes, 'progress'),
    timesOf(notes, 'told'),
  ]
  const begins = notes.filter(({ what }) => what === 'begin')
  const workers = new Map(begins.map((note) => [idOf(note), note.worker]))
  const again = successors(activities)
  return activities.flatMap((activity) => {
    const successor = again.get(activity)
    const own = Array.from({ length: activity.attempts - 1 }, (_, index) => ({ activity, at: index + 2 }))
    const following = successor === undefined ? own : [...own, { activity: successor, at: 1 }]
    return following.map(({ activity: after, at }, index): CutOff => {
      const id = idOf({ ...activity, attempt: index + 1 })
      const next = idOf({ ...after, attempt: at })
      const isDone = after.completed && after.attempts === at
      // An attempt that died before its first note began when the activity was scheduled, or as far as anybody knows.
      const fromMs = begun.get(id) ?? activity.scheduledMs
      const toMs = begun.get(next) ?? after.startedMs
      const isLast = index === following.length - 1
      return {
        type: activity.type,
        failure: isLast ? activity.failure : null,
        worker: workers.get(id) ?? null,
        ...{ fromMs, toMs, next },
        progressMs: progress.get(next) ?? (isDone ? toMs : null),
        told: told.has(id),
      }
    })
  })
}

/** When each attempt noted this for the first time. */
function timesOf(notes: readonly Note[], what: Note['what']): Map<string, number> {
  const times = new Map<string, number>()
  for (const note of notes) if (note.what === what && !times.has(idOf(note))) times.set(idOf(note), note.atMs)
  return times
}

/** For an activity that ended without a result: the one that was asked for next with the same input. */
function successors(activities: readonly Activity[]): Map<Activity, Activity> {
  const byInput = new Map<string, Activity[]>()
  const nameOf = ({ workflow, run, type, input }: Activity) => [workflow, run, type, input].join(' ')
  for (const activity of activities.toSorted((a, b) => a.scheduledMs - b.scheduledMs))
    byInput.set(nameOf(activity), [...(byInput.get(nameOf(activity)) ?? []), activity])
  const found = new Map<Activity, Activity>()
  for (const activity of activities) {
    if (activity.completed || activity.busy) continue
    const same = byInput.get(nameOf(activity)) ?? []
    const next = same[same.indexOf(activity) + 1]
    if (next !== undefined) found.set(activity, next)
  }
  return found
}
