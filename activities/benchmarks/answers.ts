/**
 * From a cell to the gold answers in it: a text, a number, or a list of them, of which any counts. An answer may be what
 * stands behind a mark, as GSM8K ends its solutions: `#### 17`, where commas part thousands. What nobody could give is
 * refused: nothing, white space, NaN. Numbers become the digits that they were written with, never a rounded double's.
 */
import { expanded, Written } from './json.ts'
import { InvalidData } from './faults.ts'

/** GSM8K's, on the last line of a solution. */
export const usualMark = '####'
const behindUsual = /(?:^|\n)[^\S\n]*####[^\S\n]*\S[^\n]*\s*$/

/** Answers of one problem; longer lists are something else. */
const mostAnswers = 1000

export interface AnswerRule {
  /** What the answer stands behind; null: it is the whole cell. */
  readonly mark: string | null
  /** Of a number in a column of its own kind. */
  readonly fractions: Fractions | null
}

/** Of single precision, or of a decimal number with so many places; else a number is a double's. */
export type Fractions = 'single' | { readonly scale: number }

/** At least one, each once. `place`: of the cell, with its column. Throws InvalidData. */
export function goldsIn(cell: unknown, place: string, rule: AnswerRule): string[] {
  if (!Array.isArray(cell)) return [goldIn(cell, place, rule)]
  if (cell.length === 0) throw new InvalidData(`${place} is an empty list, expected an answer in it`)
  if (cell.length > mostAnswers)
    throw new InvalidData(`${place} is a list of ${cell.length}, expected at most ${mostAnswers} answers`)
  return [...new Set(cell.map((item, i) => goldIn(item, `${place}, item ${i + 1},`, rule)))]
}

function goldIn(cell: unknown, place: string, { mark, fractions }: AnswerRule): string {
  const text = textOf(cell, fractions)
  if (text === null)
    throw new InvalidData(`${place} is ${named(cell)}, expected text, a number or a list of them`)
  if (text.trim() === '') throw new InvalidData(`${place} is empty`)
  if (mark === null) return text
  const at = text.lastIndexOf(mark)
  if (at < 0) throw new InvalidData(`${place} has no ${JSON.stringify(mark)} (columns.answer.after)`)
  const behind = text.slice(at + mark.length).trim()
  if (behind === '') throw new InvalidData(`${place} has nothing behind its last ${JSON.stringify(mark)}`)
  return mark === usualMark ? behind.replace(thousands, (number) => number.replaceAll(',', '')) : behind
}

/** As GSM8K writes them: 1,250 is 1250 there, where elsewhere it could be 1.25. */
const thousands = /^-?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$/

/** Whether a cell ends as GSM8K's answers do. */
export const hasUsualMark = (cell: unknown): boolean => typeof cell === 'string' && behindUsual.test(cell)

/** A text as it is, a number in digits; null for anything else, and for numbers that are none. */
function textOf(cell: unknown, fractions: Fractions | null): string | null {
  if (typeof cell === 'string') return cell
  if (typeof cell === 'bigint') return String(cell)
  if (cell instanceof Written) return cell.text
  if (typeof cell !== 'number' || !Number.isFinite(cell) || Math.abs(cell) > Number.MAX_SAFE_INTEGER)
    return null
  return expanded(String(meant(cell, fractions)))
}

/** 57 hundredths are read as 57 x 0.01, a little more than 0.57: the number that was written. */
function meant(cell: number, fractions: Fractions | null): number {
  if (fractions === null) return cell
  return fractions === 'single' ? shortest(cell) : Number(cell.toFixed(Math.min(100, fractions.scale)))
}

/** 0.1 of single precision is 0.10000000149011612 of double: the number of the fewest digits that gives the same. */
function shortest(single: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const value = Number(single.toPrecision(digits))
    if (Math.fround(value) === single) return value
  }
  return Number(single.toPrecision(9)) // as many as always suffice
}

function named(cell: unknown): string {
  if (cell === null) return 'null'
  if (typeof cell !== 'number') return Array.isArray(cell) ? 'a list' : typeof cell
  if (!Number.isFinite(cell)) return String(cell)
  return `${cell}, which a double does not hold exactly`
}
