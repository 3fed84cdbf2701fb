/**
 * Names that the answer chose itself: the constant of an antiderivative, + c for + C, numbered constants, and the whole
 * number in a period, kπ for nπ. One is renamed as the other where each side has one and neither the other's.
 */
import { parts, type Expression } from './expression.ts'
import { bare, rename } from './statement.ts'

/** `given` under the names of `gold`; null where there is nothing to rename. */
export function underNamesOf(gold: Expression, given: Expression): Expression | null {
  const [ours, theirs] = [symbolsOf(gold), symbolsOf(given)]
  let renamed = given
  for (const [from, to] of pairs(bare(gold), bare(given), ours, theirs))
    if (!ours.has(from) && !theirs.has(to)) renamed = rename(renamed, from, to)
  return renamed === given ? null : renamed
}

function* pairs(
  gold: Expression,
  given: Expression,
  ours: ReadonlySet<string>,
  theirs: ReadonlySet<string>,
): Generator<readonly [from: string, to: string]> {
  const [a, b] = [constantOf(gold, ours), constantOf(given, theirs)]
  if (a !== null && b !== null) yield [b, a]
  for (const name of theirs) if (/^[cC]_\d$/.test(name)) yield [name, swapped(name)]
  const [k, n] = [periodOf(ours), periodOf(theirs)]
  if (k !== null && n !== null) yield [n, k]
}

const swapped = (name: string) => (name.startsWith('c') ? `C${name.slice(1)}` : `c${name.slice(1)}`)

const constants = /^[cCkK]$/
const integrated = /^(?:[xyztuvwrs]|\\theta)$/ // what one integrates over

/** The constant of an antiderivative: a term of its own, beside a variable. */
function constantOf(expression: Expression, symbols: ReadonlySet<string>): string | null {
  if (expression.kind !== 'sum' || ![...symbols].some((name) => integrated.test(name))) return null
  const found = expression.items.flatMap((item) =>
    item.kind === 'symbol' && constants.test(item.name) ? [item.name] : [],
  )
  const [name] = found
  if (found.length !== 1 || name === undefined) return null
  return expression.items.filter((item) => symbolsOf(item).has(name)).length === 1 ? name : null
}

/** The whole number beside π. */
function periodOf(symbols: ReadonlySet<string>): string | null {
  const found = [...symbols].filter((name) => /^[kmn]$/.test(name))
  return symbols.has('pi') && found.length === 1 ? found[0]! : null
}

function symbolsOf(expression: Expression, found = new Set<string>()): Set<string> {
  if (expression.kind === 'symbol') found.add(expression.name)
  else for (const part of parts(expression)) symbolsOf(part, found)
  return found
}
