/**
 * What the faults cost, by kind. Three figures:
 *
 * Activities run again: by Temporal's own count (attempts.ts). An attempt that was cut off is charged to the strike that
 * fell between its beginning and the next one's: to a strike on its own worker if there is one, else to a server's death,
 * else to the network. What fits none is charged to `other`.
 *
 * Rollouts sampled again: rollouts that an engine began to draw for a table which the S3 server already had when the
 * attempt looked for it. When the server first had it is the fault proxy's knowledge (the first answer that showed it);
 * when the attempt looked is the worker's note from before it asked: the loss of either answer hides nothing. Not
 * counted are rollouts of an attempt that died before its table was stored, which nobody has; `begun` counts those.
 *
 * Seconds: of an attempt that was cut off, from its beginning to the next one's (work lost, the time until it was
 * noticed, the queue), added up over activities that may have waited side by side. Of what cut nothing off, from the
 * fault until the same request was answered, or the server again.
 */
import { cutOffs, idOf, type CutOff } from './attempts.ts'
import type { Strike } from './faults.ts'
import type { Activity } from './histories.ts'
import type { Note } from './notes.ts'
import { kinds, type Kind } from './plan.ts'
import { waitsOf, type Charge, type Waits } from './waits.ts'

export interface Cost {
  activities: number
  rollouts: number
  seconds: number
}

export interface Costs {
  readonly byKind: Readonly<Record<Kind | 'other', Cost>>
  /** Drawings of rollouts beyond the first of a table, begun before it was stored. */
  readonly begun: number
  /** Attempts that no strike explains: the activity, and what it failed with. */
  readonly unexplained: readonly string[]
  readonly waits: Waits
}

export function costsOf(
  activities: readonly Activity[],
  notes: readonly Note[],
  strikes: readonly Strike[],
  /** When the server first had each key. */
  stored: (table: string) => number | undefined,
): Costs {
  const byKind = Object.fromEntries(
    [...kinds, 'other' as const].map((kind) => [kind, { activities: 0, rollouts: 0, seconds: 0 }]),
  ) as Record<Kind | 'other', Cost>
  const causes = new Map<string, Kind | 'other'>()
  const charged = new Set<Strike>()
  const unexplained: string[] = []
  const charges = cutOffs(activities, notes).map((cut): Charge => [cut, causeOf(cut, strikes)])
  for (const [cut, strike] of charges) {
    if (strike === null) unexplained.push(`${cut.type}: ${cut.failure ?? 'unknown'}`)
    else charged.add(strike)
    const kind = strike?.kind ?? 'other'
    causes.set(cut.next, kind)
    byKind[kind].activities += 1
    byKind[kind].seconds += (cut.toMs - cut.fromMs) / 1000
  }
  for (const strike of strikes)
    if (strike.endMs !== null && !charged.has(strike))
      byKind[strike.kind].seconds += (strike.endMs - strike.atMs) / 1000

  const drawings = notes.filter((note) => note.what === 'sample')
  const again = drawings.filter(({ table, lookedMs }) => lookedMs > (stored(table) ?? Infinity))
  for (const note of again) byKind[causes.get(idOf(note)) ?? 'other'].rollouts += note.rollouts
  const tables = new Set(drawings.map(({ table }) => table))
  const types = new Map(activities.map((activity) => [activityOf(activity), activity.type]))
  const typeOf = (note: Note) => types.get(activityOf(note)) ?? 'unknown'
  return {
    byKind,
    begun: drawings.length - tables.size - again.length,
    unexplained,
    waits: waitsOf(charges, notes, strikes, typeOf),
  }
}

const activityOf = ({ workflow, run, activity }: Activity | Note) => [workflow, run, activity].join(' ')

/**
 * Nearest causes first: the worker itself, a server, the network. Of several, the last before the next attempt, but of
 * its worker's deaths the first, since a later one killed another process of that name.
 */
function causeOf({ fromMs, toMs, worker, failure }: CutOff, strikes: readonly Strike[]): Strike | null {
  const during = strikes
    .filter(({ atMs, endMs }) => atMs <= toMs && Math.max(atMs, endMs ?? atMs) >= fromMs)
    .toSorted((a, b) => a.atMs - b.atMs)
  const own = during.filter(
    (strike) => strike.worker !== null && (worker === null || strike.worker === worker),
  )
  const servers = during.filter(({ kind }) => kind.endsWith('kill -9'))
  const network = during.filter(({ kind, worker }) => worker === null && kind !== 'upload killed half-way')
  // A clock that is wrong stops nothing by itself: it is the last to be blamed.
  const clocks = own.filter(({ kind }) => kind === 'clock jumps')
  const deaths = own.filter(({ kind, atMs }) => kind.startsWith('worker') && atMs >= fromMs)
  // Who is killed says nothing any more: an attempt that gave a reason had ended before.
  const isSilent = failure === null || /timeout/i.test(failure)
  const death = deaths.find(({ kind }) => isSilent || kind !== 'worker SIGKILL')
  const disk = own.findLast(({ kind }) => kind === 'cache disk full')
  const nearest = /cache/.test(failure ?? '') ? [disk, death] : [death, disk]
  return (
    [...nearest, servers.at(-1), network.at(-1), clocks.at(-1)].find((found) => found !== undefined) ?? null
  )
}
