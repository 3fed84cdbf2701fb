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

/** What a row has for us. */
interface Read {
  readonly more: readonly (readonly [name: string, value: unknown])[]
  readonly id: string
  /** An id that no other row can have. */
  readonly isOwn?: boolean
  readonly problem: () => string
  readonly answer: () => string
}

/** How the rows of a file are read, and what is said of them all at its end. */
interface Reading {
  read(columns: Readonly<Record<string, unknown>>, row: Row): Read
  /** Whether nothing that later rows hold can change what the earlier ones are. */
  isSettled(): boolean
  /** Throws what is wrong with the file as a whole. */
  end(): void
}

/** Rows under our names: problem, answer, id, and whatever else is text or number. `level` parts files of one set. */
export function gatherOurs(
  rows: Rows,
  file: string,
  selector: Selector,
  { level, place }: { readonly level?: number; readonly place?: string },
): Promise<void> {
  const more = level === undefined ? [] : [['level', level] as const]
  const reading: Reading = {
    read: (columns, { number }) => {
      const textOf = (name: string) => text(columns, name, () => rows.place(number))
      return {
        more: [...Object.entries(columns), ...more],
        id: typeof columns['id'] === 'number' ? String(columns['id']) : textOf('id'),
        problem: () => textOf('problem'),
        answer: () => textOf('answer'),
      }
    },
    isSettled: () => true,
    end: () => {},
  }
  return gather(rows, file, reading, selector, {
    idOf: (id) => (level === undefined ? id : `${level}-${id}`),
    placeOf: (found) => (place === undefined ? found : found.replace(file, () => place)),
  })
}

/**
 * Rows of a user's file. Without a column of ids a row's number, from 1, is its id. A whole number is an answer: the
 * text that its digits are.
 */
export function gatherMapped(rows: Rows, file: string, columns: Columns, selector: Selector): Promise<void> {
  return gather(rows, file, new Mapped(rows, columns), selector, { idOf: (id) => id, placeOf: (at) => at })
}

class Mapped implements Reading {
  readonly #rows: Rows
  /** Ours to theirs, `id` only where it is named. */
  readonly #needed: Columns
  readonly #further: readonly (readonly [ours: string, theirs: string])[]
  readonly #id: string
  readonly #unseen: Set<string>
  #first: Row | undefined
  /** Rows before the first with an id: their complaints, if there comes one. */
  readonly #without = { count: 0, first: [] as string[] }
  #hasIds: boolean
  #number = 0

  constructor(rows: Rows, columns: Columns) {
    const { problem = 'problem', answer = 'answer', id = 'id', ...further } = columns
    this.#rows = rows
    this.#hasIds = Object.hasOwn(columns, 'id')
    this.#needed = { problem, answer, ...(this.#hasIds && { id }), ...further }
    this.#further = Object.entries(further)
    this.#id = id
    this.#unseen = new Set(Object.values(this.#needed))
  }

