/**
 * Rows from text: JSON Lines, one line after another, or the JSON array that the paper's authors publish. A line is
 * bounded, so that a file without line ends costs no more memory than one with them. A byte order mark is left out.
 */
import { setImmediate } from 'node:timers/promises'
import type { Control } from '../engine/port.ts'
import { parseJson } from '../faults/json.ts'
import { kind, type Row, type Rows } from './columns.ts'
import { InvalidData } from './faults.ts'
import type { RegularFile } from './local.ts'

/** Bytes of a line: as much as thousands of problems have. */
const mostLine = 16 * 2 ** 20
/** Bytes of an array, which is parsed at once; DeepScaleR's largest file has 5 MiB. */
const mostArray = 64 * 2 ** 20
/** Bytes that are read, and parsed, between two looks at the signal. */
const atOnce = 2 ** 20

/** One JSON value a line; empty lines are skipped. */
export function linesOf(file: RegularFile, control: Control): Rows {
  const place = (line: number) => `${file.name}:${line}`
  return { place, batches: parsedLines(file, place, control) }
}

async function* parsedLines(
  file: RegularFile,
  place: (line: number) => string,
  control: Control,
): AsyncIterable<readonly Row[]> {
  let number = 0
  let rest: Uint8Array[] = []
  let restBytes = 0
  for (let from = 0; from < file.sizeBytes; from += atOnce) {
    control.signal.throwIfAborted()
    control.progress({ phase: 'load', done: from, total: file.sizeBytes })
    const bytes = await file.read(from, Math.min(from + atOnce, file.sizeBytes))
    const isLast = from + atOnce >= file.sizeBytes
    const rows: Row[] = []
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf(newline, at)
      const piece = bytes.subarray(at, end < 0 ? bytes.length : end)
      restBytes += piece.length
      if (restBytes > mostLine)
        throw new InvalidData(`${place(number + 1)}: is longer than ${mostLine / 2 ** 20} MiB`)
      rest.push(piece)
      at += piece.length + 1
      if (end < 0 && !isLast) break
      number += 1
      const line = decoded(rest.length === 1 ? piece : Buffer.concat(rest), number, file.name)
      rest = []
      restBytes = 0
      if (line.trim() !== '') rows.push({ number, value: parse(line, place(number)) })
    }
    yield rows
    await setImmediate()
  }
}

const newline = 0x0a
const utf8 = new TextDecoder('utf-8', { fatal: true })

function decoded(bytes: Uint8Array, line: number, name: string): string {
  try {
    return utf8.decode(bytes) // without a byte order mark
  } catch (cause) {
    const what =
      line === 1 ? `${name}: is neither Parquet nor JSON Lines in UTF-8` : `${name}:${line}: is not UTF-8`
    throw new InvalidData(what, { cause })
  }
}

/** Items of a JSON array of objects whose problem is called `prompt`. */
export async function itemsOf(file: RegularFile): Promise<Rows> {
  const { name, sizeBytes } = file
  if (sizeBytes > mostArray)
    throw new InvalidData(`${name}: has ${sizeBytes} bytes, an array may have ${mostArray}`)
  return publishedRows(decoded(await file.read(0, sizeBytes), 1, name), name)
}

export function publishedRows(text: string, name: string): Rows {
  const array = parse(text, name)
  if (!Array.isArray(array)) throw new InvalidData(`${name}: expected a JSON array, found ${kind(array)}`)
  const rows = array.map((value: unknown, i) => {
    const isRow = typeof value === 'object' && value !== null && 'prompt' in value
    const { prompt, ...rest } = isRow ? value : { prompt: undefined }
    return { number: i + 1, value: isRow ? { ...rest, problem: prompt } : value }
  })
  return { place: (item) => `${name}, item ${item}`, batches: [rows] }
}

function parse(json: string, place: string): unknown {
  const parsed = parseJson(json)
  if (parsed.fault !== undefined) throw new InvalidData(`${place}: not JSON (${parsed.fault})`)
  return parsed.value
}
