/**
 * Pearson's correlation of two rewards, over one step or several: from sums of squared deviations and of their products,
 * which add up over parts whose means are known (Chan, Golub and LeVeque 1983). It imports nothing, so workflows may.
 */

/** Sums over rollouts: of squares of both rewards' deviations from their means, and of the products of the two. */
export interface Deviations {
  readonly own: number
  readonly trained: number
  readonly both: number
}

/** Null where one side has no deviation: then nothing can be said. */
export function correlationOf({ own, trained, both }: Deviations): number | null {
  const scale = Math.sqrt(own) * Math.sqrt(trained)
  return scale === 0 ? null : Math.min(1, Math.max(-1, both / scale))
}

/** What is known of one step's rewards. Those of 0 and 1 have no deviations of their own: their means say them. */
export interface Part {
  readonly rollouts: number
  readonly mean: number | null
  readonly trainedMean: number | null
  readonly agreement: number | null
  readonly deviations?: Deviations
}

/** Over the rollouts of all parts. */
export function correlationOver(parts: readonly Part[]): number | null {
  const scored = parts.filter(({ rollouts }) => rollouts > 0)
  const own = scored.map(({ mean }) => mean ?? 0)
  const trained = scored.map(({ trainedMean }) => trainedMean ?? 0)
  const weights = scored.map(({ rollouts }) => rollouts)
  const [apart, trainedApart] = [fromMean(own, weights), fromMean(trained, weights)]
  const total = { own: 0, trained: 0, both: 0 }
  for (const [i, part] of scored.entries()) {
    const within = part.deviations ?? ofBits(part)
    total.own += within.own + weights[i]! * apart[i]! ** 2
    total.trained += within.trained + weights[i]! * trainedApart[i]! ** 2
    total.both += within.both + weights[i]! * apart[i]! * trainedApart[i]!
  }
  return correlationOf(total)
}

/** Exactly 0 where all are the same, however their mean is rounded. */
export function fromMean(
  values: readonly number[],
  weights: readonly number[] = values.map(() => 1),
): number[] {
  if (values.every((value) => value === values[0])) return values.map(() => 0)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const centre = values.reduce((total, value, i) => total + value * weights[i]!, 0) / sum
  return values.map((value) => value - centre)
}

/** Of n pairs of 0 and 1 with means p and q that agree in a share a: both are 1 in a share (a - 1 + p + q) / 2. */
function ofBits({ rollouts: n, mean, trainedMean, agreement }: Part): Deviations {
  const [p, q, a] = [mean ?? 0, trainedMean ?? 0, agreement ?? 0]
  return { own: n * p * (1 - p), trained: n * q * (1 - q), both: n * ((a - 1 + p + q) / 2 - p * q) }
}
