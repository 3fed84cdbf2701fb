/**
 * The grader: a completion against a gold answer. Total: any text gets a verdict and a reason, nothing is run, nothing
 * throws, and the time is bounded (long, deep or huge answers are compared as text or by structure).
 *
 * An answer is the last balanced box and nothing else; a box that cannot be read is compared as text, never searched for
 * numbers. Its version belongs to every result: moving to another grader moves scores.
 */
import { compare, type Comparison } from './equivalent.ts'
import { lastBox } from './extract.ts'

export { equivalent } from './equivalent.ts'

export const GRADER_VERSION = 'placebo-1'

export interface Policy {
  /** Where the answer is: in the last box, or the whole completion is one (answer strings of other tools). */
  readonly extract: 'box' | 'whole'
}

export interface Grade {
  readonly verdict: 'correct' | 'incorrect' | 'unparsed'
  readonly reason: string
  readonly route: 'none' | Comparison['route']
  /** The answer found, null where there is none. */
  readonly given: string | null
  readonly gold: string
}

const boxed: Policy = { extract: 'box' }

export function grade({
  gold,
  completion,
  policy = boxed,
}: {
  readonly gold: string
  readonly completion: string
  readonly policy?: Policy
}): Grade {
  const given = policy.extract === 'whole' ? completion : lastBox(completion)
  if (given === null) return { verdict: 'unparsed', reason: 'no box', route: 'none', given, gold }
  if (given.trim() === '') return { verdict: 'unparsed', reason: 'an empty box', route: 'none', given, gold }
  const { equal, route } = compare(gold, given)
  const reason = `${equal ? 'equals' : 'differs from'} the gold answer (${route})`
  return { verdict: equal ? 'correct' : 'incorrect', reason, route, given, gold }
}
