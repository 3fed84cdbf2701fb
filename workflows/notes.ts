/** What a person should know of a run's problems, a line each. The tools that look at a spec say it in the same words. */
import type { DataFindings, Overlap } from '../activities/contracts.ts'

/** Nothing where there is nothing to say. */
export function dataNotes(
  findings: DataFindings | undefined,
  overlaps: readonly (Overlap & { readonly missing?: string })[] = [],
): string[] {
  const named = (what: string, { count, first }: DataFindings['duplicates']) =>
    count === 0 ? [] : [`${count} ${what} (${first.join('; ')}${count > first.length ? '; …' : ''})`]
  const none = { count: 0, first: [] }
  const { placeholders = none, never = none, after } = findings ?? {}
  const found = [
    ...named('rows were skipped', findings?.skipped ?? none),
    ...named('copies were dropped', findings?.dropped ?? none),
    ...named('statements come again', findings?.duplicates ?? none),
    ...named('answers say that there is none', placeholders),
    ...named('answers are compared as text only', findings?.unreadable ?? none),
    // Placeholders are among them, and were named.
    ...(never.count > placeholders.count
      ? named('answers are such that no completion can be right', never)
      : []),
    ...(after === undefined
      ? []
      : [`all ${after.count} answers are what stands behind their last "${after.mark}"`]),
  ]
  const shared = overlaps
    .filter(({ same, words }) => same.benchmark + words.benchmark > 0)
    .map(
      ({ benchmark, problems, same, words }) =>
        `${benchmark}: of ${problems} problems ${same.benchmark} are among the training data, ${words.benchmark} share 13 words with them`,
    )
  return [
    ...(found.length > 0 ? [`Data: ${found.join(', ')}`] : []),
    ...(shared.length > 0 ? [`Data and benchmarks: ${shared.join('; ')}`] : []),
    ...overlaps.flatMap(({ benchmark, missing }) =>
      missing === undefined
        ? []
        : [`Benchmark ${benchmark}: it cannot be had, and its evaluations cannot go on: ${missing}`],
    ),
  ]
}
