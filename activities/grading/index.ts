/**
 * The grader: a completion against a gold answer. Total: any text gets a verdict and a reason, nothing is run, nothing
 * throws, and the work is bounded (long, deep or huge answers are compared as text or by structure).
 *
 * The version belongs to every result: moving to another grader moves scores. Policies are flags (policy.ts).
 */
import { guarded } from './budget.ts'
import { compare } from './equivalent.ts'
import { defaultPolicy, type Policy } from './policy.ts'
import { answerOfGold, answersOf, type Found, type Route } from './routes.ts'
import type { Comparison } from './value.ts'

export { equivalent } from './equivalent.ts'
export { boxOnly, defaultPolicy, type Policy } from './policy.ts'

export const GRADER_VERSION = 'placebo-4'

export interface Grade {
  readonly verdict: 'correct' | 'incorrect' | 'unparsed'
  /** For people: what was compared how, or why there was nothing to compare. */
  readonly reason: string
  /** Where the answer was found (routes.ts). */
  readonly route: Route
  /** The answer found, null where there is none. */
  readonly given: string | null
  readonly gold: string
  /** GRADER_VERSION. */
  readonly version: string
}

/**
 * The verdict on a completion. `policy` overrides single flags of the default; `unparsed` says that no answer was found
 * where the policy allows one, so that a report can tell it from a wrong answer.
 */
export function grade({
  gold,
  completion,
  policy,
}: {
  readonly gold: string
  readonly completion: string
  readonly policy?: Partial<Policy>
}): Grade {
  const flags = policy === undefined ? defaultPolicy : { ...defaultPolicy, ...policy }
  const version = GRADER_VERSION
  const found = guarded<readonly Found[]>(
    () => answersOf(completion, gold, flags),
    () => [],
  )
  const [first] = found
  if (first === undefined) {
    const reason = flags.extract === 'box' ? 'no box' : 'no answer found'
    return { verdict: 'unparsed', reason, route: 'none', given: null, gold, version }
  }
  if (first.text.trim() === '')
    return {
      verdict: 'unparsed',
      reason: `empty (${first.route})`,
      route: first.route,
      given: first.text,
      gold,
      version,
    }
  let by: Comparison['route'] = 'text'
  for (const { route, text } of found) {
    const comparison = compareWithGold(gold, text, flags)
    if (comparison.equal) {
      const reason = `equals the gold answer (${comparison.route})`
      return { verdict: 'correct', reason, route, given: text, gold, version }
    }
    by = comparison.route
  }
  const reason = `differs from the gold answer (${by})`
  return { verdict: 'incorrect', reason, route: first.route, given: first.text, gold, version }
}

/** The answer that a completion gives, not knowing the gold answer: its last box, or with `any` what routes.ts finds. */
export function answerOf(completion: string, extract: Policy['extract']): string | null {
  return answersOf(completion, '', { ...defaultPolicy, extract })[0]?.text ?? null
}

/** A gold text is mostly the answer; where it is not equal as it stands, the answer within it may be. */
function compareWithGold(gold: string, given: string, policy: Policy): Comparison {
  const direct = compare(gold, given, policy)
  if (direct.equal || !/\\boxed|[a-z]{4} |\p{L} ?[:：是为]/u.test(gold)) return direct
  const within = guarded(
    () => answerOfGold(gold),
    () => gold,
  )
  return within === gold ? direct : compare(within, given, policy)
}
