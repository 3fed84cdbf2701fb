/** What is admitted, as the activities answer a workflow. */
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, it } from 'vitest'
import { admitActivities, type SweepCell } from '../activities/admit.ts'
import { NotFound } from '../activities/checkpoint/store.ts'
import type { Deps } from '../activities/deps.ts'
import { searchAttributes } from '../temporal.config.ts'

const deps = {
  store: { url: 'file:///s', get: (key: string) => Promise.reject(new NotFound(key)) },
  client: {
    options: { namespace: 'default' },
    connection: {
      operatorService: { listSearchAttributes: async () => ({ customAttributes: searchAttributes }) },
    },
  },
} as unknown as Deps
const { admitSweep, admitEvaluate, planCells } = admitActivities(deps)
const admit = (spec: unknown): ReturnType<typeof admitSweep> =>
  new MockActivityEnvironment().run(admitSweep, { spec, sweep: 's' })
const pageOf = (spec: unknown, from = 0): Promise<SweepCell[]> =>
  new MockActivityEnvironment().run(planCells, { spec, sweep: 's', from })

const base = { base: { preset: 'demo' }, models: ['nano/coder'], arms: { truth: {} }, seeds: [1, 2] }

it('a sweep has its runs, and what its models share', async () => {
  const { total, initial, labels } = await admit({
    ...base,
    arms: { truth: {}, majority: { reward: 'majority' } },
  })
  // Two arms, three controls, two seeds.
  expect(total).toBe(10)
  expect(initial).toEqual([{ model: 'nano/coder', prompts: ['plain'], seed: 0, benchmarks: ['nano'] }])
  expect(labels).toHaveLength(1)
})

it.each([
  [{ seeds: [1, 1] }, 'seeds.1: expected each once, found 1 as number 1 and number 2'],
  [{ models: ['file:///a/b', 'file:///a-b'] }, '"file:///a/b" and "file:///a-b" have one name'],
  [{ arms: { other: { batch: { group: 2e8 } } } }, 'sweep spec: arms.other.batch.group: expected at most 16384'],
  [{ arms: { other: { batch: { problems: 60_000 } } } }, 'sweep spec: arms.other: train spec: batch: problems x group: expected at most 1000 shards'],
  [{ arms: { other: { prompt: 'nobody' } } }, 'prompt: expected default'],
  [{ priorities: { constructor: 1 } }, 'priorities.constructor: expected an arm of the sweep'],
])('a sweep with %j is refused for good', async (more, message) => {
  const admitted = admit({ ...base, ...more })
  await expect(admitted).rejects.toMatchObject({ type: 'InvalidSpec', nonRetryable: true })
  await expect(admitted).rejects.toThrow(message)
}) // prettier-ignore

it('an evaluation in more shards than may wait at once is refused', async () => {
  const spec = {
    model: 'm',
    benchmarks: ['math-500'],
    samples: 300,
    prompts: ['plain', 'r1', 'sober', 'default'],
  }
  await expect(new MockActivityEnvironment().run(admitEvaluate, { spec })).rejects.toThrow(
    'evaluate spec: benchmarks x prompts x samples: expected at most 1500 shards at once, found 2000',
  )
})

it('an arm that is called as what every object has gets no priority from it', async () => {
  const [cell] = await pageOf({ ...base, arms: { constructor: {} }, controls: false })
  expect(cell).toMatchObject({ arm: 'constructor', priority: 3 })
})

it('a page of large specs has as many as one payload carries, and at least one', async () => {
  const only = Array.from({ length: 900 }, (_, i) => `${'x'.repeat(200)}${i}`)
  const large = {
    ...base,
    base: { preset: 'demo', data: { only } },
    seeds: Array.from({ length: 20 }, (_, i) => i),
  }
  const [page, small] = await Promise.all([pageOf(large), pageOf({ ...base, seeds: large.seeds })])
  expect(small).toHaveLength(20)
  // A spec of 900 ids of some 206 bytes is 186 KB and a few hundred bytes: five of them are below a million.
  expect(page).toHaveLength(5)
  expect((await pageOf(large, 5))[0]?.run).not.toBe(page[0]?.run)
})
