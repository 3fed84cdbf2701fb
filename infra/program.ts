/**
 * What the programs of package.json share: how they are called, and how they end. One parser for all, which refuses a flag
 * that it does not know, one without its value and one given twice, by name; `--help` and `-h` print the usage, before
 * anything is begun. Exit codes: 0 done, 1 refused or failed, 2 called otherwise than the usage says.
 */
import { realpathSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { either } from '../activities/contracts/choices.ts'
import { didYouMean } from '../activities/contracts/nearest.ts'

type Options = Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly default?: string }>>

export interface Program<O extends Options> {
  /** As `npm run` knows it. */
  readonly name: string
  /** What `--help` prints: how it is called, what it does, its flags. */
  readonly usage: string
  readonly options: O
  /** What the words without a flag are, and how many there may be; none unless said. */
  readonly words?: { readonly what: string; readonly least: number; readonly most: number }
}

export interface Called<O extends Options> {
  readonly values: { readonly [Name in keyof O]: ValueOf<O[Name]> }
  readonly words: readonly string[]
}
type ValueOf<Option> = Option extends { readonly type: 'boolean' }
  ? boolean
  : Option extends { readonly default: string }
    ? string
    : string | undefined

/** Called otherwise than the usage says. */
export class Usage extends Error {
  override readonly name = 'Usage'
}

const codes = 'Exit codes: 0 done, 1 refused or failed, 2 called otherwise than this says.'

/** What a program was called with; null where it was asked for help. Throws Usage. */
export function calledWith<const O extends Options>(program: Program<O>, args: string[]): Called<O> | null {
  const help = { type: 'boolean', short: 'h' } as const
  const options = { ...program.options, help }
  const { tokens } = parseArgs({
    args,
    options: { ...options },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) return null
  const values: Record<string, string | boolean> = {}
  const words: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value, inlineValue } = token
    const known = Object.keys(options).map((one) => `--${one}`)
    if (!Object.hasOwn(program.options, name))
      throw new Usage(`${rawName}: expected one of ${known.join(', ')}${didYouMean(rawName, known)}`)
    if (Object.hasOwn(values, name)) throw new Usage(`${rawName}: expected it once, found it twice`)
    values[name] =
      program.options[name]?.type === 'boolean'
        ? flagOf(rawName, value)
        : valueOf(rawName, value, inlineValue)
  }
  requireWords(program.words, words)
  const unsaid = Object.entries(program.options).map(([name, { type, default: value }]) => [
    name,
    type === 'boolean' ? false : value,
  ])
  return { values: { ...Object.fromEntries(unsaid), ...values } as Called<O>['values'], words }
}

function flagOf(name: string, value: string | undefined): true {
  if (value === undefined) return true
  throw new Usage(`${name}: expected no value, found ${JSON.stringify(value)}`)
}

/** A next flag is no value, a negative number is. */
function valueOf(name: string, value: string | undefined, inline: boolean | undefined): string {
  const missing = value === undefined || value === '' || (inline !== true && /^-\D/.test(value))
  if (missing)
    throw new Usage(`${name}: expected a value, found ${value ? JSON.stringify(value) : 'nothing'}`)
  return value
}

function requireWords(wanted: Program<Options>['words'], found: readonly string[]): void {
  const { what, least, most } = wanted ?? { what: 'nothing but flags', least: 0, most: 0 }
  if (found.length >= least && found.length <= most) return
  throw new Usage(
    `expected ${what}, found ${found.map((word) => JSON.stringify(word)).join(', ') || 'nothing'}`,
  )
}

/** The number of an option that says one. Throws Usage. */
export function numberOf(name: string, text: string, least: number, isWhole = false): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= least && (!isWhole || Number.isSafeInteger(value))) return value
  throw new Usage(
    `--${name}: expected a ${isWhole ? 'whole ' : ''}number from ${least} on, found ${JSON.stringify(text)}`,
  )
}

/** One of some names. Throws Usage. */
export function oneOf<T extends string>(what: string, names: readonly T[], found: string | undefined): T {
  const name = names.find((one) => one === found)
  if (name !== undefined) return name
  const shown = found === undefined ? 'nothing' : JSON.stringify(found)
  throw new Usage(`${what}: expected ${either(names)}, found ${shown}${didYouMean(found, names)}`)
}

/** Runs a program to its end, which is the process's: what `main` resolves with is the exit code. */
export function runProgram<const O extends Options>(
  program: Program<O>,
  main: (called: Called<O>) => Promise<number>,
): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0) // whoever read has seen enough
    throw error
  })
  begin(program, main).then(
    (code) => process.exit(code),
    (error: unknown) => {
      const isUsage = error instanceof Usage
      console.error(`${program.name}: ${chain(error).join(': ')}${isUsage ? `\n\n${program.usage}` : ''}`)
      process.exit(isUsage ? 2 : 1)
    },
  )
}

async function begin<const O extends Options>(
  program: Program<O>,
  main: (called: Called<O>) => Promise<number>,
): Promise<number> {
  const called = calledWith(program, process.argv.slice(2))
  if (called !== null) return main(called)
  console.log(`${program.usage}\n\n${codes}`)
  return 0
}

/** What a client's error says stands in its cause: the server's own words. */
function chain(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  const { cause } = error
  return cause instanceof Error && !error.message.includes(cause.message)
    ? [error.message, ...chain(cause)]
    : [error.message]
}

/** Whether a module is the program that runs, and not imported by another. */
export const isProgram = (filename: string) => realpathSync(process.argv[1] ?? '') === filename
