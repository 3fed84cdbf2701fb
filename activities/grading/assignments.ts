/**
 * Values under their names: x = 1, y = 2 beside (1, 2), in whatever order they are written; p = 5, q = 2; p = 7, q = 2 beside
 * (5, 2), (7, 2); (x, y) = (1, 2) beside y = 2, x = 1.
 *
 * A tuple has its order and names have theirs, the alphabet's. Coordinates x, y, z are known by it alone; other names may
 * also stand in the order in which they are written.
 */
import { print, type Expression, type List, type Relation } from './expression.ts'
import { isName } from './statement.ts'

export interface Assignment {
  readonly name: string
  readonly value: Expression
}

/** Names and values of x = 1, y = 2, of (x, y) = (1, 2) and of x = y = 3, in order; null for anything else, repeated names too. */
export function assignmentsOf(expression: Expression): Assignment[] | null {
  const found = expression.kind === 'relation' ? ofRelation(expression) : ofList(expression)
  return found !== null && found.length > 1 && new Set(found.map(({ name }) => name)).size === found.length
    ? found
    : null
}

function ofList(expression: Expression): Assignment[] | null {
  if (expression.kind !== 'list' || !/^(?:[({]?|row)$/.test(expression.open)) return null
  const all = expression.items.map((item) => (item.kind === 'relation' ? ofRelation(item) : null))
  return all.every((found) => found !== null) ? all.flat() : null
}

function ofRelation({ items, operators }: Relation): Assignment[] | null {
  const [names, value] = [items.slice(0, -1), items.at(-1)]
  if (value === undefined || !operators.every((operator) => operator === '=') || !names.every(isName))
    return null
  const [first] = names
  if (first?.kind === 'list') {
    if (
      names.length > 1 ||
      value.kind !== 'list' ||
      value.open !== '(' ||
      value.items.length !== first.items.length
    )
      return null
    return first.items.map((name, i) => ({ name: print(name), value: value.items[i]! }))
  }
  if (value.kind === 'list') return null
  return names.map((name) => ({ name: print(name), value }))
}

/** Whether all values agree under the same names; null where the names are not the same. */
export function sameAssignments(
  a: readonly Assignment[],
  b: readonly Assignment[],
  same: (a: Expression, b: Expression) => boolean,
): boolean | null {
  const values = new Map(b.map(({ name, value }) => [name, value]))
  if (a.length !== b.length || a.some(({ name }) => !values.has(name))) return null
  return a.every(({ name, value }) => same(value, values.get(name)!))
}

/** The tuples that assignments may mean: by the order of names, and as written where the names are no coordinates. */
export function tuplesOf(assignments: readonly Assignment[]): List[] {
  const sorted = assignments.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const coordinates = assignments.every(({ name }) => /^[xyz]$/.test(name))
  return [sorted, ...(coordinates ? [] : [assignments])].map((all) => ({
    kind: 'list',
    open: '(',
    close: ')',
    items: all.map(({ value }) => value),
  }))
}

/** x_2 before x_10; Greek letters by their names. */
const keyOf = ({ name }: Assignment) =>
  name.replace(/^\\/, '').replace(/\d+/g, (digits) => digits.padStart(9, '0'))

/** A list in which the same names come round again, or whose groups are assignments, as the list of their tuples. */
export function grouped(list: List): List | null {
  if (list.open !== '' && list.open !== '{') return null
  const groups = groupsOf(list.items)
  if (groups === null || groups.length < 2) return null
  const all = groups.map((items) => assignmentsOf({ kind: 'list', open: '', close: '', items }))
  if (!all.every((group) => group !== null)) return null
  return { ...list, items: all.map((group) => tuplesOf(group)[0]!) }
}

function groupsOf(items: readonly Expression[]): Expression[][] | null {
  if (items.every((item) => item.kind === 'list' && item.open === 'row'))
    return items.map((item) => [...(item as List).items])
  const names = items.map((item) =>
    item.kind === 'relation' && isName(item.items[0]!) ? print(item.items[0]!) : null,
  )
  const period = names.indexOf(names[0]!, 1)
  if (names[0] === null || period < 2 || items.length % period !== 0) return null
  if (names.some((name, i) => name !== names[i % period])) return null
  return Array.from({ length: items.length / period }, (_, i) => items.slice(i * period, (i + 1) * period))
}
