/**
 * What a person should know of problems before a run learns from them, and that no rule forbids: a statement that comes
 * again, and an answer that the grader can compare as text only, which a right completion seldom repeats.
 */
import { setImmediate } from 'node:timers/promises'
import type { DataFindings } from '../contracts.ts'
import type { Control } from '../engine/port.ts'
import { isReadable } from '../grading/readable.ts'
import type { Checked } from './check.ts'
import type { Problem } from './problem.ts'
import { normalised } from './statement.ts'

/** Problems that a finding names; all are counted. */
const named = 5
/** Problems between two looks at the signal. */
const atOnce = 1000

/** `places`: where each problem stands, by its id. */
export function findingsOf(problems: readonly Problem[], places: ReadonlyMap<string, string>): DataFindings {
  const findings = new Findings(places)
  for (const problem of problems) findings.see(problem)
  return findings.all()
}

/** The same for what was loaded, with pauses in which others go on. Throws the signal's reason. */
export async function findingsIn(
  { problems, places, dropped }: Checked,
  control: Control,
): Promise<DataFindings> {
  const findings = new Findings(places)
  for (const [i, problem] of problems.entries()) {
    if (i % atOnce === 0) {
      await setImmediate()
      control.signal.throwIfAborted()
      control.progress({ phase: 'load', done: i, total: problems.length })
    }
    findings.see(problem)
  }
  return { ...findings.all(), ...(dropped && { dropped }) }
}

class Findings {
  readonly #places: ReadonlyMap<string, string>
  readonly #first = new Map<string, Problem>()
  /** By the text as it is written: where many are the same, each is looked at once. */
  readonly #normalised = new Map<string, string>()
  readonly #readable = new Map<string, boolean>()
  readonly #duplicates = { count: 0, first: [] as string[] }
  readonly #unreadable = { count: 0, first: [] as string[] }

  constructor(places: ReadonlyMap<string, string>) {
    this.#places = places
  }

  see(problem: Problem): void {
    const statement = known(this.#normalised, problem.problem, normalised)
    const earlier = this.#first.get(statement)
    if (earlier === undefined) this.#first.set(statement, problem)
    else {
      const other = earlier.answer === problem.answer ? '' : ', with another answer'
      note(this.#duplicates, () => `${this.#placeOf(problem)}: as ${this.#placeOf(earlier)}${other}`)
    }
    if (!known(this.#readable, problem.answer, isReadable))
      note(
        this.#unreadable,
        () => `${this.#placeOf(problem)}: ${JSON.stringify(problem.answer.slice(0, 80))}`,
      )
  }

  all(): DataFindings {
    return { duplicates: this.#duplicates, unreadable: this.#unreadable }
  }

  #placeOf({ id }: Problem): string {
    return this.#places.get(id) ?? `problem ${id}`
  }
}

function note(found: { count: number; first: string[] }, what: () => string): void {
  found.count += 1
  if (found.first.length < named) found.first.push(what())
}

function known<T>(cache: Map<string, T>, text: string, make: (text: string) => T): T {
  const value = cache.get(text) ?? make(text)
  cache.set(text, value)
  return value
}