  read(value: Readonly<Record<string, unknown>>, row: Row): Read {
    this.#first ??= row
    this.#number += 1
    for (const theirs of this.#unseen) if (at(value, theirs) !== undefined) this.#unseen.delete(theirs)
    if (!this.#hasIds) {
      if (at(value, this.#id) !== undefined) this.#hasIds = true
      else {
        this.#without.count += 1
        if (this.#without.first.length < named) this.#without.first.push(this.#missing(row, 'id', this.#id))
      }
    }
    return {
      more: this.#further.map(([ours, theirs]) => {
        const cell = at(value, theirs)
        return [ours, typeof cell === 'bigint' ? Number(cell) : cell]
      }),
      ...(this.#hasIds
        ? { id: this.#text(row, value, 'id', this.#id) }
        : { id: String(this.#number), isOwn: true }),
      problem: () => this.#text(row, value, 'problem', this.#needed['problem']!),
      answer: () => this.#text(row, value, 'answer', this.#needed['answer']!),
    }
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

  #text(row: Row, value: unknown, ours: string, theirs: string): string {
    const cell = at(value, theirs)
    if (cell === undefined) throw new InvalidData(this.#missing(row, ours, theirs))
    return isWhole(cell) ? String(cell) : text({ [theirs]: cell }, theirs, () => this.#rows.place(row.number))
  }

  #missing({ number, value }: Row, ours: string, theirs: string): string {
    const found = this.#rows.columns ?? Object.keys(value as object)
    const asked = theirs === ours ? '' : ` (columns.${ours})`
    return `${this.#rows.place(number)}: no column "${theirs}"${asked}, found ${found.join(', ') || 'none'}`
  }
}

const isWhole = (cell: unknown): cell is bigint | number =>
  typeof cell === 'bigint' || Number.isSafeInteger(cell)

/** From the file's id, and from a place in it, to the set's. */
interface Renamed {
  readonly idOf: (id: string) => string
  readonly placeOf: (place: string) => string
}

/** Hands every problem to the selector until it has enough. */
async function gather(
  { batches, place }: Rows,
  file: string,
  reading: Reading,
  selector: Selector,
  { idOf, placeOf }: Renamed,
): Promise<void> {
  const ids = new Map<string, number>()
  const faults: string[] = []
  let found = 0
  let count = 0
  const see = (row: Row) => {
    const { value, number } = row
    const where = () => place(number)
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new InvalidData(`${where()}: expected an object, found ${kind(value)}`)
    const read = reading.read(value as Record<string, unknown>, row)
    const requireOwnId = () => {
      if (read.isOwn === true) return
      const earlier = ids.get(read.id)
      if (earlier !== undefined)
        throw new InvalidData(`${where()}: id ${JSON.stringify(read.id)} is already at ${place(earlier)}`)
      if (ids.size >= mostIds) throw new TooMuch(`${file}: has more than ${mostIds} ids to compare`)
      ids.set(read.id, number)
    }
    const kept = read.more.filter((entry): entry is [string, string | number] => isKept(entry, where))
    const problem = (): Problem => ({
      ...Object.fromEntries(kept),
      id: idOf(read.id),
      problem: read.problem(),
      answer: read.answer(),
    })
    if (!selector.drops) requireOwnId()
    // A copy may have the id of what it is a copy of: where copies are dropped, ids are compared among what is left.
    selector.see(problem(), () => placeOf(where()), selector.drops ? requireOwnId : undefined)
  }
  for await (const batch of batches) {
    for (const row of batch) {
      count += 1
      try {
        see(row)
      } catch (error) {
        if (!(error instanceof InvalidData) || error instanceof TooMuch) throw error
        found += 1
        if (faults.length < named) faults.push(error.message)
      }
    }
    if (found >= mostFaults || (found === 0 && reading.isSettled() && selector.hasEnough())) break
  }
  if (count === 0) throw new InvalidData(`${file}: no problems`)
  reading.end()
  if (found > 0) throw new InvalidData(told(faults, found))
}

/** The first complaints, and how many there are besides. */
function told(first: readonly string[], count: number): string {
  const others = count - first.length
  const atLeast = count >= mostFaults ? 'at least ' : ''
  return [...first, ...(others > 0 ? [`and ${atLeast}${others} more`] : [])].join('; ')
}

/** Whether a further column is kept: text, and numbers that JSON can hold. */
function isKept([name, value]: readonly [string, unknown], where: () => string): boolean {
  if (typeof value === 'string') return true
  if (typeof value !== 'number') return false
  if (Number.isFinite(value)) return true
  throw new InvalidData(`${where()}: column "${name}" is ${value}, expected text or a finite number`)
}

function text(columns: Readonly<Record<string, unknown>>, name: string, where: () => string): string {
  const value = Object.hasOwn(columns, name) ? columns[name] : undefined
  if (value === undefined)
    throw new InvalidData(
      `${where()}: no column "${name}", found ${Object.keys(columns).join(', ') || 'none'}`,
    )
  if (typeof value !== 'string')
    throw new InvalidData(`${where()}: column "${name}" is ${kind(value)}, expected text`)
  if (value.trim() === '') throw new InvalidData(`${where()}: column "${name}" is empty`)
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
