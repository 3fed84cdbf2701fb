/** What a reward signal is: one value for one completion, and why. Total: model output is never exceptional. */
import type { Problem } from '../benchmarks/problem.ts'
import type { Verdict } from '../contracts.ts'

/** Which completion of a run this is; all that a random signal may depend on. */
export interface At {
  readonly seed: number
  readonly step: number
  readonly problem: string
  readonly occurrence: number
  readonly sample: number
}

export interface Given {
  readonly problem: Problem
  readonly completion: string
  readonly at: At
}

export interface Judgement {
  readonly value: number
  /** About the answer; `none` where the signal does not look at it. */
  readonly verdict: Verdict
  readonly reason: string
}

export type Signal = (given: Given) => Judgement

export const yes = (reason: string): Judgement => ({ value: 1, verdict: 'none', reason })
export const no = (reason: string): Judgement => ({ value: 0, verdict: 'none', reason })
