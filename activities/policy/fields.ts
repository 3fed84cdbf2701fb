/**
 * Fields of a JSON object that a stranger wrote, each read as the type that it must have. Messages name file, field, what
 * was expected and what kind of thing was found; its own text is said only where it is a word that a format knows.
 */
import { foundOf } from '../faults/found.ts'
import { isObject, type Json } from './objects.ts'

/** A model this project cannot run, however intact its files are. */
export class UnsupportedModel extends Error {
  override readonly name = 'UnsupportedModel'
}

/** JSON's null is absence. */
export class Fields {
  readonly file: string
  readonly #json: Json
  constructor(json: unknown, file: string) {
    if (!isObject(json)) throw new UnsupportedModel(`${file}: expected a JSON object, found ${foundOf(json)}`)
    this.file = file
    this.#json = json
  }

  value(name: string): unknown {
    return Object.hasOwn(this.#json, name) ? (this.#json[name] ?? undefined) : undefined
  }

  names(): string[] {
    return Object.keys(this.#json)
  }

  /** `known`: words that may be said of what was found. */
  refuse(name: string, expected: string, found = this.value(name), known?: RegExp): UnsupportedModel {
    return new UnsupportedModel(`${this.file}: ${name}: expected ${expected}, found ${foundOf(found, known)}`)
  }

  /** A field that may be absent, and otherwise has this value; undefined accepts any. */
  expect(name: string, value: string | number | boolean | undefined, known?: RegExp): void {
    const found = this.value(name)
    if (found !== undefined && value !== undefined && found !== value)
      throw this.refuse(name, JSON.stringify(value), found, known)
  }

  /** False where it is absent. */
  flag(name: string): boolean {
    const found = this.value(name) ?? false
    if (typeof found !== 'boolean') throw this.refuse(name, 'true or false')
    return found
  }

  positive(name: string, otherwise?: number): number {
    const found = this.value(name) ?? otherwise
    if (typeof found !== 'number' || !(found > 0)) throw this.refuse(name, 'a positive number')
    return found
  }

  count(name: string, otherwise?: number): number {
    const found = this.positive(name, otherwise)
    if (!Number.isSafeInteger(found)) throw this.refuse(name, 'an integer')
    return found
  }
}
