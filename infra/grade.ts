/**
 * `npm run -s grade -- [FLAGS] < CASES.jsonl`: the grader as a filter. A line is {"gold", "completion"} or {"gold",
 * "answer"}, where an answer is taken whole and a completion is judged as the ground-truth reward does, unless a flag, or
 * the line's own "policy", says otherwise (activities/grading/policy.ts has every convention).
 *
 * One JSON object a line comes out, in order: verdict, reason, route, given, gold, version. A line that is no case gives an
 * object whose `error` and reason name the line, verdict null, and the others go on; standard error says how many there were.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { z } from 'zod'
import { check, firstOf } from '../activities/contracts/issues.ts'
import { eitherOf } from '../activities/contracts/words.ts'
import { parseJson } from '../activities/faults/json.ts'
import { gradeAny } from '../activities/grading/any.ts'
import { boxOnly, GRADER_VERSION, type Grade, type Policy } from '../activities/grading/index.ts'
import { isProgram, runProgram, Usage, type Called } from './program.ts'

// Gold answers are often numbers in JSON.
const Text = z.union([z.string(), z.number().transform(String)], { error: 'expected a string or a number' })
/** One gold answer, or several of which any counts. */
const Golds = z.union([Text.transform((gold) => [gold]), z.array(Text).min(1)], {
  error: 'expected a string, a number or a list of them',
})

/** What each convention may be; `digits` is any number from 1 on. A convention without a row does not compile. */
const conventions = {
  extract: ['box', 'any', 'whole'],
  unclosedThinking: ['searched', 'ignored'],
  cutBox: ['read', 'unanswered', 'earlier'],
  percent: ['loose', 'strict'],
  units: ['ignored', 'compared'],
  base: ['optional', 'required'],
  relations: ['intervals', 'apart'],
  duplicates: ['ignored', 'counted'],
  decimalMark: ['either', 'point'],
  irrationalDigits: 'digits',
  rationalDigits: 'digits',
  scientificDigits: 'digits',
} as const satisfies {
  readonly [Name in keyof Policy]: Policy[Name] extends number ? 'digits' : readonly Policy[Name][]
}
type Convention = keyof typeof conventions
const names = Object.keys(conventions) as Convention[]

const Digits = z.number().min(1)
const schemaOf = (name: Convention): z.ZodType<string | number> => {
  const choices = conventions[name]
  return choices === 'digits' ? Digits : z.enum(choices as readonly string[] as [string, ...string[]])
}
const Flags = z
  .strictObject(Object.fromEntries(names.map((name) => [name, schemaOf(name)])))
  .partial()
  .transform((flags) => flags as Partial<Policy>)

// Other fields may stand beside these: cases carry ids and labels.
const Case = z
  .object({ gold: Golds, completion: Text.optional(), answer: Text.optional(), policy: Flags.optional() })
  .refine(({ completion, answer }) => (completion === undefined) !== (answer === undefined), {
    error: ({ input }) => eitherOf('completion', 'answer', input),
  })

export type Line = Grade | (Omit<Grade, 'verdict' | 'gold'> & { verdict: null; gold: null; error: string })

/** The result of one line, counted from 1. Total: whatever stands in the line is judged or named as bad. */
export function gradeLine(line: string, at: number, policy: Policy = boxOnly): Line {
  try {
    return gradeCase(line, at, policy)
  } catch (error) {
    return bad(at, `not gradable (${error instanceof Error ? error.message : String(error)})`)
  }
}

function gradeCase(line: string, at: number, policy: Policy): Line {
  if (line.trim() === '') return bad(at, 'empty')
  const parsed = parseJson(line)
  if (parsed.fault !== undefined) return bad(at, `not JSON (${parsed.fault})`)
  const checked = check(Case, parsed.value, { whole: 'the line' })
  if (checked.faults !== null) return bad(at, firstOf(checked.faults))
  const { gold, completion, answer, policy: own } = checked.data
  const flags = Object.fromEntries(Object.entries(own ?? {}).filter(([, flag]) => flag !== undefined))
  return answer === undefined
    ? gradeAny({ golds: gold, completion: completion ?? '', policy: { ...policy, ...flags } })
    : gradeAny({ golds: gold, completion: answer, policy: { ...policy, ...flags, extract: 'whole' } })
}

function bad(at: number, why: string): Line {
  const error = `line ${at}: ${why}`
  return {
    verdict: null,
    reason: error,
    route: 'none',
    given: null,
    gold: null,
    version: GRADER_VERSION,
    error,
  }
}

/** Grades line by line, waiting where the reader of the output does; returns how many lines were bad. */
export async function gradeStream(input: Readable, output: Writable, policy?: Policy): Promise<number> {
  let at = 0
  let faults = 0
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const result = gradeLine(line, ++at, policy)
    if (result.verdict === null) faults++
    if (!output.write(`${JSON.stringify(result)}\n`)) await once(output, 'drain')
  }
  return faults
}

const flagOf = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

export const program = {
  name: 'grade',
  usage: `npm run -s grade -- [FLAGS] < CASES.jsonl

A line is {"gold", "completion"} or {"gold", "answer"}, where several golds are a list and any counts; a verdict comes out
for each, in order. Completions are judged as the ground-truth reward judges them; a flag is for all lines, a line's own
"policy" goes before it. The first is the default. A line that is no case is named in its result, and the others go on.
  --anywhere                  the same as --extract any
${names.map((name) => `  ${`--${flagOf(name)}`.padEnd(26)}  ${shown(name)}`).join('\n')}
  --help, -h                  this text`,
  options: {
    ...Object.fromEntries(names.map((name) => [flagOf(name), { type: 'string' }] as const)),
    anywhere: { type: 'boolean' },
  },
} as const

function shown(name: Convention): string {
  const [choices, own] = [conventions[name] as 'digits' | readonly string[], boxOnly[name]]
  if (choices === 'digits') return `${own}, or any number from 1 on; Infinity: never`
  return [own, ...choices.filter((choice) => choice !== own)].join('|')
}

/** The conventions that flags ask for. Throws Usage for a value that is none of theirs. */
export function policyOf(values: Readonly<Record<string, string | boolean | undefined>>): Policy {
  if (values['anywhere'] === true && values['extract'] !== undefined)
    throw new Usage('--anywhere: expected it alone, found --extract beside it')
  const flags = names.flatMap((name): [Convention, string | number][] => {
    const given = values[flagOf(name)]
    return typeof given === 'string' ? [[name, valueOf(name, given)]] : []
  })
  const anywhere = values['anywhere'] === true ? { extract: 'any' } : {}
  return { ...boxOnly, ...anywhere, ...Object.fromEntries(flags) } as Policy
}

function valueOf(name: Convention, given: string): string | number {
  const value = conventions[name] === 'digits' && given.trim() !== '' ? Number(given) : given
  // Infinity is no number of JSON, so a line cannot say it, and zod takes none.
  if (value === Infinity || schemaOf(name).safeParse(value).success) return value
  throw new Usage(`--${flagOf(name)}: expected ${shown(name)}, found ${JSON.stringify(given)}`)
}

async function main({ values }: Called<typeof program.options>): Promise<number> {
  const faults = await gradeStream(process.stdin, process.stdout, policyOf(values))
  if (faults > 0) console.error(`grade: ${faults} bad lines, named in their results`)
  return faults > 0 ? 1 : 0
}

if (isProgram(import.meta.filename)) runProgram(program, main)
