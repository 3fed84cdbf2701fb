/**
 * Rows from Parquet: row group after row group, page after page, the columns that are asked for and no others. What a
 * file cannot be is InvalidData, with what was found; so is what would take more room than a page may have.
 */
import { setImmediate } from 'node:timers/promises'
import type { Control } from '../../engine/port.ts'
import type { Row, Rows } from '../columns.ts'
import { InvalidData } from '../faults.ts'
import type { RegularFile } from '../local.ts'
import { Beyond } from './bytes.ts'
import { Column, mostAtOnce } from './column.ts'
import { readLayout, type Layout } from './footer.ts'

/** Rows that are put together at once, and values in them. */
interface Portion {
  readonly rows: number
  readonly values: number
}

const usual: Portion = { rows: 1024, values: mostAtOnce }

/** What a Parquet file begins with. */
export const isParquet = async (file: RegularFile) =>
  Buffer.from(await file.read(0, Math.min(4, file.sizeBytes))).toString('latin1') === 'PAR1'

/** `wanted`: columns by name, or what a name with dots begins with; the file may lack some, the caller says so. */
export async function rowsOfParquet(
  file: RegularFile,
  wanted: readonly string[],
  control: Control,
): Promise<Rows> {
  const isWanted = (name: string) => wanted.some((want) => want === name || want.startsWith(`${name}.`))
  const layout = await named(file, () => readLayout(file, isWanted))
  return {
    place: (row) => `${file.name}, row ${row}`,
    columns: layout.names,
    fractions: layout.fractions,
    batches: rowsOf(layout, file, control, usual),
  }
}

/**
 * All rows in all columns, and what the file says of itself. `portion` bounds what is decoded without a pause. What goes
 * wrong is InvalidData, as above.
 */
export async function wholeOfParquet(
  file: RegularFile,
  portion: Portion,
  control: Control,
): Promise<{ readonly metadata: Layout['metadata']; readonly rows: Record<string, unknown>[] }> {
  const layout = await named(file, () => readLayout(file, () => true))
  const rows: Record<string, unknown>[] = []
  for await (const batch of rowsOf(layout, file, control, portion))
    for (const { value } of batch) rows.push(value as Record<string, unknown>)
  return { metadata: layout.metadata, rows }
}

async function* rowsOf(
  { groups, columns, rows }: Layout,
  file: RegularFile,
  control: Control,
  { rows: atOnce, values: most }: Portion,
): AsyncIterable<readonly Row[]> {
  // Nothing is read of a file that has none of the columns: a row is enough to say so.
  if (columns.length === 0 && rows > 0) {
    yield [{ number: 1, value: {} }]
    return
  }
  let done = 0
  for (const group of groups) {
    const readers = columns.map((tree) => ({
      name: tree.element.name,
      column: new Column(file, tree, group.chunks, most),
    }))
    for (let from = 0; from < group.rows; from += atOnce) {
      control.signal.throwIfAborted()
      control.progress({ phase: 'load', done, total: rows })
      const count = Math.min(atOnce, group.rows - from)
      const values: (readonly [name: string, values: ArrayLike<unknown>])[] = []
      for (const { name, column } of readers) values.push([name, await named(file, () => column.take(count))])
      yield Array.from({ length: count }, (_, i) => ({ number: done + i + 1, value: rowAt(values, i) }))
      done += count
      await setImmediate()
    }
  }
}

function rowAt(columns: readonly (readonly [name: string, values: ArrayLike<unknown>])[], i: number): object {
  const row: Record<string, unknown> = {}
  for (const [name, values] of columns)
    if (name === '__proto__') Object.defineProperty(row, name, { value: values[i], enumerable: true })
    else row[name] = values[i]
  return row
}

/** What goes wrong in a decoder is wrong in the file; a disk that fails, and whoever stops it, is left as it is. */
async function named<T>(file: RegularFile, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof InvalidData || 'syscall' in cause) throw cause
    const { message } = cause
    if (cause instanceof Beyond) throw new InvalidData(`${file.name}: ${message}`, { cause })
    throw new InvalidData(
      `${file.name}: is not a whole Parquet file of ${file.sizeBytes} bytes (${message})`,
      { cause },
    )
  }
}
