/**
 * What the attempts of one activity leave each other: how often in a row they ended in the same fault, were handed back,
 * or died. Pure functions over the details of heartbeats, which the next attempt finds.
 *
 * An attempt that ends says so. One that did not was killed with its worker, or its event loop stood still until it was
 * no longer waited for; so did those whose numbers are missing. Deaths add up until an attempt gets further than every one
 * before it: to a phase that none had reached, or further in one. A chance kill is not taken for a deadly task: with a
 * kill every six seconds over four workers and work of three seconds, one attempt in eight dies, and six in a row do so
 * once in 300,000 activities, those that got further not yet left out.
 */
import { AtWork, Beat, messageLength, type FaultCount } from '../contracts/heartbeat.ts'
import type { Permanence } from '../contracts/faults.ts'

/** In a row, with the same name and message: then it is the program's fault, or the input's, and no chance. */
export const mostSame = 3
/** In a row, whatever they said: a message may name a folder that is another one each time. */
export const mostLimited = 10
/** In a row without getting further. */
export const mostDeaths = 6

/** What one attempt knows of those before it, and of itself. */
export interface Counts {
  readonly attempt: number
  readonly faults?: FaultCount
  readonly deaths: number
  readonly furthest: Readonly<Record<string, number>>
  readonly handedBack: number
}

const none = { deaths: 0, furthest: {}, handedBack: 0 } as const

/** At the beginning of an attempt that finds these details. */
export function countsAt(attempt: number, details: unknown): Counts {
  const parsed = Beat.safeParse(details)
  // Attempts of another version said nothing of their ends: how many died is asked when it matters.
  if (!parsed.success) return { ...none, attempt, deaths: attempt - 1 }
  const { attempt: last, ended, faults, deaths = 0, furthest = {}, handedBack = 0 } = parsed.data
  if (attempt <= last) return { ...none, attempt } // a person began the activity anew
  const died = attempt - last - 1 + (ended ? 0 : 1)
  return { attempt, ...(faults && { faults }), deaths: deaths + died, furthest, handedBack }
}

/** After an attempt said how far it is: further than any before, and it is no longer one that may die unheard. */
export function countsReached(counts: Counts, at: unknown): Counts {
  const parsed = AtWork.safeParse(at)
  if (!parsed.success) return { ...counts, deaths: 0 } // a state to go on from: the next attempt begins there
  const { phase, done } = parsed.data
  const before = counts.furthest[phase]
  if (before !== undefined && done <= before) return counts
  return { ...counts, deaths: 0, furthest: { ...counts.furthest, [phase]: done } }
}

/** After an attempt ended: by a fault of a permanence, or `stopped`. */
export function countsEnded(
  counts: Counts,
  how: Permanence | 'stopped',
  { name, message }: { readonly name: string; readonly message: string },
): Counts {
  // It did not begin, so it says nothing of the work.
  if (how === 'handed-back') return { ...counts, handedBack: counts.handedBack + 1 }
  const { attempt, faults: before } = counts
  if (how === 'stopped') return { ...none, attempt, ...(before && { faults: before }) }
  if (how !== 'limited') return { ...none, attempt }
  const cut = message.slice(0, messageLength)
  const isSame = before?.name === name && before.message === cut
  const count = isSame ? before.count + 1 : 1
  return { ...none, attempt, faults: { name, message: cut, count, row: (before?.row ?? 0) + 1 } }
}

/** Whether a fault of the program's own came so often that another attempt would end in it, too. */
export const isExhausted = ({ faults }: Counts): boolean =>
  faults !== undefined && (faults.count >= mostSame || faults.row >= mostLimited)

/** The details to send. */
export function beatOf(counts: Counts, at: unknown, ended: boolean): Beat {
  const { attempt, faults, deaths, furthest, handedBack } = counts
  return {
    at,
    attempt,
    ...(ended && { ended }),
    ...(faults && { faults }),
    ...(deaths > 0 && { deaths }),
    ...(Object.keys(furthest).length > 0 && { furthest: { ...furthest } }),
    ...(handedBack > 0 && { handedBack }),
  }
}

/** Seconds before a task that was handed back so often in a row is offered again. */
export function pauseSeconds(handedBack: number, most: number): number {
  return Math.min(most, 2 ** Math.min(30, Math.max(0, handedBack - 1)))
}
