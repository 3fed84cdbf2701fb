/** The adapter around a collection: what a stopped attempt tells the next one. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { believedForMs } from '../activities/checkpoint/cache.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Store } from '../activities/checkpoint/store.ts'
import { surveyPage } from '../activities/checkpoint/survey.ts'
import { GcSpec, type Collected, type CollectTask } from '../activities/contracts.ts'
import { housekeepActivities } from '../activities/housekeep.ts'
import type { Deps } from '../activities/deps.ts'
import { activityOptions } from '../temporal.config.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-housekeep-'))
  store = await openStore(pathToFileURL(folder).href)
  for (let i = 0; i < 50; i++) await store.replace(`${keys.blobs('0')}0/${i + 10}`, new Uint8Array(3))
  await surveyPage(store, { survey: 'none', page: 0, after: '', cutoffMs: task.cutoffMs })
})
afterEach(() => rm(folder, { recursive: true }))

const task = { survey: 'none', cutoffMs: 8e15, digit: '0', dryRun: false }
type Collect = (task: CollectTask) => Promise<Collected>
const activities = (over: Store) => housekeepActivities({ store: over } as Deps)

test('a worker told to stop in the middle says how far it was, and the next attempt goes on from there', async () => {
  const first = new MockActivityEnvironment()
  let last: unknown = null
  first.on('heartbeat', (details: unknown) => (last = details))
  let removals = 0
  const stopping = new Proxy(store, {
    get: (target, name: keyof Store) => {
      if (name === 'removeOlder' && ++removals === 20) first.cancel('WORKER_SHUTDOWN')
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
  await expect(first.run(activities(stopping).collect, task)).rejects.toThrow('preempted')
  expect(last).toMatchObject({ at: { unneeded: { count: 32 }, removed: { count: 32 } } }) // two groups of 16

  const second = new MockActivityEnvironment({ heartbeatDetails: last })
  const sums = await second.run<[CollectTask], Collected, Collect>(activities(store).collect, task)
  expect(sums).toMatchObject({ unneeded: { count: 50, sizeBytes: 150 }, removed: { count: 50 } })
})

test('the shortest grace period is longer than a blob is believed and any attempt takes, by half a day', () => {
  expect(GcSpec.safeParse({ graceHours: 47 }).success).toBe(false)
  expect(GcSpec.safeParse({ graceHours: 47, quiet: true }).success).toBe(true)
  expect(GcSpec.safeParse({ graceHours: 48 }).success).toBe(true)
  const longest = [activityOptions.light, activityOptions.compute].map((of) => of.startToCloseTimeout)
  expect(longest).toEqual(['10 minutes', '12 hours'])
  expect(48 - believedForMs / 3600_000 - 12).toBeGreaterThanOrEqual(12)
})

test("details of another version's heartbeat are no place to go on from", async () => {
  const environment = new MockActivityEnvironment({
    heartbeatDetails: { after: 'blobs/sha256/00/59', at: 1 },
  })
  const sums = await environment.run<[CollectTask], Collected, Collect>(activities(store).collect, task)
  expect(sums.removed.count).toBe(50)
})

test('a survey that must be strict fails for good at a document it cannot read, another one counts it', async () => {
  await store.replace(keys.checkpoint('a', 1), new TextEncoder().encode('{'))
  const survey = { survey: 's', cutoffMs: 0, page: 0, after: '', maxProblems: 1 }
  const run = (strict: boolean) =>
    new MockActivityEnvironment().run(activities(store).survey, { ...survey, strict })
  await expect(run(true)).rejects.toMatchObject({ type: 'CorruptObject', nonRetryable: true })
  expect(await run(false)).toMatchObject({ problemCount: 1, manifests: 1, next: null })
})
