/**
 * The table of effects: what each arm gained on each model, and what of it is left after the placebo.
 *
 * A difference pairs an arm with a control by seed and by problem (same problems, same order, same sampling noise), so
 * what both share cancels before the interval is computed (intervals.ts). Seeds that one side lacks are left out of
 * the difference and stay in the arm's own columns. Failed runs are listed and never averaged. The last evaluated
 * step counts as the end: no best step is picked, no curve is smoothed.
 */
import type { Evaluation, RunResult } from '../contracts.ts'
import type { Estimate } from './intervals.ts'
import { accuracyInterval, crossedInterval, mean, studentInterval } from './intervals.ts'

export interface Effect {
  readonly benchmark: string
  readonly model: string
  readonly arm: string
  /** Seeds of completed runs, ascending; the columns below are over these. */
  readonly seeds: readonly number[]
  readonly failedSeeds: readonly number[]
  /** The last evaluated step. */
  readonly steps: number
  readonly start: Estimate | null
  readonly end: Estimate | null
  /** End minus step 0; null for an arm that was never trained. */
  readonly gain: Estimate | null
  readonly overNull: Estimate | null
  readonly overRandom: Estimate | null
  readonly codeStart: number | null
  readonly codeEnd: number | null
}

export interface Failure {
  readonly model: string
  readonly arm: string
  readonly seed: number
  readonly run: string
  /** Steps whose metrics were recorded before it failed. */
  readonly step: number
  readonly failure: string
}

export interface Effects {
  readonly rows: readonly Effect[]
  readonly failures: readonly Failure[]
}

export type Evaluations = ReadonlyMap<string, Evaluation>
type Point = RunResult['curve'][number]
interface Measured {
  readonly seed: number
  readonly start: Point | undefined
  readonly end: Point
}

/**
 * Effects of every (benchmark, model, arm). `evaluations` maps the keys in the runs' curves to what they name; where
 * one is missing, its intervals allow for seeds alone and say so.
 */
export function effects(
  runs: readonly RunResult[],
  evaluations: Evaluations = new Map(),
  controls: { readonly null: string; readonly random: string } = { null: 'null', random: 'random' },
): Effects {
  refuseDuplicates(runs)
  const models = distinct(runs.map((run) => run.model))
  const benchmarks = distinct(runs.flatMap((run) => run.curve.map((point) => point.benchmark)))
  const rows = benchmarks.flatMap((benchmark) =>
    models.flatMap((model) => {
      const ours = runs.filter((run) => run.model === model)
      const nulls = endsOf(ours, controls.null, benchmark)
      const randoms = endsOf(ours, controls.random, benchmark)
      return armsInOrder(ours.map((run) => run.arm)).map((arm): Effect => {
        const own = endsOf(ours, arm, benchmark)
        return {
          ...columns(benchmark, own, evaluations),
          model,
          arm,
          failedSeeds: seedsOf(ours.filter((run) => run.arm === arm && run.status === 'failed')),
          overNull: arm === controls.null ? null : difference(own, nulls, evaluations),
          overRandom:
            arm === controls.null || arm === controls.random ? null : difference(own, randoms, evaluations),
        }
      })
    }),
  )
  return { rows, failures: failures(runs) }
}

/** Treatments first, controls last: the order of tables, legends and plots. Unknown arms stand between, by name. */
export function armsInOrder(arms: readonly string[]): string[] {
  const place = (arm: string) => (last.includes(arm) ? 100 + last.indexOf(arm) : first.indexOf(arm) + 1 || 50)
  return distinct(arms).sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
}
const first = ['ground-truth', 'majority', 'one-shot']
const last = ['python', 'no-repetition', 'format', 'incorrect', 'random', 'null']

/** An arm's own columns. */
function columns(benchmark: string, runs: readonly Measured[], evaluations: Evaluations) {
  const started = runs.flatMap(({ start }) => start ?? [])
  const ends = runs.map(({ end }) => end)
  const trained = runs.filter(({ start, end }) => start !== undefined && end.step > 0)
  return {
    benchmark,
    seeds: seedsOf(runs),
    steps: Math.max(0, ...ends.map((point) => point.step)),
    start: level(started, evaluations),
    end: level(ends, evaluations),
    gain:
      trained.length === 0
        ? null
        : paired(
            trained.map(({ start, end }) => [end, start ?? end] as const),
            evaluations,
          ),
    codeStart: started.length === 0 ? null : mean(started.map((point) => point.code)),
    codeEnd: ends.length === 0 ? null : mean(ends.map((point) => point.code)),
  }
}

