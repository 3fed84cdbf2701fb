/**
 * Which faults strike when: a pure function of seed and minutes.
 *
 * Each kind has a rate; its n faults fall one into each n-th of the time, at a random place of it, so that a server is
 * not killed three times in a second and then left alone. Draws come from activities/seed.ts, by kind and number, so
 * that another rate of one kind moves no fault of another.
 */
import { stream } from '../../activities/seed.ts'

/** Faults a minute, by kind; every plan has at least one of each. */
const rates = {
  'worker SIGKILL': 4,
  'worker SIGTERM': 2,
  'Temporal server kill -9': 0.6,
  'S3 server kill -9': 1,
  'S3 answers 500': 4,
  'S3 answers 503 SlowDown': 4,
  'reset before the write': 3,
  'reset after the write': 3,
  'S3 stalls': 1,
  'body cut short': 3,
  'cache disk full': 1,
  'clock jumps': 1,
  'upload killed half-way': 0.4,
} as const

export type Kind = keyof typeof rates
export const kinds = Object.keys(rates) as Kind[]

export interface Fault {
  readonly kind: Kind
  /** Counts the faults of its kind, from 0. */
  readonly number: number
  /** Seconds after the work began; it strikes then, or as soon after it as there is something to strike. */
  readonly atSeconds: number
  /** In [0, 1): whom it strikes. */
  readonly target: number
  /** In [0, 1): how much of it. */
  readonly amount: number
}

/** The faults in the order of their times. `counts` replaces the number that the rate gives. */
export function planOf(
  seed: number,
  minutes: number,
  counts: Partial<Readonly<Record<Kind, number>>> = {},
): Fault[] {
  const faults = kinds.flatMap((kind) => {
    const count = counts[kind] ?? Math.max(1, Math.round(rates[kind] * minutes))
    return Array.from({ length: count }, (_, number): Fault => {
      const draws = stream({ seed, purpose: 'fault', problem: kind, sample: number })
      const atSeconds = ((number + draws.uniform(0)) / count) * minutes * 60
      return { kind, number, atSeconds, target: draws.uniform(1), amount: draws.uniform(2) }
    })
  })
  return faults.sort((a, b) => a.atSeconds - b.atSeconds)
}

/** How many of each kind a plan has. */
export function countsOf(faults: readonly Pick<Fault, 'kind'>[]): Record<Kind, number> {
  const count = (kind: Kind) => faults.filter((fault) => fault.kind === kind).length
  return Object.fromEntries(kinds.map((kind) => [kind, count(kind)])) as Record<Kind, number>
}
