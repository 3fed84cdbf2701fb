/** Cells of a row that was read: by name, by what a name with dots leads to, and what they may be. */
import { isWellFormed, ownField } from '../contracts/shape.ts'
import { InvalidData } from './faults.ts'
import { Written } from './json.ts'

export const isWhole = (cell: unknown): cell is bigint | number =>
  typeof cell === 'bigint' || Number.isSafeInteger(cell)

export function requireText(value: unknown, name: string, place: string): string {
  if (typeof value !== 'string')
    throw new InvalidData(`${place}: column "${name}" is ${kind(value)}, expected text`)
  if (value.trim() === '') throw new InvalidData(`${place}: column "${name}" is empty`)
  requireWellFormed(value, name, place)
  return value
}

/** Half of a pair of surrogates is no character: written as UTF-8 it becomes another text. */
export function requireWellFormed(text: string, name: string, place: string): void {
  if (!isWellFormed(text))
    throw new InvalidData(
      `${place}: column ${JSON.stringify(name)} holds half of a character (a surrogate without its other half), expected text that UTF-8 can write`,
    )
}

/** A column by its name, or what a name with dots leads to. */
export function at(row: unknown, name: string): unknown {
  const found = ownField(row, name)
  return found ?? (name.includes('.') ? name.split('.').reduce<unknown>(ownField, row) : found)
}

export const kind = (value: unknown) =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'an array'
      : value instanceof Written
        ? 'number'
        : typeof value
