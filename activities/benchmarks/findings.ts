/**
 * What a person should know of problems before a run learns from them, and that no rule forbids: a statement that comes
 * again, and an answer that the grader can compare as text only, which a right completion seldom repeats.
 */
import type { DataFindings } from '../contracts.ts'
import { isReadable } from '../grading/readable.ts'
import type { Problem } from './problem.ts'
import { normalised } from './statement.ts'

/** Problems that a finding names; all are counted. */
const named = 5

/** `places`: where each problem stands, by its id. */
export function findingsOf(problems: readonly Problem[], places: ReadonlyMap<string, string>): DataFindings {
  const placeOf = ({ id }: Problem) => places.get(id) ?? `problem ${id}`
  const first = new Map<string, Problem>()
  const duplicates: string[] = []
  const unreadable: string[] = []
  for (const problem of problems) {
    const statement = normalised(problem.problem)
    const earlier = first.get(statement)
    if (earlier === undefined) first.set(statement, problem)
    else {
      const other = earlier.answer === problem.answer ? '' : ', with another answer'
      duplicates.push(`${placeOf(problem)}: as ${placeOf(earlier)}${other}`)
    }
    if (!isReadable(problem.answer))
      unreadable.push(`${placeOf(problem)}: ${JSON.stringify(problem.answer.slice(0, 80))}`)
  }
  return { duplicates: summed(duplicates), unreadable: summed(unreadable) }
}

const summed = (found: readonly string[]) => ({ count: found.length, first: found.slice(0, named) })
