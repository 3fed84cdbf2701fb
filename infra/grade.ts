/**
 * `npm run -s grade < CASES.jsonl`: the grader as a filter. A line is {"gold", "completion"} or {"gold", "answer"}, where an
 * answer is taken whole and a completion is searched, with an optional "policy" of flags (activities/grading/policy.ts).
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
import { GRADER_VERSION, grade, type Grade } from '../activities/grading/index.ts'
import { isProgram, runProgram } from './program.ts'

// Gold answers are often numbers in JSON.
const Text = z.union([z.string(), z.number().transform(String)], { error: 'expected a string or a number' })

const Flags = z
  .strictObject({
    extract: z.enum(['box', 'any', 'whole']),
    unclosedThinking: z.enum(['searched', 'ignored']),
    cutBox: z.enum(['read', 'unanswered', 'earlier']),
    percent: z.enum(['loose', 'strict']),
    units: z.enum(['ignored', 'compared']),
    base: z.enum(['optional', 'required']),
    relations: z.enum(['intervals', 'apart']),
    duplicates: z.enum(['ignored', 'counted']),
    decimalMark: z.enum(['either', 'point']),
    irrationalDigits: z.number().min(1),
    rationalDigits: z.number().min(1),
    scientificDigits: z.number().min(1),
  })
  .partial()

// Other fields may stand beside these: cases carry ids and labels.
const Case = z
  .object({ gold: Text, completion: Text.optional(), answer: Text.optional(), policy: Flags.optional() })
  .refine(({ completion, answer }) => (completion === undefined) !== (answer === undefined), {
    error: ({ input }) => eitherOf('completion', 'answer', input),
  })

export type Line = Grade | (Omit<Grade, 'verdict' | 'gold'> & { verdict: null; gold: null; error: string })

/** The result of one line, counted from 1. Total: whatever stands in the line is judged or named as bad. */
export function gradeLine(line: string, at: number): Line {
  let content: unknown
  try {
    content = JSON.parse(line)
  } catch (error) {
    return bad(at, line.trim() === '' ? 'empty' : `not JSON (${error instanceof Error ? error.message : ''})`)
  }
  const checked = check(Case, content, { whole: 'the line' })
  if (checked.faults !== null) return bad(at, firstOf(checked.faults))
  const { gold, completion, answer, policy } = checked.data
  const flags = Object.fromEntries(Object.entries(policy ?? {}).filter(([, flag]) => flag !== undefined))
  return answer === undefined
    ? grade({ gold, completion: completion ?? '', policy: flags })
    : grade({ gold, completion: answer, policy: { ...flags, extract: 'whole' } })
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
export async function gradeStream(input: Readable, output: Writable): Promise<number> {
  let at = 0
  let faults = 0
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const result = gradeLine(line, ++at)
    if (result.verdict === null) faults++
    if (!output.write(`${JSON.stringify(result)}\n`)) await once(output, 'drain')
  }
  return faults
}

const program = {
  name: 'grade',
  usage: `npm run -s grade < CASES.jsonl

Judges a case a line, {"gold", "completion"} or {"gold", "answer"}, and writes a verdict a line, in order. A line that is
no case is named in its result, and the others go on.
  --help, -h  this text`,
  options: {},
} as const

async function main(): Promise<number> {
  const faults = await gradeStream(process.stdin, process.stdout)
  if (faults > 0) console.error(`grade: ${faults} bad lines, named in their results`)
  return faults > 0 ? 1 : 0
}

if (isProgram(import.meta.filename)) runProgram(program, main)
