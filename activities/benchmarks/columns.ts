/**
 * What the rows of a file have for us. A file of a set that we know has our columns. A user's file has its own:
 * `columns` says which of them is our problem, answer and id, and which further ones to keep under which name. A name
 * that no column has may lead into an object: `reward_model.ground_truth`. Rows are not held.
 */
import type { DataSpec } from '../contracts.ts'
import { goldsIn, hasUsualMark, usualMark, type Fractions } from './answers.ts'
import { at, isWhole, requireText, requireWellFormed } from './cells.ts'
import { ownField } from '../contracts/shape.ts'
import { InvalidData } from './faults.ts'
import { takenOut, Written } from './json.ts'
import { conversationIn } from './messages.ts'
import type { Problem } from './problem.ts'

/** Complaints that a message names; a file of the wrong kind has one in every row. */
export const named = 5
/** Rows with a complaint after which a file is not read further. */
export const mostFaults = 10_000

/** A row as it was read. `number`: its line, row or item, from 1. */
export interface Row {
  readonly number: number
  readonly value: unknown
  /** Why it has no value, with its place. */
  readonly fault?: string
}

/** Rows of one file, a few at a time. */
export interface Rows {
  readonly batches: AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>
  /** Where a row stands: `file:line`. */
  readonly place: (number: number) => string
  /** Of a file whose rows have the same columns: all, those that are not read too. */
  readonly columns?: readonly string[]
  /** By path, what is known of their fractions. */
  readonly fractions?: ReadonlyMap<string, Fractions>
}

/** Our name of a column to the file's. */
export type Columns = NonNullable<DataSpec['columns']>

/** The file's name of a column. */
export const columnOf = (column: Columns[string]): string =>
  typeof column === 'string' ? column : column.column

/** What a file is asked for problem by problem: the statement, and the conversation around it. */
export type Statement = Pick<Problem, 'problem' | 'messages'>

/** What is looked for in a user's file without a word of the spec. */
export interface Looks {
  /** GSM8K's mark before answers; who chooses among the problems decides whether all have it. */
  readonly looksForMark: boolean
  /** Whether a row without an id has none even before the first that has one. */
  readonly hasIds: boolean
}

/** How the rows of one file are read, one after another, and what is said of them all at its end. */
export interface Reading {
  /** Looks at a row that is an object; what is asked next, is asked of it. */
  begin(value: Readonly<Record<string, unknown>>, row: Row): void
  /** Null for an id that no other row can have. */
  id(): string | null
  more(): Iterable<readonly [name: string, value: unknown]>
  problem(): Statement
  /** Any of them counts. */
  answers(): readonly string[]
  /** Whether these answers stood behind a mark of which the spec says nothing. */
  readonly isMarked: boolean
  /** Whether there came an id behind rows without one. */
  readonly hasLateIds: boolean
  /** Whether nothing that later rows hold can change what the earlier ones are. */
  isSettled(): boolean
  /** Throws what is wrong with the file as a whole. */
  end(): void
}

/** Rows under our names. */
export class Ours implements Reading {
  readonly isMarked = false
  readonly hasLateIds = false
  readonly #rows: Rows
  #value: Readonly<Record<string, unknown>> = {}
  #row: Row = { number: 0, value: null }

  constructor(rows: Rows) {
    this.#rows = rows
  }

  begin(value: Readonly<Record<string, unknown>>, row: Row): void {
    this.#value = value
    this.#row = row
  }

  id(): string {
    const id = this.#value['id']
    return typeof id === 'number' ? String(id) : this.#text('id')
  }

