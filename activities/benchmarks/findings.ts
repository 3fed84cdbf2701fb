/**
 * What a person should know of problems before a run learns from them, and that no rule forbids: a statement that comes
 * again; an answer that the grader can compare as text only, which a right completion seldom repeats; an answer that says
 * that there is none, or that nothing is right by. Of several answers the best one counts.
 */
import { setImmediate } from 'node:timers/promises'
import type { DataFindings } from '../contracts.ts'
import type { Control } from '../engine/port.ts'
import { isEarnable, isPlaceholder } from '../grading/earnable.ts'
import { isReadable } from '../grading/readable.ts'
import type { Checked } from './check.ts'
import { answersOf, goldsOf, messagesOf, type Problem } from './problem.ts'
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
  { problems, places, dropped, skipped, mark }: Checked,
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
  return {
    ...findings.all(),
    ...(dropped && { dropped }),
    ...(skipped && { skipped }),
    ...(mark !== undefined && { after: { mark, count: problems.length } }),
  }
}

class Findings {
  readonly #places: ReadonlyMap<string, string>
  readonly #first = new Map<string, Problem>()
  /** By the text as it is written: where many are the same, each is looked at once. */
  readonly #normalised = new Map<string, string>()
  readonly #readable = new Map<string, boolean>()
  readonly #placeholder = new Map<string, boolean>()
  readonly #earnable = new Map<string, boolean>()
  readonly #duplicates: Found = { count: 0, first: [] }
  readonly #unreadable: Found = { count: 0, first: [] }
  readonly #placeholders: Found = { count: 0, first: [] }
  readonly #never: Found = { count: 0, first: [] }

  constructor(places: ReadonlyMap<string, string>) {
    this.#places = places
  }

  see(problem: Problem): void {
    const messages = messagesOf(problem)
    const text = messages === null ? problem.problem : messages.map(({ content }) => content).join('\n')
    const statement = known(this.#normalised, text, normalised)
    const earlier = this.#first.get(statement)
    if (earlier === undefined) this.#first.set(statement, problem)
    else {
      const isSame = answersOf(earlier) === answersOf(problem)
      const other = isSame ? '' : ', with another answer'
      note(this.#duplicates, () => `${this.#placeOf(problem)}: as ${this.#placeOf(earlier)}${other}`)
    }
    this.#look(problem)
  }

  #look(problem: Problem): void {
    const golds = goldsOf(problem)
    const shown = () => `${this.#placeOf(problem)}: ${JSON.stringify(golds[0]!.slice(0, 80))}`
    if (golds.every((gold) => known(this.#placeholder, gold, isPlaceholder))) {
      note(this.#placeholders, shown)
      note(this.#never, shown)
      return
    }
    if (!golds.some((gold) => known(this.#readable, gold, isReadable))) note(this.#unreadable, shown)
    if (!golds.some((gold) => known(this.#earnable, gold, isEarnable))) note(this.#never, shown)
  }

  all(): DataFindings {
    const [placeholders, never] = [this.#placeholders, this.#never]
    return {
      duplicates: this.#duplicates,
      unreadable: this.#unreadable,
      ...(placeholders.count > 0 && { placeholders }),
      ...(never.count > 0 && { never }),
    }
  }

  #placeOf({ id }: Problem): string {
    return this.#places.get(id) ?? `problem ${id}`
  }
}

interface Found {
  count: number
  readonly first: string[]
}

function note(found: Found, what: () => string): void {
  found.count += 1
  if (found.first.length < named) found.first.push(what())
}

function known<T>(cache: Map<string, T>, text: string, make: (text: string) => T): T {
  const value = cache.get(text) ?? make(text)
  cache.set(text, value)
  return value
}
