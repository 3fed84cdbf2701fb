/**
 * Which problems of a set a spec asks for, decided while they are read. A filter that cannot match is an error, never an
 * empty or a full set.
 *
 * Held are the problems that `where` and `only` leave, up to `limit`; where a shuffle comes before it, all of them, with
 * one copy of each text. What is held and what is given back are bounded by their text.
 */
import type { DataSpec } from '../contracts.ts'
import { stream } from '../seed.ts'
import type { At, Checked } from './check.ts'
import { InvalidData, TooMuch } from './faults.ts'
import { answersOf, type Problem } from './problem.ts'

export type Selection = Pick<DataSpec, 'where' | 'only' | 'shuffle' | 'limit' | 'duplicates'>

/** Characters: a set is one text for whoever reads it back, and V8's texts end at 2^29. */
const mostText = 500 * 2 ** 20
const mostProblems = 2 ** 22
/** Copies that a finding names; all are counted. */
const named = 5

/** `name` is the set's in messages, `set` in the shuffle's stream: a file may move and keep its order. */
export function select(
  problems: readonly Problem[],
  selection: Selection,
  name: string,
  set: string = name,
): Problem[] {
  const selector = new Selector(selection, name, set)
  for (const problem of problems) {
    if (selector.hasEnough()) break
    selector.see(problem, byId(problem))
  }
  return selector.end().problems
}

export class Selector {
  readonly drops: boolean
  readonly #selection: Selection
  readonly #name: string
  readonly #set: string
  readonly #where: readonly Filter[]
  /** Those of columns that are as the file has them. */
  readonly #whereFurther: readonly Filter[]
  readonly #only: ReadonlySet<string> | null
  /** Of all problems: their number, the first one's columns, and which columns of `where` any has. */
  #count = 0
  #columns: readonly string[] = []
  readonly #unseen: Set<string>
  /** Columns of which nothing was left out yet that should be. */
  readonly #excluding: Set<string>
  /** Of those that `where` leaves. */
  #matched = 0
  readonly #held: Problem[] = []
  readonly #places = new Map<string, string>()
  /** By statement, what was held first. */
  readonly #statements = new Map<string, { readonly answers: string; readonly where: string }>()
  readonly #dropped = { count: 0, first: [] as string[] }
  readonly #texts = new Map<string, string>()
  #text = 0

  constructor(selection: Selection, name: string, set: string = name) {
    this.#selection = selection
    this.#name = name
    this.#set = set
    this.drops = selection.duplicates === 'drop'
    this.#where = Object.entries(selection.where ?? {}).map(([column, wanted]) => filterOf(column, wanted))
    this.#whereFurther = this.#where.filter(({ column }) => !judged.has(column))
    this.#unseen = new Set(this.#where.map(({ column }) => column))
    this.#excluding = new Set(this.#where.flatMap(({ column, excludes }) => (excludes ? [column] : [])))
    this.#only = selection.only === undefined ? null : new Set(selection.only)
  }

  /** Whether `where` leaves a row out by its further columns: what is wrong with the rest of it is then no matter. */
  leavesOut(further: Readonly<Record<string, Problem[string]>>): boolean {
    const isOut = this.#isExcluded(further, this.#whereFurther)
    if (isOut) this.#count += 1
    return isOut
  }

