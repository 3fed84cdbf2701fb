/**
 * Numbers as the report prints them, and the table of effects as monospaced text for a terminal.
 *
 * Accuracies and differences are in percentage points with one decimal: the binomial error of 500 problems is 2.2, so
 * a second one would be noise. A difference always carries its sign.
 */
import type { RunResult } from '../contracts.ts'
import type { Drift } from '../analysis/drift.ts'
import type { Effect, Effects } from '../analysis/effects.ts'
import type { Estimate } from '../analysis/intervals.ts'

/** A share as percent, `86.1`. */
export const percent = (share: number) => fixed(100 * share, 1)
/** A difference of shares in points, with sign: `+31.0`, `-0.4`, `0.0`. */
export const points = (difference: number) => {
  const text = percent(difference)
  return difference > 0 && text !== '0.0' ? `+${text}` : text
}
/** The bounds alone: `[+27.1, +34.9]`, or what is missing. */
export const bounds = ({ low, high }: Estimate, print: (x: number) => string) =>
  low === null || high === null ? '[no interval]' : `[${print(low)}, ${print(high)}]`

/** Rounded, never `-0.0`. */
export function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits)
  return Number(text) === 0 ? (0).toFixed(digits) : text
}

/** What the intervals of these rows allow for, in words; the cautious reading where rows differ. */
export function allowsText(rows: readonly Effect[]): string {
  const kinds = new Set(
    rows.flatMap((row) => [row.overNull, row.overRandom, row.gain].flatMap((e) => e?.allows ?? [])),
  )
  if (kinds.size === 0) return 'no difference was measured'
  if (kinds.size === 1 && kinds.has('seeds and problems')) return 'for new seeds and new problems'
  if (kinds.has('nothing')) return 'where there is more than one seed; a single run has none'
  if (kinds.has('problems')) return 'for new problems only where an arm has one seed'
  return 'for new seeds on the same problems'
}

const columns = ['', 'seeds', 'start', 'end', 'over null', 'over random', 'code'] as const

/** The table of effects, one block a benchmark and model, aligned; ends with a newline. */
export function effectsText({ rows, failures }: Effects): string {
  if (rows.length === 0 && failures.length === 0) return 'no evaluated runs\n'
  const blocks = new Map<string, Effect[]>()
  for (const row of rows) {
    const name = `${row.model} on ${row.benchmark}`
    blocks.set(name, [...(blocks.get(name) ?? []), row])
  }
  const cells = rows.map(textCells)
  const widths = columns.map((title, c) => Math.max(title.length, ...cells.map((row) => row[c]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0))).join('  ')}`.trimEnd()
  const text = [...blocks].flatMap(([name, block]) => [
    name,
    line(columns),
    ...block.map((row) => line(textCells(row))),
    '',
  ])
  if (rows.length > 0)
    text.push(`Points of accuracy with 95% intervals ${allowsText(rows)}; not adjusted for their number.`)
  for (const { model, arm, seed, step, failure } of failures)
    text.push(`failed: ${printable(model)} ${arm} seed ${seed} after step ${step}: ${printable(failure)}`)
  return `${text.join('\n')}\n`
}

/** Runs that a rule of their spec ended, a line each. */
export const stoppedText = (runs: readonly RunResult[]) =>
  runs
    .flatMap(({ model, arm, seed, stopped }) =>
      stopped === undefined ? [] : [`stopped: ${printable(model)} ${arm} seed ${seed}: ${stopped}\n`],
    )
    .join('')

/** What drifted since the night before, a line a cell; cells that are the same are counted. Ends with a newline. */
export function driftText(drifts: readonly Drift[]): string {
  const known = drifts.flatMap(({ since, ...cell }) => (since === null ? [] : [{ ...cell, ...since }]))
  if (known.length === 0) return ''
  const moved = known.filter(({ same }) => !same)
  const lines = moved.map(
    ({ model, arm, benchmark, due, estimate }) =>
      `drift since ${due}: ${printable(model)} ${arm} on ${benchmark} ${points(estimate.value)} ${bounds(estimate, points)}`,
  )
  return [
    ...lines,
    `${known.length - moved.length} of ${known.length} cells ended as the night before`,
    '',
  ].join('\n')
}

function textCells(row: Effect): string[] {
  const estimate = (value: Estimate | null, print: (x: number) => string) =>
    value === null ? '-' : `${print(value.value)} ${bounds(value, print)}`
  const tried = row.seeds.length + row.failedSeeds.length
  return [
    row.arm,
    row.failedSeeds.length === 0 ? String(tried) : `${row.seeds.length}/${tried}`,
    row.start === null ? '-' : percent(row.start.value),
    estimate(row.end, percent),
    estimate(row.overNull, points),
    estimate(row.overRandom, points),
    row.codeStart === null || row.codeEnd === null
      ? '-'
      : `${fixed(100 * row.codeStart, 0)}→${fixed(100 * row.codeEnd, 0)}%`,
  ]
}

/** One line without control characters: a failure's message may quote anything, a terminal obeys some of it. */
const printable = (text: string) => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 400)
