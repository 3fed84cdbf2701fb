/**
 * 95% intervals: for one evaluation, for a mean over training seeds, and for a difference of two arms.
 *
 * One evaluation: Wilson's score interval (1927), on the effective number of problems when each has k samples (Dean
 * and Pagano, J. Surv. Stat. Methodol. 3, 2015): samples of one problem are not independent (Miller,
 * arXiv 2411.00640). Several seeds: seeds and problems are two crossed random factors (Clark 1973; Cameron, Gelbach
 * and Miller 2011), with Cochran's approximate t (Biometrics 20, 1964). Left out: adjustment for many comparisons.
 */
import type { Measured } from '../contracts.ts'
import { stream } from '../seed.ts'
import { normal95, student95 } from './student.ts'

/** What an interval allows for: seeds and problems drawn anew, only one of them, or nothing (no interval). */
export type Allows = 'seeds and problems' | 'seeds' | 'problems' | 'nothing'

/** A mean with its 95% interval; `low` and `high` are null where one number is all there is. */
export interface Estimate {
  readonly value: number
  readonly low: number | null
  readonly high: number | null
  readonly allows: Allows
}

/** Wilson's 95% interval for `successes` of `trials` (real numbers are allowed: an effective sample size is one). */
export function wilson(successes: number, trials: number): { low: number; high: number } {
  if (!(trials > 0) || successes < 0 || successes > trials)
    throw new RangeError(
      `wilson: expected 0 <= successes <= trials and trials > 0, found ${successes} of ${trials}`,
    )
  const p = successes / trials
  const z2 = normal95 ** 2
  const centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
  const half = (normal95 * Math.sqrt((p * (1 - p)) / trials + z2 / (4 * trials ** 2))) / (1 + z2 / trials)
  return { low: p === 0 ? 0 : centre - half, high: p === 1 ? 1 : centre + half }
}

/**
 * Accuracy of one evaluation from each problem's share of correct samples, `shares` [P] in 0..1, k samples each.
 *
 * The effective size n = p(1 - p) / Var(mean over problems) lies between P (a problem's samples always agree) and
 * P·k (independent). With k = 1 it is exactly P, so the interval is Wilson's; where every share is 0 or every share
 * is 1 nothing is known of the agreement, and n = P is the cautious choice.
 */
export function accuracyInterval(
  shares: readonly number[],
  samples: number,
): Estimate & { allows: 'problems' } {
  const problems = shares.length
  if (problems === 0) throw new RangeError('accuracyInterval: expected at least one problem, found none')
  const p = mean(shares)
  const variance = mean(shares.map((x) => (x - p) ** 2)) / problems
  const spread = p * (1 - p)
  const effective =
    spread < 1e-12 ? problems : Math.min(problems * samples, Math.max(problems, spread / variance))
  return { value: p, ...wilson(Math.min(p, 1) * effective, effective), allows: 'problems' }
}

/**
 * The mean of `values` [S seeds][P problems] with an interval for new seeds **and** new problems.
 *
 * y_sp = μ + a_s + b_p + e_sp. With MS the mean squares of the two-way table, Var(ȳ) is estimated without bias by
 * V_seed + V_problem, V_seed = MS_seed / SP and V_problem = (MS_problem - MS_rest) / SP, at least 0. Each part has its
 * own t (S - 1 and P - 1 degrees of freedom), averaged by the parts' sizes as Cochran did: where problems add nothing
 * it is the t interval over seed means. Satterthwaite's single t is shorter, but with two or three seeds it mistakes
 * seeds that agree by luck for knowledge: 87% and 92% coverage where seeds vary most, against 94% and 95% here.
 * A t interval over seed means alone is right only for the very same problems, and fails where arms share something:
 * all seeds of a gain subtract one evaluation of one initial model, whose luck their spread cannot show.
 */
export function crossedInterval(values: readonly (readonly number[])[]): Estimate {
  const [seeds, problems] = [values.length, values[0]?.length ?? 0]
  if (seeds === 0 || problems === 0)
    throw new RangeError('crossedInterval: expected at least one value, found none')
  if (values.some((row) => row.length !== problems))
    throw new RangeError(`crossedInterval: expected ${problems} problems for every seed`)
  const bySeed = values.map(mean) // [S]
  const byProblem = Array.from({ length: problems }, (_, p) => mean(values.map((row) => row[p]!))) // [P]
  if (seeds === 1) return studentInterval(byProblem, 'problems')
  if (problems === 1) return studentInterval(bySeed, 'seeds')
  const value = mean(bySeed)
  const residuals = values.flatMap((row, s) => row.map((y, p) => y - bySeed[s]! - byProblem[p]! + value))
  const ofRest = sum(residuals.map((e) => e * e)) / ((seeds - 1) * (problems - 1))
  const ofProblem = (seeds * sumOfSquares(byProblem)) / (problems - 1)
  const seedPart = sumOfSquares(bySeed) / (seeds - 1) / seeds
  const problemPart = Math.max(0, ofProblem - ofRest) / (seeds * problems)
  const variance = seedPart + problemPart
  const t =
    variance === 0 ? 0 : (seedPart * student95(seeds - 1) + problemPart * student95(problems - 1)) / variance
  const half = t * Math.sqrt(variance)
  return { value, low: value - half, high: value + half, allows: 'seeds and problems' }
}

/** The mean of independent values with Student's interval; one value alone has none. */
export function studentInterval(values: readonly number[], allows: 'seeds' | 'problems'): Estimate {
  const value = mean(values)
  if (values.length < 2) return { value, low: null, high: null, allows: 'nothing' }
  const error = Math.sqrt(sumOfSquares(values) / (values.length - 1) / values.length)
  const half = student95(values.length - 1) * error
  return { value, low: value - half, high: value + half, allows }
}

/** A share of `all` with Wilson's interval. */
export const shareOf = (part: number, all: number): Measured => ({ value: part / all, ...wilson(part, all) })

/** The mean of values in 0..1, one a problem, with Student's interval kept within 0..1; of one alone nothing is known. */
export function meanShare(values: readonly number[]): Measured {
  const { low, high } = studentInterval(values, 'problems')
  return { value: mean(values), low: Math.max(0, low ?? 0), high: Math.min(1, high ?? 1) }
}

/**
 * Percentile bootstrap of a statistic over problems, for what has no formula (a ratio, a median). `rounds` resamples
 * of the indices 0..n-1 are drawn from the stream (seed, 'bootstrap', round): same arguments, same interval.
 */
export function bootstrapInterval(
  problems: number,
  statistic: (indices: readonly number[]) => number,
  { seed = 0, rounds = 2000 }: { seed?: number; rounds?: number } = {},
): Estimate {
  const all = Array.from({ length: problems }, (_, i) => i)
  const drawn = Array.from({ length: rounds }, (_, round) => {
    const random = stream({ seed, purpose: 'bootstrap', sample: round })
    return statistic(all.map((i) => random.below(problems, i)))
  })
  // A resample can lack what the statistic divides by; such rounds say nothing and are left out.
  const finite = drawn.filter(Number.isFinite).sort((a, b) => a - b)
  const value = statistic(all)
  if (problems < 2 || finite.length < rounds / 2) return { value, low: null, high: null, allows: 'nothing' }
  const at = (share: number) => finite[Math.min(finite.length - 1, Math.floor(share * finite.length))]!
  return { value, low: at(0.025), high: at(0.975), allows: 'problems' }
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
export const mean = (values: readonly number[]) => sum(values) / values.length
const sumOfSquares = (values: readonly number[]) => {
  const centre = mean(values)
  return sum(values.map((x) => (x - centre) ** 2))
}
