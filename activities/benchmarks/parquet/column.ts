/**
 * A column of a row group, a few rows at a time: its leaves side by side, put together into lists and objects by
 * hyparquet (Dremel's levels, research.google/pubs/pub36632). Held are one page of each leaf and the rows asked for.
 */
import type { DecodedArray, SchemaTree } from 'hyparquet'
import { assembleLists, assembleNested } from 'hyparquet/src/assemble.js'
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import type { RegularFile } from '../local.ts'
import { Beyond, Malformed } from './bytes.ts'
import type { Chunk } from './footer.ts'
import { Pages, type Page } from './pages.ts'

/** Values of the rows that are asked for at once; a row of problems has a few. */
export const mostAtOnce = 2 ** 22

/** The next `rows` rows of a column, one value each. */
export class Column {
  readonly #tree: SchemaTree
  readonly #leaves: readonly Leaf[]

  /** `most`: values in the rows that are taken at once. */
  constructor(file: RegularFile, tree: SchemaTree, chunks: readonly Chunk[], most: number = mostAtOnce) {
    this.#tree = tree
    const isWithin = ({ path }: Chunk) => path[1] === tree
    this.#leaves = chunks.filter(isWithin).map((chunk) => new Leaf(file, chunk, most))
  }

  async take(rows: number): Promise<DecodedArray> {
    const byPath = new Map<string, DecodedArray>()
    for (const leaf of this.#leaves) byPath.set(leaf.path, await leaf.take(rows))
    if (this.#tree.children.length > 0) assembleNested(byPath, this.#tree, DEFAULT_PARSERS)
    const values = byPath.get(this.#tree.path.join('.'))
    if (values?.length !== rows)
      throw new Malformed(`column ${this.#tree.element.name}: rows do not fit together`)
    return values
  }
}

class Leaf {
  readonly path: string
  readonly #pages: Pages
  readonly #schemaPath: SchemaTree[]
  readonly #isRepeated: boolean
  readonly #mostValues: number
  #page: Page | null = null
  /** Of the page, the next value, and the next that is not null. */
  #at = 0
  #present = 0

  constructor(file: RegularFile, chunk: Chunk, mostValues: number) {
    this.#mostValues = mostValues
    this.#schemaPath = [...chunk.path]
    this.path = chunk.path.at(-1)!.path.join('.')
    this.#pages = new Pages(file, chunk)
    this.#isRepeated = chunk.path.some(({ element }) => element.repetition_type === 'REPEATED')
  }

  async take(rows: number): Promise<DecodedArray> {
    const definition: number[] = []
    const repetition: number[] = []
    const values: unknown[] = []
    const most = this.#most()
    let begun = 0
    for (;;) {
      const page = await this.#current()
      if (page === null) break
      const [from, to] = [this.#at, this.#endOf(page, rows - begun, begun === 0)]
      const { definition: defined, repetition: repeated } = page
      if (repeated === null) begun += to - from
      for (let i = from; i < to; i++) {
        if (repeated !== null) {
          const again = repeated[i]!
          if (again === 0) begun += 1
          repetition.push(again)
        }
        definition.push(defined === null ? most : defined[i]!)
      }
      let next = this.#present
      for (let i = from; i < to; i++)
        if (defined === null || defined[i] === most) values.push(page.values[next++])
      this.#present = next
      this.#at = to
      if (definition.length > this.#mostValues)
        throw new Beyond(`has more than ${this.#mostValues} values in ${rows} rows of ${this.path}`)
      if (this.#at < page.count || (begun === rows && !this.#isRepeated)) break
    }
    if (begun !== rows) throw new Malformed(`column ${this.path}: ends ${rows - begun} rows before it should`)
    if (this.#schemaPath.length === 2 && !this.#isRepeated) return flat(definition, values, most)
    return assembleLists([], definition, repetition, values, this.#schemaPath)
  }

  /** Where the page's part of `rows` further rows ends. `isFirst`: none of them has begun in a page before. */
  #endOf({ count, repetition }: Page, rows: number, isFirst: boolean): number {
    if (repetition === null) return Math.min(count, this.#at + rows)
    if (isFirst && repetition[this.#at] !== 0) throw new Malformed(`column ${this.path}: begins within a row`)
    let begun = 0
    for (let i = this.#at; i < count; i++)
      if (repetition[i] === 0) {
        if (begun === rows) return i
        begun += 1
      }
    return count
  }

  #most(): number {
    return this.#schemaPath.slice(1).filter(({ element }) => element.repetition_type !== 'REQUIRED').length
  }

  /** The page with the next value; null at the end. */
  async #current(): Promise<Page | null> {
    if (this.#page === null || this.#at >= this.#page.count) {
      this.#page = await this.#pages.next()
      this.#at = 0
      this.#present = 0
    }
    return this.#page
  }
}

/** A value a row, null where there is none. */
function flat(definition: readonly number[], values: unknown[], most: number): unknown[] {
  if (values.length === definition.length) return values
  let next = 0
  return definition.map((level) => (level === most ? values[next++] : null))
}
