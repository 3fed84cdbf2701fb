/**
 * Rewards: every signal by its name, and what `all` and `not` make of them.
 *
 * To add one: a file beside this, a row in `signals` (or a case with a parameter in `score`), a table of tests.
 * `majority` and `incorrect` reward agreement with a label that has to be made first (the `label` workflow); a problem
 * set with such labels carries them in `label`, and without them these rewards are refused, not 0.
 */
import type { Problem } from '../benchmarks/problem.ts'
import type { Label, Labels, Reward, Rollout, Scored } from '../contracts.ts'
import { format } from './format.ts'
import { groundTruth } from './ground-truth.ts'
import { label, requireLabels, withLabels, type LabelReward } from './label.ts'
import { noRepetition } from './no-repetition.ts'
import { python } from './python.ts'
import { random } from './random.ts'
import type { At, Given, Judgement, Signal } from './signal.ts'

export { compareScores, type Comparison } from './compare.ts'
export { InvalidReward } from './label.ts'
export { samplesOf } from './samples.ts'
export type { At, Judgement } from './signal.ts'

export const signals: Readonly<Record<Extract<Reward, string>, Signal>> = {
  'ground-truth': groundTruth,
  majority: label('majority'),
  incorrect: label('incorrect'),
  format,
  python,
  'no-repetition': noRepetition,
}

export interface Score extends Judgement {
  /** Raw value of every signal that took part, by its name in the spec. */
  readonly components: Readonly<Record<string, number>>
}

export function score(
  reward: Reward,
  rollout: { readonly problem: Problem; readonly completion: string },
  at: At,
): Score {
  const components: Record<string, number> = {}
  return { ...judge(reward, { ...rollout, at }, components), components }
}

/** The row that a rollout's reward is stored as. */
export function scoredOf(
  reward: Reward,
  problem: Problem,
  { occurrence, sample, completion }: Pick<Rollout, 'occurrence' | 'sample' | 'completion'>,
  { seed, step }: Pick<At, 'seed' | 'step'>,
): Scored {
  const place = { problem: problem.id, occurrence, sample }
  return { ...place, ...score(reward, { problem, completion }, { seed, step, ...place }) }
}

/** A reward's name as the spec writes it: the key of its component. */
export function nameOf(reward: Reward): string {
  if (typeof reward === 'string') return reward
  if ('random' in reward) return `random(${reward.random})`
  if ('not' in reward) return `not(${nameOf(reward.not)})`
  return `all(${reward.all.map(nameOf).join(',')})`
}

/** Those that read answers or boxes, as the grader does: under another of its versions they may give another value. */
const graded: ReadonlySet<Reward> = new Set<Reward>(['ground-truth', 'majority', 'incorrect', 'format'])

export function isGraded(reward: Reward): boolean {
  if (typeof reward === 'string' || 'random' in reward) return graded.has(reward)
  return 'not' in reward ? isGraded(reward.not) : reward.all.some(isGraded)
}

/** Which of the rewards that compare with labels take part. */
export function labelRewards(reward: Reward): LabelReward[] {
  if (reward === 'majority' || reward === 'incorrect') return [reward]
  if (typeof reward === 'string' || 'random' in reward) return []
  return 'not' in reward ? labelRewards(reward.not) : reward.all.flatMap(labelRewards)
}

/** Throws InvalidReward where problems lack what the reward needs, before anything is sampled for it. */
export function requireRewardable(reward: Reward, problems: readonly Problem[]): void {
  for (const part of labelRewards(reward)) requireLabels(part, problems)
}

/** The problems that a reward by label learns from, with labels; `incorrect` in any part keeps wrong ones only. */
export function relabel(
  problems: readonly Problem[],
  labels: readonly Label[],
  reward: Reward,
  unlabelled: Labels['unlabelled'],
): Problem[] {
  return withLabels(problems, labels, { onlyWrong: labelRewards(reward).includes('incorrect'), unlabelled })
}

/** All parts are computed, also after a 0, so that every component is always recorded. */
function judge(reward: Reward, given: Given, components: Record<string, number>): Judgement {
  const judgement = ((): Judgement => {
    if (typeof reward === 'string') return signals[reward](given)
    if ('random' in reward) return random(reward.random)(given)
    if ('not' in reward) {
      const inner = judge(reward.not, given, components)
      return { value: 1 - inner.value, verdict: inner.verdict, reason: `not: ${inner.reason}` }
    }
    const parts = reward.all.map((part) => judge(part, given, components))
    return {
      value: Math.min(...parts.map(({ value }) => value)),
      verdict: parts.find(({ verdict }) => verdict !== 'none')?.verdict ?? 'none',
      reason: (parts.filter(({ value }) => value === 0)[0] ?? parts[0])?.reason ?? '',
    }
  })()
  components[nameOf(reward)] = judgement.value
  return judgement
}
