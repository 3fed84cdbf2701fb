/**
 * Problems from text: JSON Lines, or the JSON array that the paper's authors publish. Every complaint names file, line
 * (or item) and column.
 */
import type { Problem } from './problem.ts'

export class InvalidData extends Error {
  override readonly name = 'InvalidData'
}

/** One JSON object a line; empty lines are skipped. Columns: id, problem, answer, and whatever else is text or number. */
export function parseJsonl(text: string, file: string): Problem[] {
  const rows: Row[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const at = `${file}:${i + 1}`
    rows.push({ at, value: parse(line, at) })
  }
  return check(rows, file)
}

/** A JSON array of objects whose problem is called `prompt`. */
export function parsePublished(text: string, file: string): Problem[] {
  const array = parse(text, file)
  if (!Array.isArray(array)) throw new InvalidData(`${file}: expected a JSON array, found ${kind(array)}`)
  const rows = array.map((value: unknown, i) => {
    const isRow = typeof value === 'object' && value !== null && 'prompt' in value
    const { prompt, ...rest } = isRow ? value : { prompt: undefined }
    return { at: `${file}, item ${i + 1}`, value: isRow ? { ...rest, problem: prompt } : value }
  })
  return check(rows, file)
}

interface Row {
  readonly at: string
  readonly value: unknown
}

function check(rows: readonly Row[], file: string): Problem[] {
  if (rows.length === 0) throw new InvalidData(`${file}: no problems`)
  const first = new Map<string, string>()
  return rows.map(({ at, value }) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new InvalidData(`${at}: expected an object, found ${kind(value)}`)
    const columns = value as Record<string, unknown>
    const id = typeof columns['id'] === 'number' ? String(columns['id']) : text(columns, 'id', at)
    const earlier = first.get(id)
    if (earlier !== undefined)
      throw new InvalidData(`${at}: id ${JSON.stringify(id)} is already at ${earlier}`)
    first.set(id, at)
    const more = Object.entries(columns).filter(
      (entry): entry is [string, string | number] =>
        typeof entry[1] === 'string' || typeof entry[1] === 'number',
    )
    const [problem, answer] = [text(columns, 'problem', at), text(columns, 'answer', at)]
    return { ...Object.fromEntries(more), id, problem, answer }
  })
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

function parse(json: string, at: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new InvalidData(`${at}: not JSON (${(cause as Error).message})`, { cause })
  }
}

const kind = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value)
