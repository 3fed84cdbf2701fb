/** What a step and a reward refuse instead of going on with it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openBlobs } from '../activities/checkpoint/cache.ts'
import { digestOf } from '../activities/checkpoint/canonical.ts'
import { commit } from '../activities/checkpoint/documents.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Store } from '../activities/checkpoint/store.ts'
import { rewardsTable, rolloutsTable, writeTable } from '../activities/checkpoint/tables.ts'
import { CheckpointDocument, SpecDocument, type Rollout, type Scored } from '../activities/contracts.ts'
import { policyOf } from '../activities/engine/embedded.ts'
import { rewardActivities } from '../activities/reward.ts'
import { resolveTrain } from '../activities/spec/resolve.ts'
import { stepActivities } from '../activities/step.ts'
import type { ComputeDeps } from '../activities/update.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-step-'))
  store = await openStore(pathToFileURL(join(folder, 'store')).href)
})
afterEach(() => rm(folder, { recursive: true }))

const identity = digestOf('identity')
const at = { occurrence: 0, sample: 0 }
const rolloutOf = (problem: string, policy: string): Rollout => ({
  ...at, problem, policy, prompt: 'q', completion: 'a', promptTokens: [1], tokens: [2], logprobs: [-1], stop: 'end',
  strategy: 'language',
}) // prettier-ignore

/** A run of one problem `p` at step 0, whose step 1 has one rollout. */
async function furnish(problem: string, ownPolicy: boolean) {
  const blobs = openBlobs(store, join(folder, 'cache'))
  const bytes = (text: string) => blobs.put(new TextEncoder().encode(text))
  const policy = policyOf([
    { name: 'config.json', ...(await bytes('config')) },
    { name: 'model.safetensors', ...(await bytes('weights')) },
  ])
  const problems = await bytes('[{"id":"p","problem":"1+1","answer":"2"}]')
  const batch = { problems: 1, group: 1, minibatch: 1 }
  const spec = resolveTrain({ preset: 'demo', model: 'nano/coder', reward: 'ground-truth', steps: 1, batch })
  const specKey = keys.spec(digestOf({ problem, ownPolicy }))
  const document = { identity, spec, model: 'models/m.json', policy: identity, data: 'data/d.json', problems }
  await commit(store, specKey, SpecDocument, { format: 1, ...document })
  const checkpoint = { lineage: identity, optimizer: { name: 'sgd' as const, updates: 0, state: [] } }
  const manifest = { format: 1 as const, identity, step: 0, policy, checkpoint, learntFrom: [] }
  await commit(store, keys.checkpoint('a', 0), CheckpointDocument, manifest)
  const sampled = rolloutOf(problem, ownPolicy ? policy.digest : digestOf('another'))
  await writeTable(store, keys.rollouts('a', 1, 0), rolloutsTable, [sampled], identity)
  const deps = { store, blobs, now: () => 0, engine: { busySeconds: 0 } } as unknown as ComputeDeps
  return { deps, policy, task: { run: 'a', spec: specKey, step: 1 } }
}

test('which weights did the sampler serve: rollouts of another policy than the checkpoint’s are refused', async () => {
  const { deps, policy, task } = await furnish('p', false)
  const reward: Scored = { ...at, problem: 'p', value: 1, verdict: 'none', reason: '', components: {} }
  await writeTable(store, keys.rewards('a', 1, 0), rewardsTable, [reward], identity)
  const step = new MockActivityEnvironment().run(stepActivities(deps).step, { ...task, shards: 1 })
  await expect(step).rejects.toMatchObject({ type: 'CorruptObject', nonRetryable: true })
  await expect(step).rejects.toThrow(
    `run a, step 1: expected rollouts of policy ${policy.digest}, found one of ${digestOf('another')}`,
  )
})

test('a fault while rewards are computed is a fault, never a reward of 0: nothing is stored', async () => {
  const { deps, task } = await furnish('nowhere', true)
  const reward = new MockActivityEnvironment().run(rewardActivities(deps).reward, { ...task, shard: 0 })
  await expect(reward).rejects.toThrow('rollouts name problem nowhere, which the data set lacks')
  expect(await store.head(keys.rewards('a', 1, 0))).toBeNull()
})
