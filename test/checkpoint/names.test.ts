/** A document that was put under another's key: whole by itself, and never read. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { canonical, digestOf } from '../../activities/checkpoint/canonical.ts'
import { commit, requireDocument } from '../../activities/checkpoint/documents.ts'
import * as keys from '../../activities/checkpoint/keys.ts'
import { openStore } from '../../activities/checkpoint/open.ts'
import { CorruptObject, type Store } from '../../activities/checkpoint/store.ts'
import * as contracts from '../../activities/contracts.ts'
import { policyOf } from '../../activities/engine/embedded.ts'
import { resolveTrain } from '../../activities/spec/resolve.ts'

let folder: string
let store: Store
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-names-'))
  store = await openStore(pathToFileURL(folder).href)
})
afterAll(() => rm(folder, { recursive: true }))

const digest = digestOf('anything')
const blob = { digest, sizeBytes: 1 }
const policy = policyOf(['config.json', 'model.safetensors'].map((name) => ({ name, ...blob })))
const other = digestOf('another')
const optimizer = { name: 'sgd' as const, updates: 0, state: [] }
const spec: contracts.SpecDocument = {
  format: 1, identity: digest, model: 'm', policy: digest, data: 'd', problems: blob,
  spec: resolveTrain({ preset: 'demo', model: 'nano/coder', reward: 'format', steps: 1 }),
} // prettier-ignore
const votes = { completions: digest, grader: 'g', vote: 'string', extract: 'box' } as const
const measured = { value: 0, low: 0, high: 0 }
const labels: contracts.LabelsDocument = {
  format: 1, policy: digest, problems: digest, ...votes, table: { key: 't', digest, rows: 0 },
  result: { problems: 1, samples: 1, labelled: 0, wrong: 0, labelledShare: measured, wrongShare: null, agreement: null },
} // prettier-ignore
const data: contracts.DataDocument = { format: 1, data: { name: 'nano' }, problems: blob, count: 1 }
const checkpoint = { lineage: digest, optimizer }
const step3: contracts.CheckpointDocument = {
  format: 1,
  identity: digest,
  step: 3,
  policy,
  checkpoint,
  learntFrom: [],
}
const model: contracts.ModelDocument = { format: 1, source: 'hf://a/b@c', policy }

describe.each<[what: string, schema: z.ZodType, document: unknown, key: string, others: string]>([
  ['a spec', contracts.SpecDocument, spec, keys.spec(digestOf(spec)), keys.spec(other)],
  ['a model by its files', contracts.ModelDocument, model, keys.model(policy.digest), keys.model(other)],
  [
    'a model by its name',
    contracts.ModelDocument,
    model,
    keys.model(digestOf('hf://a/b@c')),
    keys.model(digestOf('b')),
  ],
  ['problems by their name', contracts.DataDocument, data, keys.data(digestOf(data.data)), keys.data(other)],
  [
    'problems by their content',
    contracts.DataDocument,
    data,
    keys.data(digestOf({ data: data.data, problems: digest })),
    keys.data(digest),
  ],
  [
    'a nano model on its way',
    contracts.PretrainDocument,
    { format: 1, checkpoint: { policy, ...checkpoint }, loss: null },
    keys.pretrain(digest),
    keys.pretrain(other),
  ],
  ['labels', contracts.LabelsDocument, labels, keys.labels(digestOf(votes)), keys.labels(other)],
  [
    'a run',
    contracts.RunDocument,
    { format: 1, run: 'a', namespace: 'n', identity: digest, specs: ['s'] },
    keys.run('a'),
    keys.run('b'),
  ],
  ['a checkpoint', contracts.CheckpointDocument, step3, keys.checkpoint('a', 3), keys.checkpoint('a', 4)],
  [
    'metrics',
    contracts.MetricsDocument,
    { format: 1, step: 3, metrics: {} },
    keys.metrics('a', 3),
    keys.metrics('a', 4),
  ],
  [
    'a note of an evaluation',
    contracts.EvaluationRecord,
    { format: 1, benchmark: 'amc', prompt: 'p', evaluation: 'e' },
    keys.runEvaluation('a', 3, 'amc'),
    keys.runEvaluation('a', 3, 'nano'),
  ],
  [
    'a sweep',
    contracts.SweepDocument,
    { format: 1, sweep: 's', runs: [] },
    keys.sweepRuns('s'),
    keys.sweepRuns('t'),
  ],
])('%s', (_, schema, document, key, others) => {
  test('is read under its own key', async () => {
    await commit(store, key, schema, document)
    expect(await requireDocument(store, key, schema)).toEqual(document)
  })

  test('is CorruptObject under another, which is named with what was expected', async () => {
    await store.replace(others, Buffer.from(canonical(document)))
    const reading = requireDocument(store, others, schema)
    await expect(reading).rejects.toThrow(CorruptObject)
    await expect(reading).rejects.toThrow(/: expected what its key names, .+, found .+/)
    await expect(reading).rejects.toThrow(others)
  })
})

test('one field of a spec that was changed where it lies makes it another: seed 0 for 1', async () => {
  const changed = { ...spec, spec: { ...spec.spec, seed: spec.spec.seed + 1 } }
  const key = keys.spec(digestOf(spec))
  await store.replace(key, Buffer.from(canonical(changed)))
  await expect(requireDocument(store, key, contracts.SpecDocument)).rejects.toThrow(
    `${key}: expected what its key names, ${digestOf(spec)}, found ${digestOf(changed)}`,
  )
})

test('a policy’s digest is that of its files, whatever their order; one changed file is another policy', () => {
  const [config, weights] = policy.files
  expect(contracts.Policy.safeParse({ digest: policy.digest, files: [weights, config] }).success).toBe(true)
  const changed = [config!, { ...weights!, digest: other }]
  for (const [schema, document] of [
    [contracts.ModelDocument, { ...model, policy: { ...policy, files: changed } }],
    [contracts.CheckpointDocument, { ...step3, policy: { ...policy, files: changed } }],
    [
      contracts.PretrainDocument,
      { format: 1, checkpoint: { ...checkpoint, policy: { ...policy, files: changed } }, loss: null },
    ],
  ] as const)
    expect(schema.safeParse(document).error?.issues[0]?.message).toBe(
      `expected ${policyOf(changed).digest}, of its files, found ${policy.digest}`,
    )
})

test('what who asks knows besides is compared field by field', async () => {
  await store.replace(keys.checkpoint('a', 3), Buffer.from(canonical(step3)))
  const reading = (identity: string) =>
    requireDocument(store, keys.checkpoint('a', 3), contracts.CheckpointDocument, { identity })
  expect(await reading(digest)).toEqual(step3)
  await expect(reading(other)).rejects.toThrow(`000003.json: identity: expected ${other}, found ${digest}`)
  await expect(reading(other)).rejects.toThrow(CorruptObject)
})
