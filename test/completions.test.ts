import { expect, it } from 'vitest'
import { digestOf } from '../activities/checkpoint/canonical.ts'
import { completionsOf, shardsOfWanted, type Wanted } from '../activities/completions.ts'
import type { Policy } from '../activities/contracts.ts'
import { NUMERICS_VERSION } from '../activities/engine/embedded.ts'

const policy: Policy = { digest: 'a'.repeat(64), files: [] }
const problems = [{ id: 'p', problem: '1+1', answer: '2' }]
const wanted: Wanted = {
  source: 'models/m.json',
  policy,
  problems,
  data: 'd',
  prompt: 'plain',
  samples: 4,
  sampling: { temperature: 1, topP: 1, maxTokens: 8 },
  seed: 0,
  purpose: 'evaluate',
}

it('lie under the digest of all that they depend on', () => {
  expect(completionsOf(wanted)).toBe(
    digestOf({
      policy: policy.digest,
      data: 'd',
      problems: 1,
      prompt: 'plain',
      sampling: wanted.sampling,
      samples: 4,
      seed: 0,
      numerics: NUMERICS_VERSION,
    }),
  )
})

it.each<[string, Partial<Wanted>]>([
  ['policy', { policy: { ...policy, digest: 'b'.repeat(64) } }],
  ['problem set', { data: 'e' }],
  ['number of problems', { problems: [...problems, ...problems] }],
  ['prompt', { prompt: 'default' }],
  ['date, for a template that asks for it', { date: '2024-07-26' }],
  ['number of samples', { samples: 8 }],
  ['temperature', { sampling: { ...wanted.sampling, temperature: 0 } }],
  ['limit', { sampling: { ...wanted.sampling, maxTokens: 9 } }],
  ['seed', { seed: 1 }],
  ['purpose, whose streams differ', { purpose: 'label' }],
  ['share of the statements', { share: 0.6 }],
])('are others with another %s', (_, other) => {
  expect(completionsOf({ ...wanted, ...other })).not.toBe(completionsOf(wanted))
})

it('are the same whoever asks: a model, or a checkpoint with its weights', () => {
  expect(completionsOf({ ...wanted, source: 'runs/r/checkpoints/000000.json' })).toBe(completionsOf(wanted))
})

it('are cut into shards of whole problems, 256 completions or one problem each', () => {
  const many = (count: number, samples: number) =>
    shardsOfWanted({ ...wanted, samples, problems: Array.from({ length: count }, () => problems[0]!) })
  expect(many(10, 64)).toEqual([
    { from: 0, to: 4 },
    { from: 4, to: 8 },
    { from: 8, to: 10 },
  ])
  expect(many(2, 300)).toEqual([
    { from: 0, to: 1 },
    { from: 1, to: 2 },
  ])
})
