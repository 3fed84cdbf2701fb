/**
 * Rows from text: JSON Lines, one line after another, one JSON array of any length, or the JSON array that the paper's
 * authors publish. A line, or an item, is bounded, so that a file without line ends costs no more memory than one with
 * them. A byte order mark is left out. A row that is no JSON is a row with a fault: the file goes on behind it.
 */
import { setImmediate } from 'node:timers/promises'
import type { Control } from '../engine/port.ts'
import { ArrayItems, beginsArray } from './array.ts'
import { kind } from './cells.ts'
import type { Row, Rows } from './columns.ts'
import { InvalidData } from './faults.ts'
import { parse, takenOut } from './json.ts'
import type { RegularFile } from './local.ts'

/** Bytes of a line, or of an item: as much as thousands of problems have. */
const mostLine = 16 * 2 ** 20
/** Bytes of what is parsed at once: a published array, DeepScaleR's largest has 5 MiB; an object in place of rows. */
const mostWhole = 64 * 2 ** 20
/** Bytes that are read, and parsed, between two looks at the signal. */
const atOnce = 2 ** 20
/** Bytes that are looked at to tell an array from lines. */
const start = 4096

/** A file of JSON: an array where it begins as one, else lines. */
export async function jsonRowsOf(file: RegularFile, control: Control): Promise<Rows> {
  const isArray = beginsArray(await file.read(0, Math.min(start, file.sizeBytes)))
  return isArray ? arrayOf(file, control) : linesOf(file, control, true)
}

/** One JSON value a line; empty lines are skipped. `exact`: numbers that a double would round stay as written. */
export function linesOf(file: RegularFile, control: Control, exact = false): Rows {
  const place = (line: number) => `${file.name}:${line}`
  return { place, batches: parsedLines(file, place, control, exact) }
}

async function* parsedLines(
  file: RegularFile,
  place: (line: number) => string,
  control: Control,
  exact: boolean,
): AsyncIterable<readonly Row[]> {
  let number = 0
  let isFirst = true
  let rest: Uint8Array[] = []
  let restBytes = 0
  for await (const { bytes, isLast } of piecesOf(file, control)) {
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
      const row = rowOf(rest.length === 1 ? piece : Buffer.concat(rest), number, place(number), exact)
      rest = []
      restBytes = 0
      if (row === null) continue
      if (isFirst && row.fault !== undefined) await refuseOther(file, row)
      isFirst = false
      rows.push(row)
    }
    yield rows
    await setImmediate()
  }
}

interface Piece {
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

async function* piecesOf(file: RegularFile, control: Control): AsyncIterable<Piece> {
  const { sizeBytes } = file
  for (let from = 0; from < sizeBytes; from += atOnce) {
    control.signal.throwIfAborted()
    control.progress({ phase: 'load', done: from, total: sizeBytes })
    const bytes = await file.read(from, Math.min(from + atOnce, sizeBytes))
    yield { bytes, isLast: from + atOnce >= sizeBytes }
  }
}

const newline = 0x0a
const utf8 = new TextDecoder('utf-8', { fatal: true }) // leaves out a byte order mark

/** Null for white space. */
function rowOf(bytes: Uint8Array, number: number, place: string, exact: boolean): Row | null {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return { number, value: null, fault: `${place}: is not UTF-8` }
  }
  if (text.trim() === '') return null
  try {
    return { number, value: parse(text, place, exact) }
  } catch (error) {
    return { number, value: null, fault: (error as InvalidData).message }
  }
}

/** Of a file whose first line is no JSON: other bytes, or one object over several lines, which may have the rows in it. */
async function refuseOther(file: RegularFile, { fault = '' }: Row): Promise<void> {
  const { name, sizeBytes } = file
  if (fault.endsWith('is not UTF-8'))
    throw new InvalidData(`${name}: is neither Parquet nor JSON Lines in UTF-8`)
  if (sizeBytes > mostWhole) return
  let whole: unknown
  try {
    whole = JSON.parse(utf8.decode(await file.read(0, sizeBytes)))
  } catch {
    return
  }
  const lists = Object.entries(whole as object).filter(([, value]) => isList(value))
  const inside = lists.map(([key, list]) => `${JSON.stringify(key)}, a list of ${(list as unknown[]).length}`)
  const advice =
    lists.length === 0 ? '' : `; its rows may be in ${inside[0]}: ${takenOut(lists[0]?.[0] ?? '', name)}`
  throw new InvalidData(`${name}: is one JSON object over several lines, expected ${layouts}${advice}`)
}

const layouts = 'an object a line (JSON Lines), one JSON array of objects, or Parquet'
const isList = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'object')

/** One JSON array; rows are its items, from 1. */
function arrayOf(file: RegularFile, control: Control): Rows {
  const place = (item: number) => `${file.name}, item ${item}`
  return { place, batches: parsedItems(file, place, control) }
}

async function* parsedItems(
  file: RegularFile,
  place: (item: number) => string,
  control: Control,
): AsyncIterable<readonly Row[]> {
  const items = new ArrayItems()
  let number = 0
  const within = <T>(body: () => T): T => {
    try {
      return body()
    } catch (cause) {
      const { message } = cause as SyntaxError
      throw new InvalidData(`${file.name}: is not one JSON array: ${message}; expected ${layouts}`, { cause })
    }
  }
  for await (const { bytes } of piecesOf(file, control)) {
    const rows = within(() => items.push(bytes)).map((item): Row => {
      number += 1
      const row = rowOf(item, number, place(number), true)
      return row ?? { number, value: null, fault: `${place(number)}: is empty, expected an object` }
    })
    if (items.restBytes > mostLine)
      throw new InvalidData(`${place(number + 1)}: is longer than ${mostLine / 2 ** 20} MiB`)
    yield rows
    await setImmediate()
  }
  within(() => items.end())
}

/** Items of a JSON array of objects whose problem is called `prompt`. */
export async function itemsOf(file: RegularFile): Promise<Rows> {
  const { name, sizeBytes } = file
  if (sizeBytes > mostWhole)
    throw new InvalidData(`${name}: has ${sizeBytes} bytes, an array may have ${mostWhole}`)
  try {
    return publishedRows(utf8.decode(await file.read(0, sizeBytes)), name)
  } catch (cause) {
    if (cause instanceof InvalidData) throw cause
    throw new InvalidData(`${name}: is not UTF-8`, { cause })
  }
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
