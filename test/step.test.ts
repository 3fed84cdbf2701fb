/** What a step and a reward refuse instead of going on with it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openBlobs } from '../activities/checkpoint/cache.ts'
import { digestOf } from '../activities/checkpoint/canonical.ts'
import { commit, replaceDocument, requireDocument } from '../activities/checkpoint/documents.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Store } from '../activities/checkpoint/store.ts'
import { requireTable, rewardsTable, rolloutsTable, writeTable } from '../activities/checkpoint/tables.ts'
import {
  CheckpointDocument,
  SpecDocument,
  type Rollout,
  type Scored,
  type StepTask,
} from '../activities/contracts.ts'
import { policyOf } from '../activities/engine/embedded.ts'
import { GRADER_VERSION } from '../activities/grading/index.ts'
import { rewardInputs } from '../activities/judged.ts'
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
  const batch = { problems: 1, group: 2, minibatch: 1 }
  const spec = resolveTrain({ preset: 'demo', model: 'nano/coder', reward: 'ground-truth', steps: 1, batch })
  const taken = { model: 'models/m.json', policy: identity, data: 'data/d.json', problems }
  const document: SpecDocument = { format: 1, identity, spec, ...taken }
  const specKey = keys.spec(digestOf(document))
  await commit(store, specKey, SpecDocument, document)
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

describe('rewards that another grader gave', () => {
  /** A run whose step 1 has a rollout with the answer a, rewarded 1 by another grader; this one gives it 0. */
  const rewardedAnew = async (learntFrom: (rewards: string) => CheckpointDocument['learntFrom']) => {
    const { deps, policy, task } = await furnish('p', true)
    const rollouts = (await requireTable(store, keys.rollouts('a', 1, 0), rolloutsTable)).digest
    const given: Scored = { ...at, problem: 'p', value: 1, verdict: 'correct', reason: '', components: {} }
    const { digest } = await writeTable(store, keys.rewards('a', 1, 0), rewardsTable, [given], identity)
    const checkpoint = { lineage: identity, optimizer: { name: 'sgd' as const, updates: 1, state: [] } }
    const learnt = learntFrom(digest).map((one) => ({ ...one, rollouts }))
    const manifest = { format: 1 as const, identity, step: 1, policy, checkpoint, learntFrom: learnt }
    await commit(store, keys.checkpoint('a', 1), CheckpointDocument, manifest)
    await new MockActivityEnvironment().run(rewardActivities(deps).reward, { ...task, shard: 0 })
    const { rows } = await requireTable(store, keys.rewards('a', 1, 0), rewardsTable)
    return rows.map(({ value }) => value)
  }

  test('stay where a committed step learnt from them: a reset does not write over them', async () => {
    expect(await rewardedAnew((rewards) => [{ rollouts: identity, rewards }])).toEqual([1])
  })

  test('are given anew where no committed step did', async () => {
    expect(await rewardedAnew(() => [{ rollouts: identity, rewards: identity }])).toEqual([0])
  })
})

