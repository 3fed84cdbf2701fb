/**
 * Matrices as answers: brackets within brackets as matrices, and sums, products, multiples, powers and transposes of
 * matrices worked out entry by entry, where shapes agree and the result stays small. Entries are expressions, symbols too.
 *
 * Left out: inverses, determinants, and products of vectors, whose meaning the brackets do not tell.
 */
import { spend } from './budget.ts'
import { exact } from './evaluate.ts'
import { mapParts, parts, some, type Expression, type List } from './expression.ts'

/** Rows of entries. */
type Rows = readonly (readonly Expression[])[]

const mostEntries = 64
const largestPower = 6n

/** The expression with what combines matrices worked out; the same where nothing does. */
export function combined(expression: Expression): Expression {
  if (expression.kind === 'list' && expression.open === 'matrix') return expression
  if (!some(expression, (part) => part.kind === 'list' && /^(?:matrix|\(|\[)$/.test(part.open)))
    return expression
  const inner =
    expression.kind === 'list' || expression.kind === 'relation' ? mapParts(expression, combined) : expression
  if (inner.kind !== 'sum' && inner.kind !== 'product' && inner.kind !== 'quotient' && inner.kind !== 'power')
    return inner
  return work(inner) ?? inner
}

/** A list of rows in brackets as a matrix, [[1, 2], [3, 4]] and [1, 2; 3, 4]; null for what is none. */
export function asMatrix(expression: Expression): List | null {
  if (expression.kind !== 'list') return null
  if (expression.open === 'matrix') return expression
  if (!/^[([{]$/.test(expression.open) || expression.items.length === 0) return null
  const rows = expression.items.map((row) =>
    row.kind === 'list' && /^(?:[([{]|row)$/.test(row.open) ? row.items : [row],
  )
  const width = rows[0]!.length
  if (rows.some((row) => row.length !== width) || !expression.items.every(({ kind }) => kind === 'list'))
    return null
  return matrixOf(rows)
}

const matrixOf = (rows: Rows): List => ({
  kind: 'list',
  open: 'matrix',
  close: '',
  items: rows.map((items) => ({ kind: 'list', open: 'row', close: '', items })),
})

const rowsOf = ({ items }: List): Rows => items.map((row) => (row.kind === 'list' ? row.items : [row]))

const isMatrix = (expression: Expression): expression is List =>
  expression.kind === 'list' && expression.open === 'matrix'
const isTuple = (expression: Expression): expression is List =>
  expression.kind === 'list' &&
  expression.open === '(' &&
  expression.close === ')' &&
  expression.items.length > 1

/** A matrix or a tuple, or null where the parts do not combine into one. */
function work(expression: Expression): List | null {
  if (isMatrix(expression) || isTuple(expression)) return expression
  switch (expression.kind) {
    case 'sum': {
      const terms = expression.items.map(work)
      return terms.reduce((total, term) => total && term && added(total, term))
    }
    case 'product':
      return multiplied(expression.items)
    case 'quotient': {
      const over = work(expression.over)
      return over && everyEntry(over, (entry) => ({ kind: 'quotient', over: entry, under: expression.under }))
    }
    case 'power':
      return raised(expression.base, expression.exponent)
    default:
      return null
  }
}

function everyEntry(list: List, change: (entry: Expression) => Expression): List {
  if (isTuple(list)) return { ...list, items: list.items.map(change) }
  return matrixOf(rowsOf(list).map((row) => row.map(change)))
}

function added(a: List, b: List): List | null {
  if (a.open !== b.open || a.items.length !== b.items.length) return null
  if (isTuple(a))
    return { ...a, items: a.items.map((item, i) => ({ kind: 'sum', items: [item, b.items[i]!] })) }
  const [left, right] = [rowsOf(a), rowsOf(b)]
  if (left.some((row, i) => row.length !== right[i]!.length)) return null
  return matrixOf(
    left.map((row, i) => row.map((entry, j) => ({ kind: 'sum', items: [entry, right[i]![j]!] }))),
  )
}

/** Scalars times at most one tuple, or times matrices in their order. */
function multiplied(factors: readonly Expression[]): List | null {
  const lists = factors.map(work)
  const found = lists.filter((list) => list !== null)
  const scalars = factors.filter((_, i) => lists[i] === null)
  if (found.length === 0 || scalars.some((factor) => some(factor, ({ kind }) => kind === 'list'))) return null
  if (found.length > 1 && found.some(isTuple)) return null
  // A(1, 2) is a point with its name, not a multiple of one.
  if (
    found.some(isTuple) &&
    scalars.length === 1 &&
    scalars[0]!.kind === 'symbol' &&
    /^[A-Z]/.test(scalars[0].name)
  )
    return found[0]!
  const product = found.reduce<List | null>((total, list) => total && times(total, list), unit)
  if (product === null || scalars.length === 0) return product
  return everyEntry(product, (entry) => ({ kind: 'product', items: [...scalars, entry] }))
}

const unit: List = { kind: 'list', open: '1', close: '', items: [] }

function times(a: List, b: List): List | null {
  if (a === unit) return b
  const [left, right] = [rowsOf(a), rowsOf(b)]
  const width = right[0]?.length ?? 0
  if (left.some((row) => row.length !== right.length) || left.length * width > mostEntries) return null
  const product = matrixOf(
    left.map((row) =>
      Array.from({ length: width }, (_, j) => ({
        kind: 'sum' as const,
        items: row.map((entry, k) => ({ kind: 'product' as const, items: [entry, right[k]![j]!] })),
      })),
    ),
  )
  weigh(product)
  return folded(product)
}

/** Spends what an expression has of parts: entries grow by products of products, and the budget ends that. */
function weigh(expression: Expression): void {
  spend(1)
  for (const part of parts(expression)) weigh(part)
}

function raised(base: Expression, exponent: Expression): List | null {
  const transposed = exponent.kind === 'symbol' && (exponent.name === 'T' || exponent.name === '\\top')
  if (transposed && base.kind === 'list' && /^[([]$/.test(base.open) && asMatrix(base) === null)
    return { ...base, open: '(', close: ')' }
  const matrix = asMatrix(base) ?? work(base)
  if (matrix === null || !isMatrix(matrix)) return null
  const rows = rowsOf(matrix)
  if (transposed) return matrixOf((rows[0] ?? []).map((_, j) => rows.map((row) => row[j]!)))
  const power = exact(exponent)
  if (power === null || power.d !== 1n || power.n < 1n || power.n > largestPower) return null
  let product: List | null = matrix
  for (let i = 1n; i < power.n && product !== null; i++) product = times(product, matrix)
  return product
}

/** Entries that have an exact value as that value, so that powers do not grow as trees. */
function folded(matrix: List | null): List | null {
  return (
    matrix &&
    everyEntry(matrix, (entry) => {
      const value = exact(entry)
      return value === null ? entry : { kind: 'number', value }
    })
  )
}
