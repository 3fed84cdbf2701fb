/**
 * gc and verify as users start them, with the CLI, on a stack with an S3 server: one run that keeps one checkpoint, its
 * store aged by ten days, and what becomes of what is dropped.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import * as keys from '../../activities/checkpoint/keys.ts'
import { openStore } from '../../activities/checkpoint/open.ts'
import type { Store } from '../../activities/checkpoint/store.ts'
import { CheckpointDocument } from '../../activities/contracts.ts'
import { startStack, type Stack } from '../../infra/stack.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { EvaluateResult } from '../../workflows/evaluate.ts'
import type { GcResult } from '../../workflows/gc.ts'
import type { VerifyResult } from '../../workflows/verify.ts'
import { keyOf } from '../checkpoint/housekeeping.ts'
import { keysOf, unfinishedOf } from '../checkpoint/contract.ts'

// Whole are 0, 2, 4 and the last, 5: with one to keep, a collection lets the weights of 2 and 4 go. Those of 1 and 3 never
// left their worker.
const spec = {
  preset: 'demo',
  model: 'nano/coder',
  reward: 'ground-truth',
  steps: 5,
  batch: { problems: 2, group: 2, minibatch: 4 },
  optimizer: { name: 'adamw', learningRate: 1e-4 },
  evaluate: { benchmarks: [] },
  checkpoint: { every: 2, keep: 1 },
}

let folder: string
let stack: Stack
let store: Store

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-housekeeping-'))
  const allow = { PLACEBO_ALLOW: folder, PLACEBO_THREADS: '1' }
  stack = await startStack({
    folder: join(folder, 'stack'),
    ports: 'free',
    workers: [
      { role: 'light', env: { ...allow, PLACEBO_CACHE: join(folder, 'light') } },
      // Holds next to nothing, so that what the store lost is not simply taken from the worker's own disk.
      {
        role: 'compute',
        env: { ...allow, PLACEBO_CACHE: join(folder, 'compute'), PLACEBO_CACHE_LIMIT: '1' },
      },
    ],
    report: () => {},
  })
  for (const [name, value] of Object.entries(stack.env)) if (/^AWS_/.test(name)) vi.stubEnv(name, value)
  store = await openStore(stack.storeUrl)
  await run('train', spec, 'kept')
})
afterAll(async () => {
  await store.close()
  await stack.stop()
  await rm(folder, { recursive: true, force: true })
})

/** `temporal workflow execute`; what it returned, or the failure it printed. */
async function run<T>(type: string, input: unknown, id: string): Promise<T> {
  const args = ['workflow', 'execute', '--type', type, '--task-queue', taskQueues.light, '--workflow-id', id]
  const { stdout, failed } = await cli(...args, '--input', JSON.stringify(input), '--output', 'json')
  const { result, failure } = JSON.parse(stdout) as { result?: T; failure?: unknown }
  if (failed) throw new Error(JSON.stringify(failure ?? stdout))
  return result as T
}

function cli(...args: string[]): Promise<{ stdout: string; failed: boolean }> {
  const options = { env: stack.env as NodeJS.ProcessEnv, maxBuffer: 2 ** 24 }
  return new Promise((resolve) =>
    execFile(stack.cli, args, options, (error, stdout) => resolve({ stdout, failed: error !== null })),
  )
}

/** All that the S3 server holds looks as if it was written ten days ago: its objects are plain files. */
async function ageAll(): Promise<void> {
  const objects = join(folder, 'stack', 's3')
  const then = new Date(Date.now() - 10 * 24 * 3600_000)
  for (const name of await readdir(objects, { recursive: true }))
    await utimes(join(objects, name), then, then)
}

const blobsOf = async (step: number) => {
  const bytes = await store.get(keys.checkpoint('kept', step))
  const { policy } = CheckpointDocument.parse(JSON.parse(new TextDecoder().decode(bytes)))
  return policy.files
    .filter(({ name }) => name.endsWith('.safetensors'))
    .map(({ digest }) => keys.blob(digest))
}
const isThere = async (step: number) =>
  (await Promise.all((await blobsOf(step)).map((key) => store.head(key)))).every((head) => head !== null)

