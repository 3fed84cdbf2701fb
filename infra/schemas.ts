/**
 * `npm run schemas`: the specs' JSON Schemas, from the zod schemas that define them, into examples/schemas/, where
 * editors find them by a spec's `$schema`. The same schemas give the same bytes; a test compares them.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import {
  EvaluateSpec,
  ExportSpec,
  GcSpec,
  LabelSpec,
  PretrainSpec,
  ProbeSpec,
  ScoreSpec,
  SweepSpec,
  TrainSpec,
  VerifySpec,
} from '../activities/contracts.ts'
import { isProgram, runProgram } from './program.ts'

export const schemaFolder = join(import.meta.dirname, '..', 'examples', 'schemas')

const specs = {
  train: TrainSpec,
  evaluate: EvaluateSpec,
  label: LabelSpec,
  score: ScoreSpec,
  probe: ProbeSpec,
  sweep: SweepSpec,
  pretrain: PretrainSpec,
  export: ExportSpec,
  gc: GcSpec,
  verify: VerifySpec,
}

/** File name to text. `input`: what a user writes, so fields with a default are not required. */
export function schemaFiles(): Map<string, string> {
  const text = (spec: z.ZodType) => `${JSON.stringify(z.toJSONSchema(spec, { io: 'input' }), null, 2)}\n`
  return new Map(Object.entries(specs).map(([name, spec]) => [`${name}.json`, text(spec)]))
}

const program = {
  name: 'schemas',
  usage: `npm run -s schemas

Writes the specs' JSON Schemas into examples/schemas/, where editors find them by a spec's $schema.
  --help, -h  this text`,
  options: {},
} as const

async function main(): Promise<number> {
  await mkdir(schemaFolder, { recursive: true })
  for (const [name, text] of schemaFiles()) await writeFile(join(schemaFolder, name), text)
  return 0
}

if (isProgram(import.meta.filename)) runProgram(program, main)
