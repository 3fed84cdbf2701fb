/**
 * Sweeps that a schedule starts: one a night, each under an id of its own, which Temporal makes of the schedule's
 * workflow id and the time it was due, `nightly-2026-11-21T03:00:00Z`.
 */
export interface Night {
  /** What the nights have in common: `nightly`. */
  readonly series: string
  /** When it was due: ISO 8601 in UTC, whose order as text is that of time. */
  readonly due: string
}

/** Null for a sweep that no schedule started. */
export function nightOf(sweep: string): Night | null {
  const [, series, due] = /^(.+)-(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/.exec(sweep) ?? []
  return series === undefined || due === undefined ? null : { series, due }
}
