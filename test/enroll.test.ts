/** One prefix of one store belongs to one run of one namespace; nobody else writes there. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openBlobs } from '../activities/checkpoint/cache.ts'
import { digestOf } from '../activities/checkpoint/canonical.ts'
import { commit } from '../activities/checkpoint/documents.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import { checkStore, openStore } from '../activities/checkpoint/open.ts'
import type { Store } from '../activities/checkpoint/store.ts'
import { DataDocument, ModelDocument } from '../activities/contracts.ts'
import { policyOf } from '../activities/engine/embedded.ts'
import { enrollActivities } from '../activities/enroll.ts'
import type { Deps } from '../activities/deps.ts'
import { rewardActivities } from '../activities/reward.ts'
import { resolveTrain } from '../activities/spec/resolve.ts'
import { reader } from './reading/shared.ts'

const nano = (name: string) => readFile(join(import.meta.dirname, '..', 'models', 'nano', 'coder', name))

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-enroll-'))
  store = await openStore(pathToFileURL(join(folder, 'store')).href)
})
afterEach(() => rm(folder, { recursive: true }))

const spec = resolveTrain({ preset: 'demo', model: 'nano/coder', reward: 'format', steps: 1 })

/** A store with a model and a data set, and a worker's parts in a namespace. */
async function furnish(namespace: string, template?: string) {
  const blobs = openBlobs(store, join(folder, 'cache'))
  const bytes = (text: string) => blobs.put(new TextEncoder().encode(text))
  const policy = policyOf([
    { name: 'config.json', ...(await blobs.put(await nano('config.json'))) },
    { name: 'tokenizer.json', ...(await blobs.put(await nano('tokenizer.json'))) },
    { name: 'model.safetensors', ...(await bytes('weights')) },
    ...(template === undefined ? [] : [{ name: 'chat_template.jinja', ...(await bytes(template)) }]),
  ])
  const [model, data] = [keys.model(policy.digest), keys.data(digestOf(spec.data))]
  await commit(store, model, ModelDocument, { format: 1, source: 'by hand', policy })
  const problems = await bytes('[{"id":"p","problem":"1+1","answer":"2"}]')
  await commit(store, data, DataDocument, { format: 1, data: spec.data, problems, count: 1 })
  const storeId = await checkStore(store)
  const deps = { store, storeId, blobs, reader, client: { options: { namespace } } } as unknown as Deps
  return { deps, task: { run: 'a', spec, model, data } }
}

test('a second namespace cannot write the prefix of a run, and the first goes on', async () => {
  const { deps, task } = await furnish('one')
  const first = await new MockActivityEnvironment().run(enrollActivities(deps).enroll, task)
  const other = await furnish('two')
  const second = new MockActivityEnvironment().run(enrollActivities(other.deps).enroll, other.task)
  await expect(second).rejects.toMatchObject({ type: 'SpecMismatch', nonRetryable: true })
  await expect(second).rejects.toThrow('run a: its prefix belongs to namespace one, not to two')
  expect(await new MockActivityEnvironment().run(enrollActivities(deps).enroll, task)).toEqual(first)
})

test('an id that no prefix can have is refused for good, by name', async () => {
  const { deps, task } = await furnish('one')
  const refused = (run: string) => {
    const enrolling = new MockActivityEnvironment().run(enrollActivities(deps).enroll, { ...task, run })
    return expect(enrolling).rejects.toMatchObject({
      type: 'InvalidSpec',
      nonRetryable: true,
      message: expect.stringContaining(
        'workflow id: (whole spec): expected letters, digits and . _ : @ = + -',
      ) as string,
    })
  }
  await refused('a'.repeat(201))
  await refused('a/b')
})

test('a worker of another store does not work for a run: WrongStore names both', async () => {
  const { deps } = await furnish('one')
  const elsewhere = '00000000-0000-4000-8000-000000000000'
  const task = { run: 'a', spec: 'specs/s.json', step: 1, shard: 0, store: elsewhere }
  const rewarding = new MockActivityEnvironment().run(rewardActivities(deps).reward, task)
  await expect(rewarding).rejects.toMatchObject({ type: 'WrongStore', nonRetryable: false })
  await expect(rewarding).rejects.toThrow(`lies in store ${elsewhere}, this worker has store ${deps.storeId}`)
})

test('a prompt that the model has no tokens for is refused before anything is written for the run', async () => {
  const { deps, task } = await furnish('one')
  const unreadable = { ...task, spec: { ...spec, prompt: 'default' } }
  const refused = new MockActivityEnvironment().run(enrollActivities(deps).enroll, unreadable)
  await expect(refused).rejects.toMatchObject({ type: 'InvalidSpec', nonRetryable: true })
  await expect(refused).rejects.toThrow(
    'prompt: the tokenizer of nano/coder has no tokens for all of "default"',
  )
  expect(await store.head(keys.run('a'))).toBeNull()
})

test('a chat template that raises fails the run for good, without its words', async () => {
  const { deps, task } = await furnish('one', '{{ raise_exception("Only poems, please") }}')
  const asked = { ...task, spec: { ...spec, prompt: 'default' } }
  const refused = new MockActivityEnvironment().run(enrollActivities(deps).enroll, asked)
  await expect(refused).rejects.toMatchObject({ type: 'PromptRefused', nonRetryable: true })
  await expect(refused).rejects.toThrow(
    'chat_template.jinja: the chat template refuses (user): it raises an exception',
  )
})
