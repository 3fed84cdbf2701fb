/** Weights that are in no store: computed again, and what becomes of a run where the replay gives other bits. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openBlobs } from '../activities/checkpoint/cache.ts'
import { digestOf } from '../activities/checkpoint/canonical.ts'
import { commit, requireDocument } from '../activities/checkpoint/documents.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Blobs, Store } from '../activities/checkpoint/store.ts'
import { rewardsTable, rolloutsTable, writeTable } from '../activities/checkpoint/tables.ts'
import {
  CheckpointDocument,
  RunDocument,
  SpecDocument,
  type Checkpoint,
  type Policy,
} from '../activities/contracts.ts'
import { policyOf } from '../activities/engine/embedded.ts'
import type { Engine } from '../activities/engine/port.ts'
import { openSpec } from '../activities/open.ts'
import { requireNewest } from '../activities/replay.ts'
import { restoreActivities } from '../activities/restore.ts'
import { resolveTrain } from '../activities/spec/resolve.ts'
import type { ComputeDeps } from '../activities/update.ts'

let folder: string
let store: Store
let blobs: Blobs
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-restore-'))
  store = await openStore(pathToFileURL(join(folder, 'store')).href)
  blobs = openBlobs(store, join(folder, 'cache'))
})
afterEach(() => rm(folder, { recursive: true }))

const bytesOf = (text: string) => new TextEncoder().encode(text)
/** `keep`: the weights are only in the cache. */
async function policyFrom(into: Blobs, weights: string, how: 'adopt' | 'keep' = 'adopt'): Promise<Policy> {
  const path = await into.scratch('model.safetensors')
  await writeFile(path, weights)
  return policyOf([
    { name: 'config.json', ...(await into.put(bytesOf('config'))) },
    { name: 'model.safetensors', ...(await into[how](path)) },
  ])
}

/** A run whose steps 1 and 2 have no state, and whose weights were `w1` and `w2`; those are in no store (any more). */
async function furnish(everStored = true): Promise<string> {
  const elsewhere = openBlobs(
    await openStore(pathToFileURL(join(folder, 'elsewhere')).href),
    join(folder, 'other'),
  )
  const identity = digestOf('identity')
  const problems = await blobs.put(bytesOf('[]'))
  const batch = { problems: 1, group: 2, minibatch: 1 }
  const spec = resolveTrain({ preset: 'demo', model: 'nano/coder', reward: 'format', steps: 2, batch })
  const document: SpecDocument = {
    format: 1, identity, spec, model: 'models/m.json', policy: identity, data: 'data/d.json', problems,
  } // prettier-ignore
  const specKey = keys.spec(digestOf(document))
  await commit(store, specKey, SpecDocument, document)
  const run = { format: 1 as const, run: 'a', namespace: 'default', identity, specs: [specKey] }
  await commit(store, keys.run('a'), RunDocument, run)
  for (const step of [0, 1, 2]) {
    const policy = await policyFrom(step === 0 ? blobs : elsewhere, `w${step}`)
    const optimizer = { name: 'sgd' as const, updates: step, state: step === 0 ? [] : null }
    const checkpoint = { lineage: digestOf(step), optimizer }
    const kept = step === 0 || everStored ? {} : { stored: false as const }
    const rollouts = await writeTable(store, keys.rollouts('a', step, 0), rolloutsTable, [], identity)
    const rewards = await writeTable(store, keys.rewards('a', step, 0), rewardsTable, [], identity)
    const learntFrom = step === 0 ? [] : [{ rollouts: rollouts.digest, rewards: rewards.digest }]
    const manifest = { format: 1 as const, identity, step, policy, checkpoint, learntFrom, ...kept }
    await commit(store, keys.checkpoint('a', step), CheckpointDocument, manifest)
  }
  return specKey
}

/** An engine by hand: the n-th update since step 0 makes the weights `w<n>`, in its own spelling. */
function engineThatWrites(spelling: (weights: string) => string): ComputeDeps {
  const update = async (checkpoint: Checkpoint): Promise<{ checkpoint: Checkpoint; sums: [] }> => {
    const updates = checkpoint.optimizer.updates + 1
    const policy = await policyFrom(blobs, spelling(`w${updates}`), 'keep')
    const optimizer = { name: 'sgd' as const, updates, state: null }
    return { checkpoint: { policy, lineage: digestOf(updates), optimizer }, sums: [] }
  }
  const engine = { domain: 'by hand', update } as unknown as Engine
  return { store, blobs, engine } as unknown as ComputeDeps
}
const restore = (deps: ComputeDeps, checkpoint: string) =>
  new MockActivityEnvironment().run(restoreActivities(deps).restore, {
    spec: { checkpoint, to: 'file:///unused' },
  })
