/**
 * From rows of a file to problems. Every complaint names file, line (or row) and column; the first few are told at once.
 *
 * A file of a set that we know has our columns. A user's file has its own: `columns` says which of them is our problem,
 * answer and id, and which further ones to keep under which name. A name that no column has may lead into an object:
 * `reward_model.ground_truth`.
 */
import type { Problem } from './problem.ts'

export class InvalidData extends Error {
  override readonly name = 'InvalidData'
}

/** A row as it was read, and where: `file:line`. */
export interface Row {
  readonly at: string
  readonly value: unknown
}

/** Our name of a column to the file's. */
export type Columns = Readonly<Record<string, string>>

export interface Checked {
  readonly problems: Problem[]
  /** Where each problem stands, by its id. */
  readonly places: ReadonlyMap<string, string>
}

/** Complaints that a message names; a file of the wrong kind has one in every row. */
const named = 5

/** Rows under our names: problem, answer, id, and whatever else is text or number. */
export function check(rows: readonly Row[], file: string): Checked {
  return gather(rows, file, (columns, at) => ({
    more: Object.entries(columns),
    id: typeof columns['id'] === 'number' ? String(columns['id']) : text(columns, 'id', at),
    problem: () => text(columns, 'problem', at),
    answer: () => text(columns, 'answer', at),
  }))
}

/**
 * Rows of a user's file. Without a column of ids a row's number, from 1, is its id. A whole number is an answer: the
 * text that its digits are.
 */
export function checkMapped(rows: readonly Row[], file: string, columns: Columns): Checked {
  const { problem = 'problem', answer = 'answer', id = 'id', ...further } = columns
  const hasIds = columns['id'] !== undefined || rows.some(({ value }) => at(value, id) !== undefined)
  const [first] = rows
  for (const [ours, theirs] of Object.entries({ problem, answer, ...(hasIds && { id }), ...further }))
    if (first !== undefined && rows.every(({ value }) => at(value, theirs) === undefined))
      throw new InvalidData(missing(first, ours, theirs))
  let number = 0
  return gather(rows, file, (value, place) => {
    number += 1
    const textOf = (ours: string, theirs: string) => {
      const cell = at(value, theirs)
      if (cell === undefined) throw new InvalidData(missing({ at: place, value }, ours, theirs))
      return isWhole(cell) ? String(cell) : text({ [theirs]: cell }, theirs, place)
    }
    return {
      more: Object.entries(further).map(([ours, theirs]) => {
        const cell = at(value, theirs)
        return [ours, typeof cell === 'bigint' ? Number(cell) : cell]
      }),
      id: hasIds ? textOf('id', id) : String(number),
      problem: () => textOf('problem', problem),
      answer: () => textOf('answer', answer),
    }
  })
}

const isWhole = (cell: unknown): cell is bigint | number =>
  typeof cell === 'bigint' || Number.isSafeInteger(cell)

interface Read {
  readonly more: readonly (readonly [name: string, value: unknown])[]
  readonly id: string
  readonly problem: () => string
  readonly answer: () => string
}

function gather(
  rows: readonly Row[],
  file: string,
  read: (columns: Readonly<Record<string, unknown>>, at: string) => Read,
): Checked {
  if (rows.length === 0) throw new InvalidData(`${file}: no problems`)
  const places = new Map<string, string>()
  const faults: string[] = []
  const problems = rows.flatMap(({ at, value }): Problem[] => {
    try {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new InvalidData(`${at}: expected an object, found ${kind(value)}`)
      const { more, id, problem, answer } = read(value as Record<string, unknown>, at)
      const earlier = places.get(id)
      if (earlier !== undefined)
        throw new InvalidData(`${at}: id ${JSON.stringify(id)} is already at ${earlier}`)
      places.set(id, at)
      const kept = more.filter(
        (entry): entry is [string, string | number] =>
          typeof entry[1] === 'string' || typeof entry[1] === 'number',
      )
      return [{ ...Object.fromEntries(kept), id, problem: problem(), answer: answer() }]
    } catch (error) {
      if (!(error instanceof InvalidData)) throw error
      faults.push(error.message)
      return []
    }
  })
  if (faults.length === 0) return { problems, places }
  const more = faults.length > named ? [`and ${faults.length - named} more`] : []
  throw new InvalidData([...faults.slice(0, named), ...more].join('; '))
}

function text(columns: Readonly<Record<string, unknown>>, name: string, at: string): string {
  const value = columns[name]
  if (value === undefined)
    throw new InvalidData(`${at}: no column "${name}", found ${Object.keys(columns).join(', ') || 'none'}`)
  if (typeof value !== 'string')
    throw new InvalidData(`${at}: column "${name}" is ${kind(value)}, expected text`)
  if (value.trim() === '') throw new InvalidData(`${at}: column "${name}" is empty`)
  return value
}

/** A column by its name, or what a name with dots leads to. */
function at(row: unknown, name: string): unknown {
  const field = (value: unknown, key: string) =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, key)
      ? (value as Record<string, unknown>)[key]
      : undefined
  return field(row, name) ?? name.split('.').reduce(field, row)
}

function missing({ at, value }: Row, ours: string, theirs: string): string {
  const columns = typeof value === 'object' && value !== null ? Object.keys(value).join(', ') : ''
  const asked = theirs === ours ? '' : ` (columns.${ours})`
  return `${at}: no column "${theirs}"${asked}, found ${columns || 'none'}`
}

export const kind = (value: unknown) =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
