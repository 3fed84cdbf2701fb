/**
 * Rows as comma-separated values (RFC 4180, UTF-8, a header, lines that end with CRLF), for spreadsheets: what DuckDB or
 * pandas want is the Parquet beside it.
 *
 * Numbers are written as JSON writes them, with a point; what was not measured is empty. Texts come from users and from
 * errors, so one that a spreadsheet would take for a formula gets an apostrophe before it, and stays text.
 */
type Cell = string | number | null | undefined

/** Columns are those of all rows, in order of first appearance. */
export function csv(
  rows: readonly Readonly<Record<string, Cell>>[],
  columns: readonly string[] = columnsOf(rows),
): string {
  if (columns.length === 0) return ''
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))]
  return lines.map((line) => `${line.map(field).join(',')}\r\n`).join('')
}

const columnsOf = (rows: readonly Readonly<Record<string, Cell>>[]) => [
  ...new Set(rows.flatMap((row) => Object.keys(row))),
]

function field(cell: Cell): string {
  if (cell === null || cell === undefined) return ''
  if (typeof cell === 'number') return String(cell)
  const text = formula.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Begins, whatever space is before it, as spreadsheets' formulas do; full-width signs count in some. */
const formula = /^[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠]|^[\t\r\n]/u
