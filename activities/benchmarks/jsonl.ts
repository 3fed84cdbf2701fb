/** Rows from text: JSON Lines, or the JSON array that the paper's authors publish. */
import { check, InvalidData, kind, type Checked, type Row } from './check.ts'
import type { Problem } from './problem.ts'

/** One JSON value a line; empty lines are skipped. */
export function linesOf(text: string, file: string): Row[] {
  const rows: Row[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const at = `${file}:${i + 1}`
    rows.push({ at, value: parse(line, at) })
  }
  return rows
}

/** Problems of a set that we know, one JSON object a line. */
export function parseJsonl(text: string, file: string): Problem[] {
  return checkJsonl(text, file).problems
}

export const checkJsonl = (text: string, file: string): Checked => check(linesOf(text, file), file)

/** A JSON array of objects whose problem is called `prompt`. */
export function parsePublished(text: string, file: string): Problem[] {
  return checkPublished(text, file).problems
}

export function checkPublished(text: string, file: string): Checked {
  const array = parse(text, file)
  if (!Array.isArray(array)) throw new InvalidData(`${file}: expected a JSON array, found ${kind(array)}`)
  const rows = array.map((value: unknown, i) => {
    const isRow = typeof value === 'object' && value !== null && 'prompt' in value
    const { prompt, ...rest } = isRow ? value : { prompt: undefined }
    return { at: `${file}, item ${i + 1}`, value: isRow ? { ...rest, problem: prompt } : value }
  })
  return check(rows, file)
}

function parse(json: string, at: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new InvalidData(`${at}: not JSON (${(cause as Error).message})`, { cause })
  }
}
