/**
 * Two rewards on the same rollouts: their means, and how far they say the same. Rewards of 0 and 1 agree on a share of the
 * rollouts. Where either has other values, equal ones are chance, and the answer is Pearson's correlation: like an
 * advantage, which is centred and scaled, it does not change with either reward's shift or scale.
 */
import { mean } from '../analysis/intervals.ts'
import { joined } from '../checkpoint/join.ts'
import type { Scored } from '../contracts.ts'
import { correlationOf, fromMean, type Deviations } from '../contracts/correlation.ts'

export interface Comparison {
  readonly rollouts: number
  /** Mean reward; null where nothing was scored. */
  readonly mean: number | null
  /** Of the reward it is compared with, over the same rollouts. */
  readonly trainedMean: number | null
  /** Share of rollouts to which both give the same; null where either gives more than 0 and 1. */
  readonly agreement: number | null
  /** Only where either gives more than 0 and 1; null where one of them gives the same to all. */
  readonly correlation?: number | null
  /** What the correlation over several steps is taken from; beside `correlation`. */
  readonly deviations?: Deviations
  /** Mean of every component's raw value, by its name. */
  readonly components: Readonly<Record<string, number>>
}

/** Over the rollouts that were scored. Throws CorruptObject where the others have not exactly one reward of each. */
export function compareScores(scored: readonly Scored[], trained: readonly Scored[]): Comparison {
  const place = 'rewards that are compared'
  const pairs = joined(scored, trained, { place, rows: ['new reward', 'reward'], some: true }).map(
    ([{ value }, { value: other }]) => ({ value, other }),
  )
  const names = [...new Set(scored.flatMap(({ components }) => Object.keys(components)))]
  const isBinary = pairs.every(({ value, other }) => isBit(value) && isBit(other))
  const agreement = isBinary ? meanOf(pairs.map(({ value, other }) => (value === other ? 1 : 0))) : null
  return {
    rollouts: scored.length,
    mean: meanOf(pairs.map(({ value }) => value)),
    trainedMean: meanOf(pairs.map(({ other }) => other)),
    agreement,
    ...(!isBinary && correlated(pairs)),
    components: Object.fromEntries(
      names.map((name) => [name, meanOf(scored.map(({ components }) => components[name] ?? 0)) ?? 0]),
    ),
  }
}

const isBit = (value: number) => value === 0 || value === 1

/** Of equal values their own, however the mean of so many is rounded. */
function meanOf(values: readonly number[]): number | null {
  const [first] = values
  if (first === undefined) return null
  return values.every((value) => value === first) ? first : mean(values)
}

function correlated(pairs: readonly { readonly value: number; readonly other: number }[]) {
  const own = fromMean(pairs.map(({ value }) => value))
  const trained = fromMean(pairs.map(({ other }) => other))
  const sum = (of: (i: number) => number) => pairs.reduce((total, _, i) => total + of(i), 0)
  const deviations: Deviations = {
    own: sum((i) => own[i]! ** 2),
    trained: sum((i) => trained[i]! ** 2),
    both: sum((i) => own[i]! * trained[i]!),
  }
  return { correlation: correlationOf(deviations), deviations }
}
