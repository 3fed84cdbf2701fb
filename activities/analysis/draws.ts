/**
 * What several samples a problem say of an arm, over its seeds: avg@k, the chance of one sample; pass@k, of one among
 * all k; maj@k, of the answer that most of them give. A reward that only sharpens what a model does already moves avg@k
 * towards maj@k and leaves pass@k where it was (Yue et al., arXiv 2504.13837).
 */
import type { Evaluation } from '../contracts.ts'
import { passAt } from './accuracy.ts'
import { crossedInterval, type Estimate } from './intervals.ts'

export interface Draws {
  readonly average: Estimate
  readonly pass: Estimate
  /** Null where an evaluation does not say. */
  readonly majority: Estimate | null
}

type Outcome = Evaluation['outcomes'][number]

/** Of one evaluation a seed, [S], of the same problems and samples; null where they differ or are too few to draw from. */
export function drawsOverSeeds(evaluations: readonly Evaluation[]): Draws | null {
  const [first] = evaluations
  const samples = first?.result.samples ?? 0
  const problems = first?.outcomes.map(({ problem }) => problem) ?? []
  const bySeed = evaluations.map(({ outcomes }) => new Map(outcomes.map((one) => [one.problem, one])))
  const alike =
    evaluations.every(({ result }) => result.samples === samples) &&
    bySeed.every((own) => own.size === problems.length && problems.every((problem) => own.has(problem)))
  if (samples < 2 || problems.length === 0 || !alike) return null
  const over = (of: (outcome: Outcome) => number) =>
    crossedInterval(bySeed.map((own) => problems.map((problem) => of(own.get(problem)!))))
  const said = bySeed.every((own) => [...own.values()].every(({ majority }) => majority !== undefined))
  return {
    average: over(({ correct }) => correct),
    pass: over(({ correct }) => passAt(samples, Math.round(correct * samples), samples)),
    majority: said ? over(({ majority = 0 }) => majority) : null,
  }
}