test('rewards say who gave them, and who gave those of the step before where that was another grader', async () => {
  const { deps, policy, task } = await furnish('p', true)
  const rollouts = (await requireTable(store, keys.rollouts('a', 1, 0), rolloutsTable)).digest
  const given: Scored = { ...at, problem: 'p', value: 1, verdict: 'correct', reason: '', components: {} }
  const earlier = rewardInputs(rollouts, 'ground-truth', 'placebo-2')
  const { digest } = await writeTable(store, keys.rewards('a', 1, 0), rewardsTable, [given], earlier)
  const checkpoint = { lineage: identity, optimizer: { name: 'sgd' as const, updates: 1, state: [] } }
  const learntFrom = [{ rollouts, rewards: digest }]
  const manifest = { format: 1 as const, identity, step: 1, policy, checkpoint, learntFrom }
  await commit(store, keys.checkpoint('a', 1), CheckpointDocument, manifest)
  const next = rolloutOf('p', policy.digest)
  for (const step of [2, 3])
    await writeTable(store, keys.rollouts('a', step, 0), rolloutsTable, [next], identity)

  const { reward } = rewardActivities(deps)
  const rewarded = (step: number, shard = 0): ReturnType<typeof reward> =>
    new MockActivityEnvironment().run(reward, { ...task, step, shard })
  // A reset repeats step 1: its rewards stay what they were, and who gave them.
  expect(await rewarded(1)).toMatchObject({ digest, grader: 'placebo-2' })
  expect(await rewarded(2)).toMatchObject({ grader: GRADER_VERSION, before: 'placebo-2' })
  const third = await rewarded(3)
  expect(third).toMatchObject({ grader: GRADER_VERSION })
  expect(third).not.toHaveProperty('before')
  // A worker that has not seen the run looks it up.
  const another = rewardActivities(deps).reward
  expect(await new MockActivityEnvironment().run(another, { ...task, step: 2, shard: 0 })).toMatchObject({
    before: 'placebo-2',
  })
  expect(third.samples).toEqual([
    { problem: 'p', statement: '1+1', completion: 'a', reward: 0, verdict: 'unparsed' },
  ])
})

describe('rewards and rollouts', () => {
  const reward = (problem: string, sample: number, value: number): Scored => ({
    problem, occurrence: 0, sample, value, verdict: 'none', reason: '', components: {},
  }) // prettier-ignore
  const stepWith = async (rewards: readonly Scored[], tables?: StepTask['tables']) => {
    const { deps, task } = await furnish('p', true)
    await writeTable(store, keys.rewards('a', 1, 0), rewardsTable, rewards, identity)
    return new MockActivityEnvironment().run(stepActivities(deps).step, {
      ...task,
      shards: 1,
      ...(tables && { tables }),
    })
  }

  test.each<[string, Scored[], string]>([
    [
      'of another problem',
      [reward('q', 0, 1)],
      'problem p, occurrence 0, sample 0: expected a reward for the rollout, found none',
    ],
    ['of too few', [], 'problem p, occurrence 0, sample 0: expected a reward for the rollout, found none'],
    [
      'of too many',
      [reward('p', 0, 1), reward('p', 1, 0)],
      'problem p, occurrence 0, sample 1: expected no reward without a rollout, found one',
    ],
  ])('a table %s is refused by step, shard and row', async (_, rewards, message) => {
    const step = stepWith(rewards)
    await expect(step).rejects.toMatchObject({ type: 'CorruptObject', nonRetryable: true })
    await expect(step).rejects.toThrow(`run a, step 1, shard 0: ${message}`)
  })

  test('a table exchanged for one of the same places is refused by the digest that was written down', async () => {
    const digest = digestOf('the table that was stored for it')
    const step = stepWith([reward('p', 0, 0)], [{ rollouts: digest, rewards: digest }])
    await expect(step).rejects.toMatchObject({ type: 'CorruptObject', nonRetryable: true })
    await expect(step).rejects.toThrow(new RegExp(`expected rows of digest ${digest}, found [0-9a-f]{64}`))
  })
})

test('a checkpoint of another run’s identity is not gone on from', async () => {
  const { deps, task } = await furnish('p', true)
  const stored = await requireDocument(store, keys.checkpoint('a', 0), CheckpointDocument)
  const strange = { ...stored, identity: digestOf('another') }
  await replaceDocument(store, keys.checkpoint('a', 0), CheckpointDocument, strange)
  const reward: Scored = { ...at, problem: 'p', value: 1, verdict: 'none', reason: '', components: {} }
  await writeTable(store, keys.rewards('a', 1, 0), rewardsTable, [reward], identity)
  const step = new MockActivityEnvironment().run(stepActivities(deps).step, { ...task, shards: 1 })
  await expect(step).rejects.toThrow(`identity: expected ${identity}, found ${digestOf('another')}`)
})
