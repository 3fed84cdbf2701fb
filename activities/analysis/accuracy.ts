/**
 * One evaluation, summed up: accuracy with its interval, what kind of answers made it, and each problem's outcome.
 *
 * Accuracy is the mean over problems of the share of their samples that are correct (avg@k), as the paper's tables
 * have it. An answer that could not be parsed is not correct and is also counted on its own. Accuracies
 * within code and within language are over completions, null where there are none.
 */
import type { Accuracy, Evaluation, Verdict } from '../contracts.ts'
import { accuracyInterval, mean } from './intervals.ts'

/** One graded completion. */
export interface Judged {
  readonly problem: string
  readonly verdict: Verdict
  readonly code: boolean
  /** Cut at the token limit. */
  readonly truncated: boolean
  readonly tokens: number
}

/** Throws when there is nothing to sum up or problems have unequal numbers of samples. */
export function accuracyOf(
  judged: readonly Judged[],
  { benchmark, prompt }: { readonly benchmark: string; readonly prompt: string },
): { result: Accuracy; outcomes: Evaluation['outcomes'] } {
  const problems = new Map<string, Judged[]>() // in order of first appearance
  for (const one of judged) {
    const own = problems.get(one.problem)
    if (own === undefined) problems.set(one.problem, [one])
    else own.push(one)
  }
  const samples = [...problems.values()][0]?.length ?? 0
  const uneven = [...problems].find(([, own]) => own.length !== samples)
  if (samples === 0) throw new RangeError(`accuracyOf: expected completions for ${benchmark}, found none`)
  if (uneven !== undefined)
    throw new RangeError(
      `accuracyOf: expected ${samples} samples of every problem of ${benchmark}, found ${uneven[1].length} of ${uneven[0]}`,
    )
  const outcomes = [...problems].map(([problem, own]) => ({
    problem,
    correct: share(own, isCorrect),
    code: share(own, isCode),
  }))
  const interval = accuracyInterval(
    outcomes.map(({ correct }) => correct),
    samples,
  )
  const within = (own: readonly Judged[]) => (own.length === 0 ? null : share(own, isCorrect))
  const result: Accuracy = {
    benchmark,
    prompt,
    problems: problems.size,
    samples,
    accuracy: interval.value,
    low: interval.low ?? 0,
    high: interval.high ?? 1,
    unparsed: share(judged, ({ verdict }) => verdict === 'unparsed'),
    truncated: share(judged, ({ truncated }) => truncated),
    meanTokens: mean(judged.map(({ tokens }) => tokens)),
    code: share(judged, isCode),
    accuracyInCode: within(judged.filter(isCode)),
    accuracyInLanguage: within(judged.filter((one) => !isCode(one))),
  }
  return { result, outcomes }
}

const isCorrect = ({ verdict }: Judged) => verdict === 'correct'
const isCode = ({ code }: Judged) => code
const share = (judged: readonly Judged[], which: (one: Judged) => boolean) =>
  judged.filter(which).length / judged.length
