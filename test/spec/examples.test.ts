/** Every example in examples/ is a spec that would be admitted, of the type that its $schema names. */
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect, it } from 'vitest'
import type { z } from 'zod'
import {
  EvaluateSpec,
  GcSpec,
  LabelSpec,
  PretrainSpec,
  ProbeSpec,
  ScoreSpec,
  SweepSpec,
  VerifySpec,
} from '../../activities/contracts.ts'
import { isPrompt } from '../../activities/benchmarks/prompts.ts'
import { cellsOf, controls, specOf } from '../../activities/spec/arms.ts'
import { parseSpec, resolveTrain } from '../../activities/spec/resolve.ts'

const folder = join(import.meta.dirname, '..', '..', 'examples')
const names = (await readdir(folder)).filter((name) => name.endsWith('.json'))
const parsed =
  <T>(schema: z.ZodType<T>) =>
  (input: unknown) =>
    parseSpec(schema, input, 'example')

const admitted: Readonly<Record<string, (input: unknown) => unknown>> = {
  train: (input) => expect(isPrompt(resolveTrain(input).prompt)).toBe(true),
  sweep: (input) => {
    const sweep = controls(parsed(SweepSpec)(input))
    for (const cell of cellsOf('s', sweep)) specOf(sweep, cell)
  },
  evaluate: parsed(EvaluateSpec),
  label: parsed(LabelSpec),
  score: parsed(ScoreSpec),
  probe: parsed(ProbeSpec),
  pretrain: parsed(PretrainSpec),
  gc: parsed(GcSpec),
  verify: parsed(VerifySpec),
}

it.each(names)('%s', async (name) => {
  const example = JSON.parse(await readFile(join(folder, name), 'utf8')) as { $schema: string }
  admitted[basename(example.$schema, '.json')]!(example)
})

it('there is one of every type that takes more than a name', () => {
  expect(names).toEqual(expect.arrayContaining(Object.keys(admitted).map((type) => `${type}.json`)))
})

it.each([
  [{ data: { name: 'nano' } }, 'expected either model or checkpoint, found neither'],
  [
    { model: 'm', checkpoint: 'r', data: { name: 'nano' } },
    'expected either model or checkpoint, found both',
  ],
  [{ model: 'm' }, 'data: expected an object with "name", "source"'],
  [{ model: 'm', data: { name: 'nano' }, samples: 0 }, 'samples: '],
  [{ model: 'm', data: { name: 'nano' }, vote: 'loudest' }, 'vote: '],
  [{ model: 'm', data: { name: 'nano' }, votes: 3 }, 'votes: expected one of '],
])('labels of %j are refused: %s', (input, message) => {
  expect(() => parsed(LabelSpec)(input)).toThrow(message)
})

it.each([
  [{ model: 'm', shares: [0.5, 1] }, 'shares.1: '],
  [{ model: 'm', shares: [] }, 'shares: '],
  [{ model: 'm', benchmarks: ['math'] }, 'benchmarks.0: '],
])('a probe of %j is refused: %s', (input, message) => {
  expect(() => parsed(ProbeSpec)(input)).toThrow(message)
})
