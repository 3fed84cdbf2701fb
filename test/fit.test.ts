/** What cannot fit a worker's memory is refused before it is computed, with what it needs and what would fit. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { digestOf } from '../activities/checkpoint/canonical.ts'
import type { Policy } from '../activities/contracts.ts'
import { permanenceOf } from '../activities/contracts/faults.ts'
import type { Deps } from '../activities/deps.ts'
import { DoesNotFit, requireSampling, requireUpdate } from '../activities/fit.ts'
import type { Sequence } from '../activities/engine/port.ts'
import { smollm2Json } from './spec/models.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-fit-'))
  await writeFile(join(folder, 'config.json'), JSON.stringify(smollm2Json))
})
afterAll(() => rm(folder, { recursive: true }))

const digest = digestOf(smollm2Json)
const policy: Policy = { digest, files: [{ name: 'config.json', digest, sizeBytes: 1 }] }
const control = { signal: new AbortController().signal }
const GiB = 2 ** 30
const depsOf = (memoryBytes: number) =>
  ({
    machine: { threads: 2, memoryBytes },
    blobs: { file: () => Promise.resolve(join(folder, 'config.json')) },
  }) as unknown as Deps
const drawn = { promptTokens: 192, maxTokens: 8000, completions: 256 }
const sequence = (tokens: number, group = 'g'): Sequence => ({
  group, prompt: [1, 2, 3], completion: Array.from({ length: tokens }, () => 1), logprobs: [], advantage: 1,
}) // prettier-ignore
const updateOf = (sequences: Sequence[], microbatchTokens: number) => ({
  minibatches: [{ sequences }],
  microbatchTokens,
  optimizer: 'adamw' as const,
})

it('what works today is not refused: the 135M model on 24 GiB, and on 4', async () => {
  for (const memory of [24 * GiB, 4 * GiB]) {
    await requireSampling(depsOf(memory), policy, drawn, control)
    await requireUpdate(depsOf(memory), policy, updateOf([sequence(640)], 1024), control)
  }
})

it('sampling whose fewest rows do not fit names its parts, and the tokens that would', async () => {
  // Weights 513.1 MiB; one row of 8,192 positions of 46,080 bytes 360 MiB; 256 completions of 8,000 tokens 31.25 MiB.
  const refused = requireSampling(depsOf(0.5 * GiB), policy, drawn, control)
  await expect(refused).rejects.toBeInstanceOf(DoesNotFit)
  await expect(refused).rejects.toThrow(
    'sampling 256 completions of at most 8000 tokens needs about 904.4 MiB (weights 513.1 MiB, ' +
      'keys and values of 1 rows 360.0 MiB, 256 completions 31.3 MiB), this worker has 512.0 MiB; at most ',
  )
  const tokens = Number(
    /at most (\d+) tokens \(maxTokens\) would fit/.exec(String(await refused.catch(String)))?.[1],
  )
  const asked = (maxTokens: number) =>
    requireSampling(depsOf(0.5 * GiB), policy, { ...drawn, maxTokens }, control)
  await asked(tokens)
  await expect(asked(tokens + 1)).rejects.toBeInstanceOf(DoesNotFit)
})

it('a model whose weights alone do not fit says so', async () => {
  await expect(requireSampling(depsOf(0.2 * GiB), policy, drawn, control)).rejects.toThrow(
    'this worker has 204.8 MiB; no number of tokens would fit',
  )
})

it('an update whose micro-batches do not fit names the budget that would', async () => {
  const many = Array.from({ length: 64 }, (_, i) => sequence(500, `g${i}`))
  const update = requireUpdate(depsOf(3 * GiB), policy, updateOf(many, 32_768), control)
  await expect(update).rejects.toThrow(/^an update in micro-batches of 32768 tokens needs about [\d.]+ GiB \(weights 513.1 MiB, gradients 513.1 MiB, optimizer state 1.00 GiB, a micro-batch of 64 prompts of 2 and 64 completions of 500 tokens /)
  const budget = Number(/batch.microbatchTokens (\d+) would fit/.exec(String(await update.catch(String)))?.[1])
  await requireUpdate(depsOf(3 * GiB), policy, updateOf(many, budget), control)
}) // prettier-ignore

it('one completion that is too long for any budget names the length that would do', async () => {
  const update = requireUpdate(depsOf(3 * GiB), policy, updateOf([sequence(6000)], 1024), control)
  await expect(update).rejects.toThrow(/one completion of \d+ tokens would fit \(sampling.maxTokens\)$/)
})

it('is permanent, and a worker that was told no memory refuses nothing', async () => {
  expect(permanenceOf('DoesNotFit')).toBe('permanent')
  await requireSampling({} as Deps, policy, { ...drawn, maxTokens: 131_072, completions: 1e9 }, control)
})
