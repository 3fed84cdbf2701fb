/**
 * How long work waited after its worker was gone, and what SIGTERM met. All from cut-off attempts that a strike on
 * their own worker explains, so a worker that was idle says nothing. Waiting in the queue counts: other runs' work is
 * ahead in it, and the workers left have one slot each.
 */
import type { CutOff } from './attempts.ts'
import type { Strike } from './faults.ts'
import type { Note } from './notes.ts'

export interface Waits {
  /** Seconds from a hard kill of a compute worker to the progress of what followed. */
  readonly afterKill: readonly number[]
  /** Seconds from the end of a compute worker that was told to stop to the progress of what followed. */
  readonly afterStop: readonly number[]
  /** Of the SIGTERMs, those that met a running activity; the activities, by type; those that had to be begun again. */
  readonly met: {
    readonly strikes: number
    readonly running: Readonly<Record<string, number>>
    readonly again: number
    readonly seconds: number
  }
}

export type Charge = readonly [cut: CutOff, strike: Strike | null]

/** `typeOf`: the activity's type of an attempt that a worker noted. */
export function waitsOf(
  charges: readonly Charge[],
  notes: readonly Note[],
  strikes: readonly Strike[],
  typeOf: (note: Note) => string,
): Waits {
  const stops = strikes.filter(({ kind }) => kind === 'worker SIGTERM')
  const told = notes.filter((note) => note.what === 'told')
  const metBy = (strike: Strike) =>
    told.filter(
      ({ worker, atMs }) =>
        worker === strike.worker && atMs >= strike.atMs && atMs <= (strike.goneMs ?? Infinity),
    )
  const running: Record<string, number> = {}
  for (const note of stops.flatMap(metBy)) running[typeOf(note)] = (running[typeOf(note)] ?? 0) + 1
  const again = charges.filter(([cut, strike]) => strike?.kind === 'worker SIGTERM' && cut.told)
  return {
    afterKill: secondsAfter(charges, 'worker SIGKILL', ({ atMs }) => atMs),
    afterStop: secondsAfter(charges, 'worker SIGTERM', ({ goneMs = null }) => goneMs),
    met: {
      strikes: stops.filter((strike) => metBy(strike).length > 0).length,
      running,
      again: again.length,
      seconds: again.reduce((sum, [{ fromMs, toMs }]) => sum + (toMs - fromMs) / 1000, 0),
    },
  }
}

function secondsAfter(
  charges: readonly Charge[],
  kind: Strike['kind'],
  since: (strike: Strike) => number | null,
): number[] {
  return charges.flatMap(([{ worker, progressMs }, strike]) => {
    if (strike?.kind !== kind || worker !== strike.worker || !worker?.startsWith('compute')) return []
    const sinceMs = since(strike)
    if (progressMs === null || sinceMs === null) return [] // what followed was cut off in its turn
    return [Math.max(0, progressMs - sinceMs) / 1000]
  })
}