  more(): [string, unknown][] {
    return Object.entries(this.#value)
  }

  problem(): Statement {
    return { problem: this.#text('problem') }
  }

  answers(): string[] {
    return [this.#text('answer')]
  }

  isSettled(): boolean {
    return true
  }

  end(): void {}

  #text(name: string): string {
    const value = ownField(this.#value, name)
    if (value === undefined) {
      const found = Object.keys(this.#value).join(', ') || 'none'
      throw new InvalidData(`${this.#rows.place(this.#row.number)}: no column "${name}", found ${found}`)
    }
    return requireText(value, name, this.#rows.place(this.#row.number))
  }
}

/** Rows of a user's file. */
export class Mapped implements Reading {
  readonly #rows: Rows
  /** Ours to theirs, `id` only where it is named. */
  readonly #needed: Readonly<Record<string, string>>
  readonly #problem: string
  readonly #answer: string
  /** What answers stand behind: as the spec says, or null. */
  readonly #mark: string | null
  readonly #fractions: Fractions | null
  readonly #id: string
  readonly #further: readonly (readonly [ours: string, theirs: string])[]
  /** Columns of theirs that no row has had. */
  readonly #unseen: Set<string>
  #first: Row | undefined
  /** Rows before the first with an id: their complaints, if there comes one. */
  readonly #without = { count: 0, first: [] as string[] }
  #hasIds: boolean
  #row: Row = { number: 0, value: null }
  readonly #looksForMark: boolean
  #isMarked = false

  constructor(rows: Rows, columns: Columns, { looksForMark, hasIds }: Looks) {
    const { answer: answers = 'answer', ...names } = columns
    const theirs = Object.fromEntries(Object.entries(names).map(([ours, at]) => [ours, columnOf(at)]))
    const { problem = 'problem', id = 'id', ...further } = theirs
    const answer = columnOf(answers)
    this.#mark = typeof answers === 'string' ? null : answers.after
    this.#looksForMark = looksForMark && this.#mark === null
    const paths = [...(rows.fractions ?? [])].filter(([path]) => `${path}.`.startsWith(`${answer}.`))
    this.#fractions = paths[0]?.[1] ?? null
    this.#rows = rows
    this.#problem = problem
    this.#answer = answer
    this.#id = id
    this.#hasIds = hasIds || Object.hasOwn(columns, 'id')
    this.#needed = { problem, answer, ...(this.#hasIds && { id }), ...further }
    this.#further = Object.entries(further)
    this.#unseen = new Set(Object.values(this.#needed))
  }

  begin(value: Readonly<Record<string, unknown>>, row: Row): void {
    this.#row = row
    this.#first ??= row
    if (this.#unseen.size > 0)
      for (const theirs of this.#unseen) if (at(value, theirs) !== undefined) this.#unseen.delete(theirs)
  }

  id(): string | null {
    if (at(this.#row.value, this.#id) !== undefined) this.#hasIds = true
    if (this.#hasIds) return this.#text('id', this.#id)
    this.#without.count += 1
    if (this.#without.first.length < named) this.#without.first.push(this.#missing(this.#row, 'id', this.#id))
    return null
  }

  get hasLateIds(): boolean {
    return this.#hasIds && this.#without.count > 0
  }

  more(): (readonly [string, unknown])[] {
    return this.#further.map(([ours, theirs]) => {
      const cell = at(this.#row.value, theirs)
      if (cell instanceof Written) return [ours, Number(cell.text)] as const
      return [ours, typeof cell === 'bigint' ? Number(cell) : cell] as const
    })
  }

  problem(): Statement {
    const cell = at(this.#row.value, this.#problem)
    if (!Array.isArray(cell)) return { problem: this.#text('problem', this.#problem) }
    const place = this.#rows.place(this.#row.number)
    const statement = conversationIn(cell, `${place}: column "${this.#problem}"`)
    for (const { content } of statement.messages ?? [{ content: statement.problem }])
      requireWellFormed(content, this.#problem, place)
    return statement
  }

  answers(): string[] {
    const cell = at(this.#row.value, this.#answer)
    if (cell === undefined) throw new InvalidData(this.#missing(this.#row, 'answer', this.#answer))
    const place = this.#rows.place(this.#row.number)
    const read = (mark: string | null) =>
      goldsIn(cell, `${place}: column "${this.#answer}"`, { mark, fractions: this.#fractions })
    const whole = read(this.#mark) // what is no answer at all says nothing of marks
    this.#isMarked = this.#looksForMark && hasUsualMark(cell)
    const golds = this.#isMarked ? read(usualMark) : whole
    for (const gold of golds) requireWellFormed(gold, this.#answer, place)
    return golds
  }

  get isMarked(): boolean {
    return this.#isMarked
  }

  isSettled(): boolean {
    return this.#unseen.size === 0
  }

  end(): void {
    const absent = Object.entries(this.#needed).find(([, theirs]) => this.#unseen.has(theirs))
    if (absent !== undefined && this.#first !== undefined)
      throw new InvalidData(this.#missing(this.#first, ...absent))
    const { count, first } = this.#without
    if (this.hasLateIds) throw new InvalidData(told(first, count))
  }

  #text(ours: string, theirs: string): string {
    const cell = at(this.#row.value, theirs)
    if (cell === undefined) throw new InvalidData(this.#missing(this.#row, ours, theirs))
    if (cell instanceof Written && /^-?\d+$/.test(cell.text)) return cell.text
    const place = this.#rows.place(this.#row.number)
    return isWhole(cell) ? String(cell) : requireText(cell, theirs, place)
  }

  #missing({ number, value }: Row, ours: string, theirs: string): string {
    const found = this.#rows.columns ?? Object.keys(value as object)
    const asked = theirs === ours ? '' : ` (columns.${ours})`
    const place = this.#rows.place(number)
    const isOfRows = (list: unknown) => Array.isArray(list) && at(list[0], theirs) !== undefined
    const inside = Object.keys(value as object).find((key) => isOfRows(ownField(value, key)))
    const how = inside === undefined ? '' : takenOut(inside, place.replace(/:\d+$/, ''))
    const advice = inside === undefined ? '' : `; its rows are in "${inside}": ${how}`
    return `${place}: no column "${theirs}"${asked}, found ${found.join(', ') || 'none'}${advice}`
  }
}

/** The first complaints, and how many there are besides. */
export function told(first: readonly string[], count: number): string {
  const others = count - first.length
  const atLeast = count >= mostFaults ? 'at least ' : ''
  return [...first, ...(others > 0 ? [`and ${atLeast}${others} more`] : [])].join('; ')
}
