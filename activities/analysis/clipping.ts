/**
 * Where the clip acts: counts of cut tokens, low and high, by decile of the probability the sampler gave the token.
 *
 * Source: Spurious Rewards (arXiv 2506.10947), section 5: a token with π_old > 1 / (1 + ε) can never reach the upper
 * bound, so clipping favours what the model already does. Counts, not fractions, so that updates and steps add up.
 * A step's metrics carry them under `clip_count/<low|high|tokens>/<decile>`; decile 0 holds π_old in [0, 0.1).
 */
import type { Metrics } from '../contracts.ts'
import type { MinibatchSums } from '../engine/port.ts'

export interface ClipDecile {
  readonly decile: number // 0..9
  readonly tokens: number
  readonly low: number
  readonly high: number
}

const columns = ['tokens', 'low', 'high'] as const
const key = (column: (typeof columns)[number], decile: number) => `clip_count/${column}/${decile}`

/** The counts of one step's updates as metrics. */
export function clipCounts(
  sums: readonly Pick<MinibatchSums, 'tokensByDecile' | 'clipLowByDecile' | 'clipHighByDecile'>[],
): Metrics {
  const source = { tokens: 'tokensByDecile', low: 'clipLowByDecile', high: 'clipHighByDecile' } as const
  return Object.fromEntries(
    columns.flatMap((column) =>
      deciles.map((decile) => [
        key(column, decile),
        sums.reduce((total, sum) => total + (sum[source[column]][decile] ?? 0), 0),
      ]),
    ),
  )
}

/** The counts of many steps added up; null when no step recorded any. */
export function clipByDecile(steps: readonly Metrics[]): ClipDecile[] | null {
  if (!steps.some((metrics) => key('tokens', 0) in metrics)) return null
  const total = (column: (typeof columns)[number], decile: number) =>
    steps.reduce((sum, metrics) => sum + (metrics[key(column, decile)] ?? 0), 0)
  return deciles.map((decile) => ({
    decile,
    tokens: total('tokens', decile),
    low: total('low', decile),
    high: total('high', decile),
  }))
}

const deciles = Array.from({ length: 10 }, (_, decile) => decile)
