/**
 * Drift: how far a night's sweep ended from the sweep of the night before, cell by cell.
 *
 * Nights of one spec share models, seeds, problems and sampling noise, so a night is paired with the one before it by
 * seed and by problem, as an arm with its control (effects.ts). Within one determinism domain such nights end in the same
 * evaluations, and their difference is no estimate but 0: whatever is not 0 has a cause, a model, a data set, a grader
 * or a machine that is not what it was. Left out: a verdict on which drift matters.
 */
import { armsInOrder, endsOf, paired, type Ended, type Evaluations } from './effects.ts'
import { mean, type Estimate } from './intervals.ts'

/** One night, by its due time. */
export interface NightRuns {
  readonly due: string
  readonly runs: readonly Ended[]
}

export interface Drift {
  readonly benchmark: string
  readonly model: string
  readonly arm: string
  /** Mean accuracy at the end of each night, the given one last; null where it has no completed run. */
  readonly ends: readonly (number | null)[]
  /** Given night minus the night before it that has the cell; null where there is none. */
  readonly since: { readonly due: string; readonly estimate: Estimate; readonly same: boolean } | null
}

/** Every cell of the last of these nights, against those before. `nights` in order of time. */
export function drifts(nights: readonly NightRuns[], evaluations: Evaluations): Drift[] {
  const tonight = nights.at(-1)
  if (tonight === undefined) return []
  const distinct = (values: readonly string[]) => [...new Set(values)]
  const benchmarks = distinct(tonight.runs.flatMap(({ curve }) => curve.map(({ benchmark }) => benchmark)))
  return benchmarks.flatMap((benchmark) =>
    distinct(tonight.runs.map(({ model }) => model)).flatMap((model) => {
      const own = (runs: readonly Ended[]) => runs.filter((run) => run.model === model)
      return armsInOrder(own(tonight.runs).map(({ arm }) => arm)).map((arm): Drift => {
        const ends = nights.map(({ runs }) => endsOf(own(runs), arm, benchmark))
        return {
          benchmark,
          model,
          arm,
          ends: ends.map((points) =>
            points.length === 0 ? null : mean(points.map(({ end }) => accuracyOf(end, evaluations))),
          ),
          since: sinceLast(nights, ends, evaluations),
        }
      })
    }),
  )
}

type Ends = ReturnType<typeof endsOf>

const accuracyOf = ({ evaluation, accuracy }: Ends[number]['end'], evaluations: Evaluations) =>
  evaluations.get(evaluation)?.result.accuracy ?? accuracy

function sinceLast(
  nights: readonly NightRuns[],
  ends: readonly Ends[],
  evaluations: Evaluations,
): Drift['since'] {
  const tonight = ends.at(-1) ?? []
  for (let night = nights.length - 2; night >= 0; night--) {
    const before = ends[night] ?? []
    const pairs = tonight.flatMap(({ seed, end }) => {
      const other = before.find((candidate) => candidate.seed === seed)
      return other === undefined ? [] : [[end, other.end] as const]
    })
    if (pairs.length === 0) continue
    const same = pairs.every(([now, then]) => now.evaluation === then.evaluation)
    return { due: nights[night]?.due ?? '', estimate: paired(pairs, evaluations), same }
  }
  return null
}
