/** A plan as people read it: bytes in binary units, times in the largest ones, and where each figure comes from. */
import type { Quantity, Worker } from './plan.ts'

/** What it is of, its name, its value, its source. */
export type Row = [of: string, name: string, value: string, source: string]

export const rowsOf = (quantities: readonly Quantity[]): Row[] =>
  quantities.map((quantity) => [quantity.of, quantity.name, shown(quantity), sourceOf(quantity)])

/** What a person should know before starting it. */
export function notesOf(quantities: readonly Quantity[], { memoryBytes }: Worker): string[] {
  return quantities
    .filter(({ name, value }) => name.endsWith('memory') && value > memoryBytes)
    .map(
      (one) =>
        `${one.of}: ${one.name} of ${shown(one)} is more than this machine's ${sizeOf(memoryBytes)}, if completions go to their limit`,
    )
}

export function sizeOf(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1]
  return unit === 0 ? `${value} B` : `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`
}

export function durationOf(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48
    ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

function shown({ value, unit }: Quantity): string {
  if (unit === 'bytes') return sizeOf(value)
  if (unit === 'seconds') return durationOf(value)
  if (unit === 'FLOP') return `${value.toExponential(2)} FLOP`
  return `${Math.round(value).toLocaleString('en-US')}${unit === 'count' ? '' : ` ${unit}`}`
}

function sourceOf({ source }: Quantity): string {
  if (source.kind === 'exact') return 'exact'
  return source.kind === 'measured' ? `measured on ${source.on}` : `estimated: ${source.by}`
}
