/**
 * From rows of a file to problems. Every complaint names file, line (or row) and column; the first few are told at once.
 * Rows come one after another and are not held; what is held, `Selector` decides.
 */
import type { DataFindings } from '../contracts.ts'
import { kind, requireWellFormed } from './cells.ts'
import {
  Mapped,
  mostFaults,
  named,
  Ours,
  told,
  type Columns,
  type Looks,
  type Reading,
  type Row,
  type Rows,
} from './columns.ts'
import { InvalidData, TooMuch } from './faults.ts'
import type { Problem } from './problem.ts'
import type { Selector } from './select.ts'

export { DataUnavailable, InvalidData } from './faults.ts'

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
  /** Rows that were left out, where `badRows` asks for it. */
  readonly skipped?: DataFindings['duplicates']
  /** What answers were taken from behind, where the spec does not say so. */
  readonly mark?: string
}

/** What is said of a file's rows together. `marked`: ids of what is held with an answer from behind a mark. */
export interface Gathered extends Pick<Checked, 'skipped'> {
  readonly marked: ReadonlySet<string>
  /** Whether there came an id behind rows without one. */
  readonly hasLateIds: boolean
}

/** Rows that were left out and are named; all are counted. */
const namedSkipped = 10

/** Ids that are compared with one another; a Map holds no more than twice as many. */
const mostIds = 2 ** 23
/** How the complaint ends about a first row that does not even begin as JSON does: a header of CSV, a page of HTML. */
const notBegun = ': not JSON (line 1, column 1: expected a value)'

/** From the file's id, and from a place in it, to the set's. */
interface Renamed {
  readonly level?: number
  readonly place?: string
  /** A user's file; and whether its bad rows are left out. */
  readonly isOwn?: boolean
  readonly skips?: boolean
}

/** Rows under our names: problem, answer, id, and whatever else is text or number. `level` parts files of one set. */
export const gatherOurs = (
  rows: Rows,
  file: string,
  selector: Selector,
  renamed: Renamed,
): Promise<Gathered> => new Gathering(rows, file, new Ours(rows), selector, renamed).all()

/**
 * Rows of a user's file. Without a column of ids a row's number, from 1, is its id. A number is an answer: the text that
 * its digits are.
 */
export const gatherMapped = (
  rows: Rows,
  file: string,
  columns: Columns,
  selector: Selector,
  { skips, ...looks }: Looks & { readonly skips: boolean },
): Promise<Gathered> => {
  const reading = new Mapped(rows, columns, looks)
  return new Gathering(rows, file, reading, selector, { isOwn: true, skips }).all()
}

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
  /** Rows so far, bad ones too, and those that `where` left out unjudged. */
  #count = 0
  #leftOut = 0
  readonly #marked = new Set<string>()

  constructor(rows: Rows, file: string, reading: Reading, selector: Selector, renamed: Renamed) {
    this.#rows = rows
    this.#file = file
    this.#reading = reading
    this.#selector = selector
    this.#renamed = renamed
  }

  async all(): Promise<Gathered> {
    const { skips = false, isOwn = false } = this.#renamed
    const most = skips ? namedSkipped : named
    const faults: string[] = []
    let found = 0
    for await (const batch of this.#rows.batches) {
      for (const row of batch) {
        this.#count += 1
        try {
          this.#see(row)
        } catch (error) {
          if (!(error instanceof InvalidData) || error instanceof TooMuch) throw error
          found += 1
          if (faults.length < most) faults.push(error.message)
        }
      }
      const isSound = skips || found === 0
      const isDone = isSound && this.#reading.isSettled() && this.#selector.hasEnough()
      if (isDone || (!skips && found >= mostFaults)) break
    }
    if (this.#count === 0) throw new InvalidData(`${this.#file}: no problems`)
    const hasLateIds = skips && this.#reading.hasLateIds
    if (!hasLateIds) this.#reading.end()
    const advice = isOwn && !skips ? ' ("badRows": "skip" leaves such rows out)' : ''
    if (found === this.#count && faults[0]?.endsWith(notBegun) === true)
      throw new InvalidData(
        `${this.#file}: expected JSON Lines, one JSON array or Parquet, found another format (${faults[0]})`,
      )
    if (found > 0 && (!skips || found === this.#count - this.#leftOut))
      throw new InvalidData(`${told(faults, found)}${advice}`)
    return {
      ...(skips && { skipped: { count: found, first: faults } }),
      marked: this.#marked,
      hasLateIds,
    }
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
      throw new InvalidData(`${place(this.#number)}: its id is already at ${place(earlier)}`)
    if (this.#ids.size >= mostIds)
      throw new TooMuch(`${this.#file}: has more than ${mostIds} ids, which is as many as are compared`)
    this.#ids.set(id, this.#number)
  }

  #see(row: Row): void {
    const { value, number } = row
    const reading = this.#reading
    this.#number = number
    if (row.fault !== undefined) throw new InvalidData(row.fault)
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new InvalidData(`${this.#rows.place(number)}: expected an object, found ${kind(value)}`)
    reading.begin(value as Record<string, unknown>, row)
    const { level } = this.#renamed
    const problem: Record<string, Problem[string]> = {}
    for (const [name, cell] of reading.more())
      if (typeof cell === 'string' || typeof cell === 'number') keep(problem, name, cell)
    if (level !== undefined) problem['level'] = level
    if (this.#selector.leavesOut(problem)) {
      this.#leftOut += 1
      return
    }
    this.#id = reading.id()
    const own = this.#id ?? String(this.#count)
    for (const [name, cell] of Object.entries(problem)) this.#requireStorable(name, cell)
    problem['id'] = level === undefined ? own : `${level}-${own}`
    Object.assign(problem, reading.problem())
    const golds = reading.answers()
    problem['answer'] = golds[0]!
    if (golds.length > 1) problem['answers'] = golds
    if (!this.#selector.drops) this.requireOwnId() // of rows that are left out, none has an id
    const isHeld = this.#selector.see(problem as unknown as Problem, this)
    if (isHeld && reading.isMarked) this.#marked.add(problem['id'])
  }

  #requireStorable(name: string, cell: Problem[string]): void {
    const place = this.#rows.place(this.#number)
    requireWellFormed(name, name, place)
    if (typeof cell === 'string') requireWellFormed(cell, name, place)
    if (typeof cell === 'number' && !Number.isFinite(cell))
      throw new InvalidData(`${place}: column "${name}" is ${cell}, expected text or a finite number`)
  }
}

/** As JSON has it, whatever the name: an assignment to `__proto__` would be none. */
function keep(problem: Record<string, Problem[string]>, name: string, value: string | number): void {
  if (name === '__proto__')
    Object.defineProperty(problem, name, { value, enumerable: true, writable: true, configurable: true })
  else problem[name] = value
}