test('the updates since the last whole checkpoint bring the very blobs back', async () => {
  await furnish()
  await restore(
    engineThatWrites((weights) => weights),
    'a/2',
  )
  const { policy } = await requireDocument(store, keys.checkpoint('a', 2), CheckpointDocument)
  for (const { digest, sizeBytes } of policy.files)
    expect(await store.head(keys.blob(digest))).toMatchObject({ sizeBytes })
})

test('weights that come out otherwise are lost for good, and the error says where and what', async () => {
  await furnish()
  const restoring = restore(
    engineThatWrites((weights) => weights.toUpperCase()),
    'a/2',
  )
  await expect(restoring).rejects.toMatchObject({ type: 'WeightsLost', nonRetryable: true })
  await expect(restoring).rejects.toThrow(/run a, step 2: .*no longer kept.*\(by hand\).*instead of/)
})

test('the tables of a replay are those that the committed step learnt from, or nothing is computed', async () => {
  await furnish()
  const key = keys.rewards('a', 1, 0)
  const { learntFrom } = await requireDocument(store, keys.checkpoint('a', 1), CheckpointDocument)
  const row = {
    problem: 'p',
    occurrence: 0,
    sample: 0,
    value: 1,
    verdict: 'none' as const,
    reason: '',
    components: {},
  }
  const other = await writeTable(store, key, rewardsTable, [row], digestOf('other'), { replace: true })
  const restoring = restore(
    engineThatWrites(() => expect.fail('computed from other rewards')),
    'a/2',
  )
  await expect(restoring).rejects.toMatchObject({ type: 'CorruptObject', nonRetryable: true })
  await expect(restoring).rejects.toThrow(
    `${key}: expected rows of digest ${learntFrom[0]!.rewards}, found ${other.digest}`,
  )
})

test('a run whose step 0 is gone too cannot be replayed', async () => {
  await furnish()
  const { digest } = (await policyFrom(blobs, 'w0')).files[1]!
  await store.remove(keys.blob(digest))
  const restoring = restore(
    engineThatWrites((weights) => weights),
    'a/1',
  )
  await expect(restoring).rejects.toThrow('run a: the blobs of its step 0 are not in the store')
})

describe('a step whose weights stayed with their worker', () => {
  const control = { signal: new AbortController().signal, progress: () => {} }
  const newest = async (deps: ComputeDeps, specKey: string) =>
    requireNewest(deps, await openSpec(deps, specKey), 'a', await manifest(2), control)
  const manifest = (step: number) => requireDocument(store, keys.checkpoint('a', step), CheckpointDocument)

  test('is computed again elsewhere, and the store is not given it', async () => {
    const specKey = await furnish(false)
    const { policy, replayed } = await newest(
      engineThatWrites((weights) => weights),
      specKey,
    )
    expect(replayed).toEqual([1, 2])
    expect(policy).toEqual((await manifest(2)).policy)
    expect(await store.head(keys.blob(policy.files[1]!.digest))).toBeNull()
    const again = await newest(
      engineThatWrites(() => expect.fail('computed twice')),
      specKey,
    )
    expect(again).toEqual({ policy, replayed: [] })
  })

  test('comes out otherwise in another domain: the run goes on from that, and its manifest says so', async () => {
    const specKey = await furnish(false)
    const before = await manifest(2)
    const { policy } = await newest(
      engineThatWrites((weights) => weights.toUpperCase()),
      specKey,
    )
    expect(new TextDecoder().decode(await blobs.bytes(policy.files[1]!))).toBe('W2')
    expect(await manifest(2)).toEqual({ ...before, policy })
  })

  test('is lost where the store had it once: others may have read those very weights', async () => {
    const specKey = await furnish(true)
    const before = await manifest(2)
    await expect(
      newest(
        engineThatWrites((weights) => weights.toUpperCase()),
        specKey,
      ),
    ).rejects.toMatchObject({
      name: 'WeightsLost',
    })
    expect(await manifest(2)).toEqual(before)
  })
})
