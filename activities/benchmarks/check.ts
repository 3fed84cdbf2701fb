/**
 * From rows of a file to problems. Every complaint names file, line (or row) and column; the first few are told at once.
 *
 * A file of a set that we know has our columns. A user's file has its own: `columns` says which of them is our problem,
 * answer and id, and which further ones to keep under which name. A name that no column has may lead into an object:
 * `reward_model.ground_truth`. Rows come one after another and are not held; what is held, `Selector` decides.
 */
import type { DataFindings } from '../contracts.ts'
import type { Problem } from './problem.ts'
import type { Selector } from './select.ts'

export class InvalidData extends Error {
  override readonly name = 'InvalidData'
}

/** A file that cannot be had, whatever is in it. */
export class DataUnavailable extends InvalidData {}

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

/** The row that is looked at. */
export interface At {
  /** Where it stands. */
  place(): string
  /** Throws where an earlier row has its id. */
  requireOwnId(): void
}

export interface Checked {
  readonly problems: Problem[]
  /** Where each problem stands, by its id. */
  readonly places: ReadonlyMap<string, string>
  /** Copies that were left out, where `duplicates` asks for it. */
  readonly dropped?: DataFindings['duplicates']
}

/** More than is held at once, which no other row can mend. */
export class TooMuch extends InvalidData {}

/** Complaints that a message names; a file of the wrong kind has one in every row. */
const named = 5
/** Rows with a complaint after which a file is not read further. */
const mostFaults = 10_000
/** Ids that are compared with one another; a Map holds no more than twice as many. */
const mostIds = 2 ** 23

/** How the rows of one file are read, one after another, and what is said of them all at its end. */
interface Reading {
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

/** From the file's id, and from a place in it, to the set's. */
interface Renamed {
  readonly level?: number
  readonly place?: string
}

/** Rows under our names: problem, answer, id, and whatever else is text or number. `level` parts files of one set. */
export const gatherOurs = (rows: Rows, file: string, selector: Selector, renamed: Renamed): Promise<void> =>
  new Gathering(rows, file, new Ours(rows), selector, renamed).all()

/**
 * Rows of a user's file. Without a column of ids a row's number, from 1, is its id. A whole number is an answer: the
 * text that its digits are.
 */
export const gatherMapped = (rows: Rows, file: string, columns: Columns, selector: Selector): Promise<void> =>
  new Gathering(rows, file, new Mapped(rows, columns), selector, {}).all()

class Ours implements Reading {
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

class Mapped implements Reading {
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

/** Hands every problem of a file to the selector until it has enough. It says where the row is that it is at. */
class Gathering implements At {
  readonly #rows: Rows
  readonly #file: string
  readonly #reading: Reading
  readonly #selector: Selector
  readonly #renamed: Renamed
  /** The row of each id. */
  readonly #ids = new Map<string, number>()
  #id: string | null = null
  #number = 0

  constructor(rows: Rows, file: string, reading: Reading, selector: Selector, renamed: Renamed) {
    this.#rows = rows
    this.#file = file
    this.#reading = reading
    this.#selector = selector
    this.#renamed = renamed
  }

  async all(): Promise<void> {
    const faults: string[] = []
    let found = 0
    let count = 0
    for await (const batch of this.#rows.batches) {
      for (const row of batch) {
        count += 1
        try {
          this.#see(row)
        } catch (error) {
          if (!(error instanceof InvalidData) || error instanceof TooMuch) throw error
          found += 1
          if (faults.length < named) faults.push(error.message)
        }
      }
      const isDone = found === 0 && this.#reading.isSettled() && this.#selector.hasEnough()
      if (isDone || found >= mostFaults) break
    }
    if (count === 0) throw new InvalidData(`${this.#file}: no problems`)
    this.#reading.end()
    if (found > 0) throw new InvalidData(told(faults, found))
  }

  place(): string {
    const { place } = this.#renamed
    const at = this.#rows.place(this.#number)
    return place === undefined ? at : at.replace(this.#file, () => place)
  }

  /** A copy may have the id of what it is a copy of: where copies are dropped, ids are compared among what is left. */
  requireOwnId(): void {
    const id = this.#id
    if (id === null) return
    const { place } = this.#rows
    const earlier = this.#ids.get(id)
    if (earlier !== undefined)
      throw new InvalidData(
        `${place(this.#number)}: id ${JSON.stringify(id)} is already at ${place(earlier)}`,
      )
    if (this.#ids.size >= mostIds)
      throw new TooMuch(`${this.#file}: has more than ${mostIds} ids, which is as many as are compared`)
    this.#ids.set(id, this.#number)
  }

  #see(row: Row): void {
    const { value, number } = row
    const reading = this.#reading
    this.#number = number
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new InvalidData(`${this.#rows.place(number)}: expected an object, found ${kind(value)}`)
    reading.begin(value as Record<string, unknown>, row)
    this.#id = reading.id()
    if (!this.#selector.drops) this.requireOwnId()
    const { level } = this.#renamed
    const own = this.#id ?? reading.number()
    const problem: Record<string, string | number> = {}
    for (const [name, cell] of reading.more())
      if (typeof cell === 'string' || typeof cell === 'number') keep(problem, name, this.#finite(name, cell))
    if (level !== undefined) problem['level'] = level
    problem['id'] = level === undefined ? own : `${level}-${own}`
    problem['problem'] = reading.problem()
    problem['answer'] = reading.answer()
    this.#selector.see(problem as unknown as Problem, this)
  }

  #finite(name: string, cell: string | number): string | number {
    if (typeof cell === 'string' || Number.isFinite(cell)) return cell
    throw new InvalidData(
      `${this.#rows.place(this.#number)}: column "${name}" is ${cell}, expected text or a finite number`,
    )
  }
}

/** As JSON has it, whatever the name: an assignment to `__proto__` would be none. */
function keep(problem: Record<string, string | number>, name: string, value: string | number): void {
  if (name === '__proto__')
    Object.defineProperty(problem, name, { value, enumerable: true, writable: true, configurable: true })
  else problem[name] = value
}

/** The first complaints, and how many there are besides. */
function told(first: readonly string[], count: number): string {
  const others = count - first.length
  const atLeast = count >= mostFaults ? 'at least ' : ''
  return [...first, ...(others > 0 ? [`and ${atLeast}${others} more`] : [])].join('; ')
}

function requireText(value: unknown, name: string, { place }: Rows, { number }: Row): string {
  if (typeof value !== 'string')
    throw new InvalidData(`${place(number)}: column "${name}" is ${kind(value)}, expected text`)
  if (value.trim() === '') throw new InvalidData(`${place(number)}: column "${name}" is empty`)
  return value
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
