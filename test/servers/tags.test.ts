/** Tags of specs on a real server: workflows and their children are found by them, and a namespace without them is no fault. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { attributesOf } from '../../activities/attributes.ts'
import { prepareNamespace } from '../../infra/servers.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { train } from '../../workflows/train.ts'
import { Fleet, startGrounds, type Grounds } from './fleet.ts'

let grounds: Grounds
let fleet: Fleet
beforeAll(async () => {
  grounds = await startGrounds('tags')
  fleet = new Fleet(grounds, 'tags')
  await Promise.all([fleet.add('light'), fleet.add('compute')])
})
afterAll(async () => {
  await fleet.stop()
  await grounds.close()
})

const temporal = async (...args: string[]) => {
  const { stdout } = await promisify(execFile)(grounds.stack.cli, [
    ...args,
    ...['--address', grounds.stack.temporalAddress],
  ])
  return stdout
}
const found = async (query: string) => {
  const listed = JSON.parse(await temporal('workflow', 'list', '--query', query, '--output', 'json')) as {
    execution: { workflowId: string }
  }[]
  return listed.map(({ execution }) => execution.workflowId).sort()
}
const poll = { timeout: 30_000, interval: 500 }

const base = {
  preset: 'demo',
  model: 'nano/coder',
  steps: 1,
  batch: { problems: 2, group: 2, minibatch: 4 },
  sampling: { maxTokens: 8 },
  evaluate: { every: 0, benchmarks: ['nano'], limit: 8, samples: 1 },
}
const execute = (type: string, workflowId: string, input: unknown) =>
  fleet.orBroken(
    grounds.client.workflow.execute(type, { taskQueue: taskQueues.light, workflowId, args: [input] }),
  )

it('a run, its evaluations, a sweep and its runs are found by the tags that were given', async () => {
  const spec = { ...base, reward: 'ground-truth' }
  await execute('train', 'r', { ...spec, tags: ['night', 'a/b:c@2026-11-27'] })
  await execute('evaluate', 'e', { model: 'nano/coder', benchmarks: ['nano'], limit: 8, tags: ['alone'] })
  await execute('sweep', 's', {
    base: { ...base, tags: ['of-base'] },
    models: ['nano/coder'],
    arms: { truth: { reward: 'ground-truth', tags: ['of-arm'] }, format: { reward: 'format' } },
    seeds: [1],
    controls: false,
    tags: ['of-sweep'],
  })
  const sweep = ['s', 's:initial:0']
  const run = (arm: string) => ['', ':evaluate:0', ':evaluate:1'].map((end) => `s:nano-coder:${arm}:1${end}`)
  await expect.poll(() => found('Tags="night"'), poll).toEqual(['r', 'r:evaluate:0', 'r:evaluate:1'])
  expect(await found('Tags="a/b:c@2026-11-27"')).toEqual(['r', 'r:evaluate:0', 'r:evaluate:1'])
  expect(await found('Tags="b"')).toEqual([])
  expect(await found('Tags="alone"')).toEqual(['e'])
  await expect
    .poll(() => found('Tags="of-sweep"'), poll)
    .toEqual([...sweep, ...run('format'), ...run('truth')])
  expect(await found('Tags="of-arm"')).toEqual(run('truth'))
  expect(await found('Tags="of-base"')).toEqual(run('format'))
  // They are no part of what a run is: the same id goes on under others.
  expect(await execute('train', 'r', { ...spec, tags: ['later'] })).toMatchObject({ steps: 1 })
  await expect.poll(() => found('Tags="later"'), poll).toEqual(['r'])
})

it('where the namespace lacks the attribute, the worker and the run say what to do, and the run goes on', async () => {
  await temporal('operator', 'search-attribute', 'remove', '--name', 'Tags', '--yes')
  const other = new Fleet(grounds, 'untagged')
  const add = 'temporal operator search-attribute create --name Tags --type KeywordList'
  try {
    await fleet.stop()
    await Promise.all([other.add('light'), other.add('compute')])
    const result = await other.orBroken(
      grounds.client.workflow.execute<typeof train>('train', {
        taskQueue: taskQueues.light,
        workflowId: 'without',
        args: [{ ...base, reward: 'format', tags: ['night'] }],
      }),
    )
    expect(result).toMatchObject({
      steps: 1,
      notes: [
        `Search attributes that this namespace lacks, or has as another type: Tags; to add them: ${add}`,
      ],
    })
    expect(await readFile(join(other.home, 'light-cache.log'), 'utf8')).toContain(add)
  } finally {
    await other.stop()
  }
})

it('a stack adds it to a database of before there were tags', async () => {
  await prepareNamespace(grounds.stack.cli, grounds.stack.temporalAddress)
  await expect.poll(async () => (await attributesOf(grounds.client)).missing, poll).toEqual([])
})

it('an attribute of the name that somebody has as another type is not written', async () => {
  await temporal('operator', 'search-attribute', 'remove', '--name', 'Tags', '--yes')
  await temporal('operator', 'search-attribute', 'create', '--name', 'Tags', '--type', 'Int')
  await expect.poll(async () => (await attributesOf(grounds.client)).missing, poll).toEqual(['Tags'])
})