it('a wrong spec is refused by name, and so is a short grace period while others may write', async () => {
  await expect(run('gc', { graceHour: 1 }, 'wrong')).rejects.toThrow(
    /gc spec: graceHour: expected one of .*, found an unknown key \(did you mean .*graceHours/,
  )
  await expect(run('gc', { graceHours: 1 }, 'short')).rejects.toThrow(
    /graceHours: expected at least 48.*found 1/,
  )
  await expect(run('verify', { digests: 'yes' }, 'yes')).rejects.toThrow(/verify spec: digests:/)
})

it('verify finds the store of a finished run whole, and says how it went', async () => {
  const result = await run<VerifyResult>('verify', {}, 'whole')
  expect(result).toMatchObject({ ok: true, problemCount: 0, gone: 2, dropped: 4 })
  expect(result.readBytes).toBe(result.intact.sizeBytes)
  expect(await keysOf(store, keys.surveys())).toEqual([])
  const queried = await cli(
    'workflow',
    'query',
    '--workflow-id',
    'whole',
    '--type',
    'progress',
    '--output',
    'json',
  )
  expect(queried.stdout).toMatch(/"phase":\s*"done"/)
})

it('gc without a word counts only, and what is young stays', async () => {
  const result = await run<GcResult>('gc', {}, 'young')
  expect(result).toMatchObject({ dryRun: true, unneeded: { count: 0 }, removed: { count: 0 }, dropped: 2 })
  expect(await Promise.all([0, 1, 2, 3, 4, 5].map(isThere))).toEqual([true, false, true, false, true, true])
})

it('gc removes what nothing needs: orphans, stale uploads, and checkpoints that are not kept', async () => {
  await store.replace(keyOf('an orphan'), new TextEncoder().encode('an orphan'))
  const file = join(folder, 'broken-off')
  await writeFile(file, new Uint8Array(40 * 2 ** 20))
  const controller = new AbortController()
  const stop = { signal: controller.signal, progress: () => controller.abort(new Error('told to stop')) }
  await expect(store.upload(keyOf('never whole'), file, stop)).rejects.toThrow('told to stop')
  expect(await unfinishedOf(store)).toHaveLength(1)
  await ageAll()

  const dry = await run<GcResult>('gc', { graceHours: 48 }, 'dry')
  expect(dry).toMatchObject({ dryRun: true, dropped: 4, removed: { count: 0 }, uploads: { discarded: 0 } })
  expect(await isThere(2)).toBe(true)
  await ageAll() // a part that was on its way when its upload was broken off may have landed since
  const wet = await run<GcResult>('gc', { graceHours: 48, dryRun: false }, 'wet')
  expect(wet).toMatchObject({
    dryRun: false,
    unneeded: dry.unneeded,
    removed: dry.unneeded,
    needed: dry.needed,
  })
  expect(wet.uploads).toEqual({ stale: 1, young: 0, discarded: 1 })
  expect(await store.head(keyOf('an orphan'))).toBeNull()
  expect(await unfinishedOf(store)).toEqual([])
  expect(await Promise.all([0, 1, 2, 3, 4, 5].map(isThere))).toEqual([true, false, false, false, false, true])

  const verified = await run<VerifyResult>('verify', {}, 'after')
  expect(verified).toMatchObject({ ok: true, dropped: 4, intact: wet.needed })
  expect(verified.gone).toBeGreaterThanOrEqual(4)
})

it('a run that is extended goes on from its last checkpoint', async () => {
  const result = await run<{ steps: number }>('train', { ...spec, steps: 6 }, 'kept')
  expect(result).toMatchObject({ steps: 6 })
})

it('weights that were dropped are computed again where they are needed: evaluated, and exported', async () => {
  const asked = { checkpoint: 'kept/3', benchmarks: ['nano'], prompts: ['plain'], limit: 2, samples: 1 }
  const { results } = await run<EvaluateResult>('evaluate', asked, 'evaluated')
  expect(results[0]).toMatchObject({ problems: 2, samples: 1 })
  // A replay is for its own worker; an export puts what it needs back, the very blobs that the manifest names.
  expect(await Promise.all([1, 2, 3, 4].map(isThere))).toEqual([false, false, false, false])

  const to = join(folder, 'exported')
  await run('export', { checkpoint: 'kept/4', to: pathToFileURL(to).href }, 'exported')
  expect((await readdir(to)).some((name) => name.endsWith('.safetensors'))).toBe(true)
  expect(await isThere(4)).toBe(true)
})

it('verify names a blob that rotted and one that is missing; gc stops at a manifest it cannot read', async () => {
  const [rotten] = await blobsOf(5)
  const path = join(folder, 'stack', 's3', 'placebo', rotten!)
  const { size } = await stat(path)
  await writeFile(path, new Uint8Array(size), { flag: 'r+' })
  const [missing] = await blobsOf(6)
  await store.remove(missing!)
  const found = await run<VerifyResult>('verify', { problems: 5 }, 'rotten')
  expect(found).toMatchObject({ ok: false, problemCount: 2 })
  expect(found.problems.map(({ key }) => key).sort()).toEqual([rotten, missing].sort())

  await store.replace(keys.checkpoint('kept', 2), await readFile(join(import.meta.dirname, 'proxy.ts')))
  await ageAll()
  const before = await keysOf(store, 'blobs/')
  await expect(run('gc', { dryRun: false, quiet: true, graceHours: 0 }, 'unreadable')).rejects.toThrow(
    /nothing is removed: .*000002\.json is not JSON/,
  )
  expect(await keysOf(store, 'blobs/')).toEqual(before)
})