  /** Whether it is held. */
  see(problem: Problem, at: At): boolean {
    if (this.#columns.length === 0) this.#columns = Object.keys(problem)
    this.#count += 1
    if (this.#isExcluded(problem, this.#where)) return false
    this.#matched += 1
    if (this.#only !== null && !this.#only.has(problem.id)) return false
    if (this.drops && this.#isCopy(problem, at)) return false
    this.#hold(problem, at.place())
    return true
  }

  /** Whether `where` leaves it out, by the columns that are known. */
  #isExcluded(columns: Readonly<Record<string, Problem[string]>>, filters: readonly Filter[]): boolean {
    for (const { column } of filters) if (Object.hasOwn(columns, column)) this.#unseen.delete(column)
    for (const { column, values, excludes } of filters) {
      const cell = Object.hasOwn(columns, column) ? columns[column] : undefined
      const has = cell !== undefined && typeof cell !== 'object' && values.has(String(cell))
      if (has && excludes) this.#excluding.delete(column)
      if (has === excludes) return true
    }
    return false
  }

  /** Whether further problems change nothing. */
  hasEnough(): boolean {
    const { limit, shuffle } = this.#selection
    return limit !== undefined && shuffle === undefined && this.#only === null && this.#held.length >= limit
  }

  end(): Checked {
    const [unseen] = this.#unseen
    if (unseen !== undefined)
      throw new InvalidData(
        `${this.#name}: where.${unseen}: no such column, there are ${this.#columns.join(', ')}`,
      )
    const [idle] = this.hasEnough() ? [] : this.#excluding
    if (idle !== undefined && this.#where.length === 1)
      throw new InvalidData(
        `${this.#name}: where.${idle}: ${JSON.stringify(this.#selection.where?.[idle])} leaves out none of ${this.#count} problems`,
      )
    const { shuffle, limit } = this.#selection
    let problems = this.#chosen()
    if (shuffle !== undefined) {
      const order = stream({ seed: shuffle, purpose: 'data', problem: this.#set }).permutation(
        problems.length,
      )
      const all = problems
      problems = order.slice(0, limit).map((i) => all[i]!)
    } else if (limit !== undefined) problems = problems.slice(0, limit)
    this.#requireText(problems.reduce((sum, problem) => sum + lengthOf(problem), 0))
    const places = problems.flatMap(({ id }) => {
      const place = this.#places.get(id)
      return place === undefined ? [] : [[id, place] as const]
    })
    return { problems, places: new Map(places), ...(this.drops && { dropped: this.#dropped }) }
  }

  #chosen(): Problem[] {
    const { only, where } = this.#selection
    if (only !== undefined) {
      const byId = new Map(this.#held.map((problem) => [problem.id, problem]))
      return only.map((id) => {
        const problem = byId.get(id)
        if (problem === undefined)
          throw new InvalidData(
            `${this.#name}: only: no problem ${JSON.stringify(id)} among ${this.#matched}`,
          )
        return problem
      })
    }
    if (this.#held.length === 0)
      throw new InvalidData(`${this.#name}: where ${JSON.stringify(where)}: none of ${this.#count} problems`)
    return this.#held
  }

  /** Throws where the same statement has another answer: which of the two is right, nobody knows here. */
  #isCopy(problem: Problem, at: At): boolean {
    const { messages } = problem
    const statement = Array.isArray(messages) ? JSON.stringify(messages) : problem.problem
    const answers = answersOf(problem)
    const earlier = this.#statements.get(statement)
    if (earlier === undefined) {
      at.requireOwnId() // a row that is left out by its id has no copies
      this.#statements.set(statement, { answers, where: at.place() })
      return false
    }
    // What the answers are, no message says: a file may not be what its name says.
    if (earlier.answers !== answers)
      throw new InvalidData(`${at.place()}: has the statement of ${earlier.where} with another answer`)
    this.#dropped.count += 1
    if (this.#dropped.first.length < named) this.#dropped.first.push(`${at.place()}: as ${earlier.where}`)
    return true
  }

  #hold(problem: Problem, where: string): void {
    const { shuffle, limit } = this.#selection
    const isShared = shuffle !== undefined && limit !== undefined
    if (isShared) {
      const before = this.#texts.size
      const held = {
        ...problem,
        problem: this.#shared(problem.problem),
        answer: this.#shared(problem.answer),
      }
      this.#held.push(held)
      this.#text += this.#texts.size === before ? 0 : lengthOf(problem)
    } else {
      this.#held.push(problem)
      this.#text += lengthOf(problem)
    }
    this.#places.set(problem.id, where)
    this.#requireText(this.#text)
    if (this.#held.length > mostProblems)
      throw new TooMuch(`${this.#name}: has more than ${mostProblems} problems; ${advice}`)
  }

  #shared(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    this.#texts.set(text, text)
    return text
  }

  #requireText(characters: number): void {
    if (characters > mostText)
      throw new TooMuch(
        `${this.#name}: the problems have more than ${mostText / 2 ** 20} MiB of text, which is the most that a set may have; ${advice}`,
      )
  }
}

interface Filter {
  readonly column: string
  readonly values: ReadonlySet<string>
  /** Rows with one of the values are left out, instead of all others. */
  readonly excludes: boolean
}

function filterOf(column: string, asked: NonNullable<Selection['where']>[string]): Filter {
  const excludes = typeof asked === 'object' && 'not' in asked
  const wanted = excludes ? asked.not : asked
  return { column, excludes, values: new Set((Array.isArray(wanted) ? wanted : [wanted]).map(String)) }
}

/** Of a problem that no file has. */
export const byId = ({ id }: Problem): At => ({ place: () => `problem ${id}`, requireOwnId: () => {} })

const advice = 'limit, where, or "duplicates": "drop" takes fewer'

/** Columns that are judged before they are known. */
const judged: ReadonlySet<string> = new Set(['id', 'problem', 'answer', 'answers', 'messages'])

const lengthOf = (problem: Problem) =>
  Object.values(problem).reduce<number>(
    (sum, value) =>
      sum +
      (typeof value === 'string'
        ? value.length
        : typeof value === 'number'
          ? 8
          : JSON.stringify(value).length),
    0,
  )