/** Mean accuracy of evaluated points, one a seed. Points that are one and the same evaluation count once. */
function level(points: readonly Point[], evaluations: Evaluations): Estimate | null {
  if (points.length === 0) return null
  const unlike = distinct(points.map((point) => point.evaluation))
  const [only] = points
  if (only !== undefined && unlike.length === 1) {
    const stored = evaluations.get(only.evaluation)
    if (stored !== undefined)
      return accuracyInterval(
        stored.outcomes.map((outcome) => outcome.correct),
        stored.result.samples,
      )
    return { value: only.accuracy, low: only.low, high: only.high, allows: 'problems' }
  }
  const rows = points.map((point) => outcomes(point, evaluations))
  const problems = commonProblems(rows)
  const estimate =
    problems === null
      ? studentInterval(
          points.map((point) => point.accuracy),
          'seeds',
        )
      : crossedInterval(rows.map((row) => problems.map((problem) => row?.get(problem) ?? 0)))
  const clamp = (x: number | null) => (x === null ? null : Math.min(1, Math.max(0, x)))
  return { ...estimate, low: clamp(estimate.low), high: clamp(estimate.high) }
}

/** The arm's end minus the control's end, over the seeds that both have. */
function difference(
  arm: readonly Measured[],
  control: readonly Measured[],
  evaluations: Evaluations,
): Estimate | null {
  const pairs = arm.flatMap(({ seed, end }) => {
    const other = control.find((candidate) => candidate.seed === seed)
    return other === undefined ? [] : [[end, other.end] as const]
  })
  return pairs.length === 0 ? null : paired(pairs, evaluations)
}

/** What a comparison needs of a run: which it is, how it went, and where it ended. */
export type Ended = Pick<RunResult, 'model' | 'arm' | 'seed' | 'status' | 'curve'>

/** Mean of left - right over pairs (one a seed), problem by problem where both evaluations are there. */
export function paired(pairs: readonly (readonly [Point, Point])[], evaluations: Evaluations): Estimate {
  const rows = pairs.map(
    ([left, right]) => [outcomes(left, evaluations), outcomes(right, evaluations)] as const,
  )
  const problems = commonProblems(rows.flat())
  if (problems === null)
    return studentInterval(
      pairs.map(([left, right]) => left.accuracy - right.accuracy),
      'seeds',
    )
  return crossedInterval(
    rows.map(([left, right]) => problems.map((id) => (left?.get(id) ?? 0) - (right?.get(id) ?? 0))),
  )
}

/** Each problem's share correct, or null where the evaluation was not given. */
function outcomes(point: Point, evaluations: Evaluations): ReadonlyMap<string, number> | null {
  const stored = evaluations.get(point.evaluation)
  return stored === undefined
    ? null
    : new Map(stored.outcomes.map(({ problem, correct }) => [problem, correct]))
}

/** The problems of every row; null when a row is missing or the rows are not over the same problems. */
function commonProblems(rows: readonly (ReadonlyMap<string, number> | null)[]): string[] | null {
  const [head] = rows
  if (head === undefined || head === null || head.size === 0) return null
  const same = rows.every((row) => row?.size === head.size && [...head.keys()].every((id) => row.has(id)))
  return same ? [...head.keys()] : null
}

/** Where the completed runs of an arm began and ended on a benchmark, by seed. */
export function endsOf(runs: readonly Ended[], arm: string, benchmark: string): Measured[] {
  return runs
    .filter((run) => run.arm === arm && run.status === 'completed')
    .flatMap((run) => {
      const curve = run.curve.filter((point) => point.benchmark === benchmark)
      const end = curve.reduce<Point | undefined>(
        (a, b) => (a === undefined || b.step > a.step ? b : a),
        undefined,
      )
      return end === undefined ? [] : [{ seed: run.seed, start: curve.find(({ step }) => step === 0), end }]
    })
    .sort((a, b) => a.seed - b.seed)
}

function failures(runs: readonly RunResult[]): Failure[] {
  return runs
    .filter((run) => run.status === 'failed')
    .map((run) => ({
      model: run.model,
      arm: run.arm,
      seed: run.seed,
      run: run.run,
      step: Math.max(0, ...run.metrics.map(({ step }) => step)),
      failure: run.failure ?? 'no reason recorded',
    }))
}

function refuseDuplicates(runs: readonly RunResult[]) {
  const seen = new Map<string, string>()
  for (const run of runs) {
    const at = JSON.stringify([run.model, run.arm, run.seed])
    const other = seen.get(at)
    if (other !== undefined)
      throw new RangeError(`effects: expected one run for ${at}, found ${other} and ${run.run}`)
    seen.set(at, run.run)
  }
}

const seedsOf = (runs: readonly { readonly seed: number }[]) =>
  runs.map(({ seed }) => seed).sort((a, b) => a - b)
const distinct = (values: readonly string[]) => [...new Set(values)]
