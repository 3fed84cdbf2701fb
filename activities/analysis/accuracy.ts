/**
 * One evaluation, summed up: accuracy with its interval, what kind of answers made it, and each problem's outcome.
 *
 * Accuracy is the mean over problems of the share of their samples that are correct (avg@k), as the paper's tables
 * have it. An answer that could not be parsed is not correct and is also counted on its own. Accuracies
 * within code and within language are over completions, null where there are none. From the same k samples: maj@k, the
 * answer that most of them give (vote.ts), and pass@j, whether one of j samples drawn from them is correct, by the
 * unbiased estimator of Chen et al. (arXiv 2107.03374, equation 1).
 */
import type { Accuracy, Evaluation, Measured, Verdict } from '../contracts.ts'
import { accuracyInterval, mean } from './intervals.ts'
import { vote } from './vote.ts'

/** Of what a stored result sums up: raised when its fields or their meaning change. */
export const SUMMARY_VERSION = 3

/** One graded completion. */
export interface Judged {
  readonly problem: string
  readonly verdict: Verdict
  /** What it votes with, null for nothing. */
  readonly answer: string | null
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
    majority: majority(own),
  }))
  const interval = accuracyInterval(
    outcomes.map(({ correct }) => correct),
    samples,
  )
  const measure = (of: (own: readonly Judged[]) => number) =>
    measured([...problems.values()].map(of), samples)
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
    passAt: Object.fromEntries(
      drawsOf(samples).map((k) => [k, measure((own) => passAt(own.length, own.filter(isCorrect).length, k))]),
    ),
    majAt: {
      [samples]: measured(
        outcomes.map(({ majority }) => majority),
        samples,
      ),
    },
  }
  return { result, outcomes }
}

/** 1 - C(n - c, k) / C(n, k): the chance that k of n samples, c of them correct, hold a correct one. */
export function passAt(n: number, c: number, k: number): number {
  if (!(k >= 1 && k <= n && c >= 0 && c <= n))
    throw new RangeError(`passAt: expected 1 <= k <= n and 0 <= c <= n, found n ${n}, c ${c}, k ${k}`)
  if (n - c < k) return 1
  let none = 1 // as a product, since the binomials overflow
  for (let i = n - c + 1; i <= n; i++) none *= 1 - k / i
  return 1 - none
}

/** 1, 2, 4, … below n, and n. */
function drawsOf(n: number): number[] {
  const powers = Array.from({ length: Math.ceil(Math.log2(n)) }, (_, i) => 2 ** i)
  return [...powers, n]
}

/** 1 where the answer that most samples give is correct; a problem without answers has none. */
function majority(own: readonly Judged[]): number {
  const voted = vote(
    own.map(({ answer }) => answer),
    'equivalent',
  )
  const spelled = own.find(({ answer }) => voted !== null && answer === voted.label)
  return spelled !== undefined && isCorrect(spelled) ? 1 : 0
}

function measured(values: readonly number[], samples: number): Measured {
  const { value, low, high } = accuracyInterval(values, samples)
  return { value, low: low ?? 0, high: high ?? 1 }
}

const isCorrect = ({ verdict }: Judged) => verdict === 'correct'
const isCode = ({ code }: Judged) => code
const share = (judged: readonly Judged[], which: (one: Judged) => boolean) =>
  judged.filter(which).length / judged.length
