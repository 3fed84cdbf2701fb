/**
 * A worker's parts on a store in a temporary folder, with an engine that computes nothing: its completions and weights
 * are written out here. What activities make of them (keys, digests, lineages) is then the same on every machine, which
 * sampled tokens and trained weights are not.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { openBlobs } from '../activities/checkpoint/cache.ts'
import { checkStore, openStore } from '../activities/checkpoint/open.ts'
import type { Blobs } from '../activities/checkpoint/store.ts'
import { policyOf } from '../activities/engine/embedded.ts'
import type { Completion, Engine, MinibatchSums } from '../activities/engine/port.ts'
import { computeActivities, lightActivities } from '../activities/index.ts'
import type { Deps } from '../activities/deps.ts'
import { reader } from './reading/shared.ts'

/** Right for the problem 14+7*2, in code and in language; without a box; wrong and cut off. */
const texts = [
  'python t=7*2#14\nprint(14+t)#28\n\\boxed{28}',
  'first 7*2=14 then 14+14=28 so \\boxed{28}',
  'first 14+7=21 then 21*2=42 so ans 42',
  'first 14+7=21 then 21*2=42 so \\boxed{42',
]
const stops = ['end', 'end', 'end', 'length'] as const
/** Sample s of prompt p is text p + s, round and round; its numbers are exact in float32. */
const written = (prompt: number, sample: number): Completion => {
  const which = (prompt + sample) % texts.length
  return {
    prompt,
    sample,
    tokens: [3 + prompt, 4 + sample, 5 + which, 2],
    logprobs: [-0.5, -0.25, -0.125 * which, -1],
    text: texts[which] ?? '',
    stop: stops[which] ?? 'end',
  }
}

const sums: MinibatchSums = {
  sequences: 4,
  tokens: 16,
  loss: 0.5,
  gradNorm: 0.25,
  learningRate: 0.125,
  entropy: 8,
  clipLow: 0,
  clipHigh: 0,
  clipLowByDecile: Array.from({ length: 10 }, () => 0),
  clipHighByDecile: Array.from({ length: 10 }, () => 0),
  tokensByDecile: Array.from({ length: 10 }, () => 0),
  ratio: 16,
  kl: 0,
  logprobDifference: 0,
  logprobDifferenceMax: 0,
}

function writtenEngine(blobs: Blobs): Engine {
  return {
    domain: 'written',
    busySeconds: 0,
    async *sample(_policy, prompts) {
      for (const [prompt, { samples }] of prompts.entries())
        for (const sample of samples) yield written(prompt, sample)
    },
    /** Weights are a text that counts the optimizer's steps. */
    update: async ({ policy, optimizer }, minibatches, _objective, _optimizer, { lineage }) => {
      const updates = optimizer.updates + minibatches.length
      const weights = await blobs.put(new TextEncoder().encode(`weights after ${updates} updates`))
      const files = policy.files.map((file) =>
        file.name === 'model.safetensors' ? { ...file, ...weights } : file,
      )
      const checkpoint = { policy: policyOf(files), lineage, optimizer: { ...optimizer, updates } }
      return { checkpoint, sums: minibatches.map(() => sums) }
    },
    score: async () => [],
    close: async () => {},
  }
}

export async function furnish(hub: Deps['hub'] = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'placebo-written-'))
  const store = await openStore(pathToFileURL(join(folder, 'store')).href)
  const blobs = openBlobs(store, join(folder, 'cache'))
  const deps = {
    ...{ store, storeId: await checkStore(store), blobs, hub },
    engine: writtenEngine(blobs),
    reader,
    client: { options: { namespace: 'default' } } as Deps['client'],
    dataFolder: null,
    allow: [pathToFileURL(folder).href],
    identity: 'written',
    queue: null,
    now: () => 0,
  }
  return {
    ...deps,
    folder,
    verbs: { ...lightActivities(deps), ...computeActivities(deps) },
    /** An activity as a worker runs it. */
    run: <I, T>(activity: (input: I) => Promise<T>, input: I): Promise<T> =>
      new MockActivityEnvironment().run<[I], T, (input: I) => Promise<T>>(activity, input),
    /** The keys beneath a prefix. */
    keys: async (prefix: string) => {
      const found: string[] = []
      for await (const { key } of store.list(prefix)) found.push(key)
      return found.sort()
    },
    close: () => rm(folder, { recursive: true }),
  }
}
export type Written = Awaited<ReturnType<typeof furnish>>
