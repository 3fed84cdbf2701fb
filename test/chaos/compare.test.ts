import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openStore } from '../../activities/checkpoint/open.ts'
import type { Store } from '../../activities/checkpoint/store.ts'
import { compare, digestsOf } from '../../infra/chaos/compare.ts'

let folder: string
let stores: [Store, Store]

const objects = {
  'runs/a/checkpoints/000001.json': 'manifest',
  'runs/a/steps/000001/metrics.json': 'metrics',
  'runs/a/steps/000001/evaluation-nano.json': 'record',
  'runs/a/steps/000001/rollouts-00.parquet': 'rollouts',
  'runs/a/steps/000001/rewards-00.parquet': 'rewards',
  'evaluations/e.json': 'evaluation',
  'completions/c/completions-00.parquet': 'completions',
  'blobs/sha256/ab/abcd': 'bytes',
  'labels/l.parquet': 'labels',
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-compare-'))
  const open = (name: string) => openStore(pathToFileURL(join(folder, name)).href)
  stores = [await open('disturbed'), await open('undisturbed')]
  for (const [key, text] of Object.entries(objects)) for (const store of stores) await put(store, key, text)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const put = (store: Store, key: string, text: string) => store.replace(key, new TextEncoder().encode(text))
const compared = async () => compare(await digestsOf(stores[0]), await digestsOf(stores[1]))

it('finds nothing where all is the same, and says what it compared', async () => {
  expect(await compared()).toEqual({
    differences: [],
    compared: {
      manifests: 1, metrics: 1, evaluations: 2, rollouts: 2, rewards: 1, blobs: 1, other: 1,
    },
  }) // prettier-ignore
})

it('finds one byte of any object, an object that is missing, and one too many', async () => {
  for (const key of Object.keys(objects).filter((key) => !key.startsWith('blobs/'))) {
    await put(stores[0], key, 'another')
    expect((await compared()).differences).toEqual([{ key, how: 'different' }])
    await stores[0].remove(key)
    expect((await compared()).differences).toEqual([{ key, how: 'missing' }])
    await put(stores[0], key, objects[key as keyof typeof objects])
  }
  await put(stores[0], 'blobs/sha256/ff/ffff', 'unneeded')
  expect((await compared()).differences).toEqual([
    { key: 'blobs/sha256/ff/ffff', how: 'not in the undisturbed run' },
  ])
})

it('does not compare who computed when: provenance, the store and the report differ', async () => {
  for (const key of ['runs/a/steps/000001/provenance.json', 'store.json', 'sweeps/s/report/index.html'])
    for (const [index, store] of stores.entries()) await put(store, key, String(index))
  expect((await compared()).differences).toEqual([])
})
