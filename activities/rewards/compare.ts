/** Two rewards on the same rollouts: their means, and how often they agree. */
import { mean } from '../analysis/intervals.ts'
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

/** Rollouts are matched by problem, occurrence and sample. Throws where one that was scored is not among the others. */
export function compareScores(scored: readonly Scored[], trained: readonly Scored[]): Comparison {
  const others = new Map(trained.map((row) => [placeOf(row), row.value]))
  const pairs = scored.map((row) => {
    const other = others.get(placeOf(row))
    if (other === undefined) throw new RangeError(`compareScores: no reward of ${placeOf(row)}`)
    return { value: row.value, other }
  })
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

const placeOf = ({ problem, occurrence, sample }: Scored) => JSON.stringify([problem, occurrence, sample])

const meanOf = (values: readonly number[]) => (values.length === 0 ? null : mean(values))
