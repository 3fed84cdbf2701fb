/** Faults of the compute thread reach whoever asked by their names, and nothing that was made with them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openBlobs } from '../../activities/checkpoint/cache.ts'
import { digestOf } from '../../activities/checkpoint/canonical.ts'
import { openStore } from '../../activities/checkpoint/open.ts'
import type { Blobs } from '../../activities/checkpoint/store.ts'
import { permanenceOf } from '../../activities/contracts/faults.ts'
import type { Checkpoint, NamedBlob, Optimizer } from '../../activities/contracts.ts'
import { EmbeddedEngine, policyOf } from '../../activities/engine/embedded.ts'
import type { Completion, Sequence } from '../../activities/engine/port.ts'
import { policyFiles } from '../policy/folders.ts'
import { quiet } from '../policy/golden.ts'

let folder: string
let blobs: Blobs
let engine: EmbeddedEngine
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-embedded-'))
  const store = await openStore(pathToFileURL(join(folder, 'store')).href)
  blobs = openBlobs(store, join(folder, 'cache'))
  engine = new EmbeddedEngine({ blobs, threads: 1, residentBytes: 2 ** 30, now: () => 0 })
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true })
})

/** A golden policy; `spoil` may change the bytes of its weights. */
async function policy(spoil: (weights: Buffer) => void = () => {}) {
  const files: NamedBlob[] = []
  for (const { name, path } of policyFiles('llama3-tied')) {
    const bytes = await readFile(path)
    if (name.endsWith('.safetensors')) spoil(bytes)
    files.push({ name, ...(await blobs.put(bytes)) })
  }
  return policyOf(files)
}

const sequence: Sequence = {
  group: 'g',
  prompt: [5, 6],
  completion: [7, 8],
  logprobs: [-1, -1],
  advantage: 1,
}
const prompt = { tokens: [5, 6], at: { seed: 1, purpose: 'sample', problem: 'p' } as const, samples: [0] }
const decoding = { temperature: 1, topP: 1, maxTokens: 4, stop: [] }

async function sampled(of: Awaited<ReturnType<typeof policy>>, tokens: readonly number[] = prompt.tokens) {
  const found: Completion[] = []
  for await (const one of engine.sample(of, [{ ...prompt, tokens }], decoding, quiet())) found.push(one)
  return found
}

it('logits that are not finite, and ids that have no row, are permanent faults of their own names', async () => {
  const sound = await policy()
  expect((await sampled(sound)).length).toBe(1)
  // The last four bytes of the file are a weight of its last tensor.
  const broken = await policy((weights) => weights.fill(0xff, weights.length - 4))
  await expect(sampled(broken)).rejects.toMatchObject({ name: 'NonFiniteLogits' })
  await expect(engine.score(broken, [sequence], quiet())).rejects.toMatchObject({ name: 'NonFiniteLogits' })
  await expect(sampled(sound, [5, 64])).rejects.toMatchObject({
    name: 'CorruptModel',
    message: 'prompt 0 (problem p): the tokenizer knows id 64, the embedding has 64 rows',
  })
  const beyond = { ...sequence, completion: [7, 64] }
  await expect(engine.score(sound, [beyond], quiet())).rejects.toMatchObject({
    name: 'CorruptModel',
    message: 'sequence 0: token 1 of its completion has id 64, the embedding has 64 rows',
  })
  await expect(sampled(sound, [])).rejects.toMatchObject({ name: 'EmptyPrompt' })
  for (const name of ['NonFiniteLogits', 'CorruptModel', 'EmptyPrompt', 'NonFiniteLoss'])
    expect(permanenceOf(name)).toBe('permanent')
})

it('a step that leaves float32 leaves no checkpoint: the last minibatch is looked at, whatever learns', async () => {
  const from = await policy()
  const optimizers: Optimizer[] = [
    { name: 'adamw', learningRate: 1e39, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0, maxGradNorm: 1 },
    { name: 'sgd', learningRate: 1e308, maxGradNorm: 1 },
  ]
  const grpo = { name: 'grpo', clip: null, kl: 0, scale: 'none', whiten: false, average: 'tokens' } as const
  for (const optimizer of optimizers)
    for (const objective of [grpo, { name: 'nll' } as const]) {
      const state = { name: optimizer.name, updates: 0, state: [] }
      const checkpoint: Checkpoint = { policy: from, lineage: digestOf('before'), optimizer: state }
      const plan = { lineage: digestOf('after'), microbatchTokens: 64, store: 'weights and state' } as const
      const minibatches = [{ sequences: [sequence], learningRate: 1e-3 }, { sequences: [sequence] }]
      const updating = engine.update(checkpoint, minibatches, objective, optimizer, plan, quiet())
      await expect(updating).rejects.toMatchObject({ name: 'NonFiniteLoss', minibatch: 1 })
      await expect(updating).rejects.toThrow(
        /minibatch 1 of 2, expected finite weights .*, found (weights|m|v) of .*: \d+ of \d+ values/,
      )
    }
})
