/**
 * Code reasoning and strategy switching: which change of strategy a gain came from.
 *
 * Source: Spurious Rewards (arXiv 2506.10947), section 4 and its partial contribution
 * C_d = Σ_{x∈d} (correct_t(x) - correct_0(x)) / Σ_{x∈D} (correct_t(x) - correct_0(x)). The paper's Table 2 is the
 * unweighted mean over rewards of these ratios. With several samples a problem, `correct` is the share of them and the
 * problem's strategy is that of most samples (the paper samples once).
 */
import type { Evaluation } from '../contracts.ts'
import { mean } from './intervals.ts'

export type Strategy = 'code' | 'language'

/** A completion reasons in code when it contains "python" in any case; nothing is run. */
export const strategyOf = (text: string): Strategy => (/python/i.test(text) ? 'code' : 'language')

/** Strategy before and after training. */
export type Switch = 'code→code' | 'code→language' | 'language→code' | 'language→language'
export const switches: readonly Switch[] = [
  'code→code',
  'code→language',
  'language→code',
  'language→language',
]

/** One subset: its problems, and how many were solved before and after (sums of shares). */
export interface Subset {
  readonly problems: number
  readonly before: number
  readonly after: number
}

export interface Switching {
  readonly problems: number
  /** Gain in accuracy over all problems, as a share. */
  readonly gain: number
  readonly subsets: Readonly<Record<Switch, Subset>>
  /** C_d; they add up to 1. Null where the whole gain is zero, which has no parts. */
  readonly contributions: Readonly<Record<Switch, number>> | null
}

type Outcome = Evaluation['outcomes'][number]

/** Splits the problems of two evaluations of the same benchmark by strategy. Throws if their problems differ. */
export function switching(before: readonly Outcome[], after: readonly Outcome[]): Switching {
  const earlier = new Map(before.map((outcome) => [outcome.problem, outcome]))
  if (earlier.size !== after.length || after.some((outcome) => !earlier.has(outcome.problem)))
    throw new RangeError(
      `switching: expected the same problems twice, found ${before.length} before and ${after.length} after`,
    )
  const subsets = bySwitch(() => ({ problems: 0, before: 0, after: 0 }))
  for (const later of after) {
    const first = earlier.get(later.problem)
    if (first === undefined) continue
    const subset = subsets[`${majority(first)}→${majority(later)}`]
    subset.problems += 1
    subset.before += first.correct
    subset.after += later.correct
  }
  return contribute(subsets)
}

/** Gain and partial contributions from the four subsets' counts. */
export function contribute(subsets: Readonly<Record<Switch, Subset>>): Switching {
  const total = (key: keyof Subset) => switches.reduce((sum, name) => sum + subsets[name][key], 0)
  const [problems, gained] = [total('problems'), total('after') - total('before')]
  const share = (name: Switch) => (subsets[name].after - subsets[name].before) / gained
  return {
    problems,
    gain: problems === 0 ? 0 : gained / problems,
    subsets,
    contributions: Math.abs(gained) < 1e-12 ? null : bySwitch(share),
  }
}

/** The paper's average over rewards: the unweighted mean of ratios, so a small gain weighs as much as a large one. */
export function meanContributions(all: readonly Switching[]): Record<Switch, number> | null {
  const ratios = all.flatMap(({ contributions }) => contributions ?? [])
  return ratios.length === 0 ? null : bySwitch((name) => mean(ratios.map((ratio) => ratio[name])))
}

const majority = (outcome: Outcome): Strategy => (outcome.code > 0.5 ? 'code' : 'language')

const bySwitch = <T>(of: (name: Switch) => T): Record<Switch, T> => ({
  'code→code': of('code→code'),
  'code→language': of('code→language'),
  'language→code': of('language→code'),
  'language→language': of('language→language'),
})
