/**
 * Dimensions and shapes as algebra: broadcasting, products and sums of named sizes, axes. A size is a number or a name;
 * 'B*T' is a product of names, 'C+1' a sum. Names are compared as text: what is written in another order is another size.
 */
import type { Dim, Shape, Value } from './value.ts'

/** The common shape of two, by NumPy's rule; a name broadcasts only against itself and 1. */
export function broadcast(what: string, left: Shape, right: Shape): Dim[] {
  const rank = Math.max(left.length, right.length)
  return Array.from({ length: rank }, (_, i) => {
    const a = left[i - rank + left.length] ?? 1
    const b = right[i - rank + right.length] ?? 1
    if (a !== b && a !== 1 && b !== 1)
      throw new Error(`${what}: dims do not broadcast, left [${show(left)}], right [${show(right)}]`)
    return a === 1 ? b : a
  })
}

export function show(shape: Shape): string {
  return shape.join(',')
}

/** Number of elements, as a factor and the sorted names it is multiplied by. */
export function product(shape: Shape): { factor: number; names: string } {
  const parts = shape.flatMap((d): Dim[] => (typeof d === 'number' ? [d] : d.split('*')))
  const isNumber = (d: Dim): boolean => /^\d+$/.test(`${d}`)
  return {
    factor: parts.filter(isNumber).reduce((n: number, d) => n * Number(d), 1),
    names: parts
      .filter((d) => !isNumber(d))
      .sort()
      .join('*'),
  }
}

/** Sum of sizes: a number, or sorted names with the number last ('C+1'). */
export function sum(dims: readonly Dim[]): Dim {
  const parts = dims.flatMap((d): Dim[] => (typeof d === 'number' ? [d] : d.split('+')))
  const number = parts.reduce((n: number, d) => (/^\d+$/.test(`${d}`) ? n + Number(d) : n), 0)
  const names = parts.filter((d) => !/^\d+$/.test(`${d}`)).sort()
  if (names.length === 0) return number
  return [...names, ...(number ? [number] : [])].join('+')
}

/** Content of an integer constant. */
export function integers(what: string, name: string, value: Value): number[] {
  if (!(value.data instanceof BigInt64Array))
    throw new Error(`${what}: ${name} must be an int64 constant (or declare dims), found ${describe(value)}`)
  return Array.from(value.data, Number)
}

/** A non-negative axis. */
export function axisOf(what: string, x: Pick<Value, 'shape'>, axis: number): number {
  const at = axis < 0 ? axis + x.shape.length : axis
  if (at < 0 || at >= x.shape.length) throw new Error(`${what}: axis ${axis} outside of [${show(x.shape)}]`)
  return at
}

export function describe(v: Value): string {
  return `${v.name} ${v.dtype}[${show(v.shape)}]`
}
