/**
 * What the rows of a file have for us. A file of a set that we know has our columns. A user's file has its own:
 * `columns` says which of them is our problem, answer and id, and which further ones to keep under which name. A name
 * that no column has may lead into an object: `reward_model.ground_truth`. Rows are not held.
 */
import { InvalidData } from './faults.ts'

/** Complaints that a message names; a file of the wrong kind has one in every row. */
export const named = 5
/** Rows with a complaint after which a file is not read further. */
export const mostFaults = 10_000

/** A row as it was read. `number`: its line, row or item, from 1. */
export interface Row {
  readonly number: number
  readonly value: unknown
}

/** Rows of one file, a few at a time. */
export interface Rows {
  readonly batches: AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>
  /** Where a row stands: `file:line`. */
  readonly place: (number: number) => string
  /** Of a file whose rows have the same columns: all, those that are not read too. */
  readonly columns?: readonly string[]
}

/** Our name of a column to the file's. */
export type Columns = Readonly<Record<string, string>>

/** How the rows of one file are read, one after another, and what is said of them all at its end. */
export interface Reading {
  /** Looks at a row that is an object; what is asked next, is asked of it. */
  begin(value: Readonly<Record<string, unknown>>, row: Row): void
  /** Null for an id that no other row can have. */
  id(): string | null
  /** The id of a row without one. */
  number(): string
  more(): Iterable<readonly [name: string, value: unknown]>
  problem(): string
  answer(): string
  /** Whether nothing that later rows hold can change what the earlier ones are. */
  isSettled(): boolean
  /** Throws what is wrong with the file as a whole. */
  end(): void
}

/** Rows under our names. */
export class Ours implements Reading {
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

  number(): string {
    return String(this.#row.number)
  }

  more(): [string, unknown][] {
    return Object.entries(this.#value)
  }

  problem(): string {
    return this.#text('problem')
  }

  answer(): string {
    return this.#text('answer')
  }

  isSettled(): boolean {
    return true
  }

  end(): void {}

  #text(name: string): string {
    const value = field(this.#value, name)
    if (value === undefined) {
      const found = Object.keys(this.#value).join(', ') || 'none'
      throw new InvalidData(`${this.#rows.place(this.#row.number)}: no column "${name}", found ${found}`)
    }
    return requireText(value, name, this.#rows, this.#row)
  }
}

/** Rows of a user's file. */
export class Mapped implements Reading {
  readonly #rows: Rows
  /** Ours to theirs, `id` only where it is named. */
  readonly #needed: Readonly<Record<string, string>>
  readonly #problem: string
  readonly #answer: string
  readonly #id: string
  readonly #further: readonly (readonly [ours: string, theirs: string])[]
  /** Columns of theirs that no row has had. */
  readonly #unseen: Set<string>
  #first: Row | undefined
  /** Rows before the first with an id: their complaints, if there comes one. */
  readonly #without = { count: 0, first: [] as string[] }
  #hasIds: boolean
  #number = 0
  #row: Row = { number: 0, value: null }

  constructor(rows: Rows, columns: Columns) {
    const { problem = 'problem', answer = 'answer', id = 'id', ...further } = columns
    this.#rows = rows
    this.#problem = problem
    this.#answer = answer
    this.#id = id
    this.#hasIds = Object.hasOwn(columns, 'id')
    this.#needed = { problem, answer, ...(this.#hasIds && { id }), ...further }
    this.#further = Object.entries(further)
    this.#unseen = new Set(Object.values(this.#needed))
  }

  begin(value: Readonly<Record<string, unknown>>, row: Row): void {
    this.#row = row
    this.#first ??= row
    this.#number += 1
    if (this.#unseen.size > 0)
      for (const theirs of this.#unseen) if (at(value, theirs) !== undefined) this.#unseen.delete(theirs)
    if (this.#hasIds) return
    if (at(value, this.#id) !== undefined) {
      this.#hasIds = true
      return
    }
    this.#without.count += 1
    if (this.#without.first.length < named) this.#without.first.push(this.#missing(row, 'id', this.#id))
  }

  id(): string | null {
    return this.#hasIds ? this.#text('id', this.#id) : null
  }

  number(): string {
    return String(this.#number)
  }

  more(): (readonly [string, unknown])[] {
    return this.#further.map(([ours, theirs]) => {
      const cell = at(this.#row.value, theirs)
      return [ours, typeof cell === 'bigint' ? Number(cell) : cell] as const
    })
  }

  problem(): string {
    return this.#text('problem', this.#problem)
  }

  answer(): string {
    return this.#text('answer', this.#answer)
  }

  isSettled(): boolean {
    return this.#unseen.size === 0
  }

  end(): void {
    const absent = Object.entries(this.#needed).find(([, theirs]) => this.#unseen.has(theirs))
    if (absent !== undefined && this.#first !== undefined)
      throw new InvalidData(this.#missing(this.#first, ...absent))
    const { count, first } = this.#without
    if (this.#hasIds && count > 0) throw new InvalidData(told(first, count))
  }

  #text(ours: string, theirs: string): string {
    const cell = at(this.#row.value, theirs)
    if (cell === undefined) throw new InvalidData(this.#missing(this.#row, ours, theirs))
    return isWhole(cell) ? String(cell) : requireText(cell, theirs, this.#rows, this.#row)
  }

  #missing({ number, value }: Row, ours: string, theirs: string): string {
    const found = this.#rows.columns ?? Object.keys(value as object)
    const asked = theirs === ours ? '' : ` (columns.${ours})`
    return `${this.#rows.place(number)}: no column "${theirs}"${asked}, found ${found.join(', ') || 'none'}`
  }
}

const isWhole = (cell: unknown): cell is bigint | number =>
  typeof cell === 'bigint' || Number.isSafeInteger(cell)

/** The first complaints, and how many there are besides. */
export function told(first: readonly string[], count: number): string {
  const others = count - first.length
  const atLeast = count >= mostFaults ? 'at least ' : ''
  return [...first, ...(others > 0 ? [`and ${atLeast}${others} more`] : [])].join('; ')
}

function requireText(value: unknown, name: string, { place }: Rows, { number }: Row): string {
  if (typeof value !== 'string')
    throw new InvalidData(`${place(number)}: column "${name}" is ${kind(value)}, expected text`)
  if (value.trim() === '') throw new InvalidData(`${place(number)}: column "${name}" is empty`)
  requireWellFormed(value, name, place(number))
  return value
}

/** Half of a pair of surrogates is no character: written as UTF-8 it becomes another text. */
export function requireWellFormed(text: string, name: string, place: string): void {
  if (/\p{Surrogate}/u.test(text))
    throw new InvalidData(
      `${place}: column ${JSON.stringify(name)} holds half of a character (a surrogate without its other half), expected text that UTF-8 can write`,
    )
}

/** A column by its name, or what a name with dots leads to. */
function at(row: unknown, name: string): unknown {
  const found = field(row, name)
  return found ?? (name.includes('.') ? name.split('.').reduce(field, row) : found)
}

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined

export const kind = (value: unknown) =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
