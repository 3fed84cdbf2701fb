/** Two rewards on the same rollouts: their means, and how often they agree. */
import { mean } from '../analysis/intervals.ts'
import { joined } from '../checkpoint/join.ts'
import type { Scored } from '../contracts.ts'

export interface Comparison {
  readonly rollouts: number
  /** Mean reward; null where nothing was scored. */
  readonly mean: number | null
  /** Of the reward it is compared with, over the same rollouts. */
  readonly trainedMean: number | null
  /** Share of rollouts to which both give the same. */
  readonly agreement: number | null
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
  return {
    rollouts: scored.length,
    mean: meanOf(pairs.map(({ value }) => value)),
    trainedMean: meanOf(pairs.map(({ other }) => other)),
    agreement: meanOf(pairs.map(({ value, other }) => (value === other ? 1 : 0))),
    components: Object.fromEntries(
      names.map((name) => [name, meanOf(scored.map(({ components }) => components[name] ?? 0)) ?? 0]),
    ),
  }
}

const meanOf = (values: readonly number[]) => (values.length === 0 ? null : mean(values))
