import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { leash, type Leashed } from '../../infra/leash.ts'
import { startStack, type Stack } from '../../infra/stack.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { train } from '../../workflows/train.ts'
import type { Place } from './doomed.ts'

// AdamW with a checkpoint every second step, so that optimizer state is lost with its worker and must be replayed.
const spec = {
  preset: 'demo',
  model: 'nano/coder',
  reward: 'ground-truth',
  seed: 3,
  steps: 5,
  batch: { problems: 4, group: 4, minibatch: 8 },
  optimizer: { name: 'adamw', learningRate: 1e-4 },
  evaluate: { every: 2, limit: 8, samples: 2, temperature: 1 },
  checkpoint: { every: 2 },
}

const places: { compute: Place[]; light: Place[] } = {
  compute: [
    { name: 'sample', create: '/steps/000001/rollouts-00' },
    { name: 'step', update: 2 },
    { name: 'between-blob-and-manifest', create: '/checkpoints/000004' },
    { name: 'evaluate', create: '^completions/' },
  ],
  light: [{ name: 'reward', create: '/steps/000003/rewards-00' }],
}

let folder: string
let stack: Stack
let client: Client
let connection: Connection

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-durability-'))
  stack = await startStack({
    folder: join(folder, 'stack'),
    ports: 'free',
    workers: [],
    store: pathToFileURL(join(folder, 'unused')).href,
    report: () => {},
  })
  connection = await Connection.connect({ address: stack.temporalAddress })
  client = new Client({ connection })
})

afterAll(async () => {
  await connection.close()
  await stack.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Runs the spec to its end on workers that are started again whenever they die. */
async function run(name: string, plan: { compute: Place[]; light: Place[] }) {
  const home = join(folder, name)
  const deaths = { light: 0, compute: 0 }
  let over = false
  const current = new Map<string, Leashed>()
  const keepRunning = async (role: 'light' | 'compute') => {
    while (!over) {
      const script = fileURLToPath(new URL('./doomed.ts', import.meta.url))
      const env = {
        ...stack.env,
        PLACEBO_STORE: pathToFileURL(join(home, 'store')).href,
        PLACEBO_CACHE: join(home, 'cache'),
        PLACEBO_THREADS: '1',
      }
      const args = ['--import', 'tsx', script, role, JSON.stringify(plan[role]), home]
      const worker = leash(process.execPath, args, {
        env,
        log: join(folder, `${name}-${role}.log`),
        graceSeconds: 15,
      })
      current.set(role, worker)
      const code = await worker.exited
      if (!over && code !== 137) throw new Error(`${name} ${role} ended with ${code}: ${worker.tail()}`)
      if (!over) deaths[role] += 1
    }
  }
  const workers = [keepRunning('light'), keepRunning('compute')]
  try {
    const done = client.workflow.execute<typeof train>('train', {
      taskQueue: taskQueues.light,
      workflowId: name,
      args: [spec],
    })
    const result = await Promise.race([
      done,
      ...workers.map(async (worker) => (await worker, Promise.reject(new Error('no worker left')))),
    ])
    return {
      result: result,
      deaths,
      documents: await documentsOf(join(home, 'store', 'runs', name)),
    }
  } finally {
    over = true
    await Promise.all([...current.values()].map((worker) => worker.stop()))
  }
}

/** Every manifest and metrics file of a run, by path; provenance says who and when, so it may differ. */
async function documentsOf(prefix: string): Promise<Map<string, string>> {
  const names = await readdir(prefix, { recursive: true })
  const compared = names.filter(
    (name) => name.endsWith('.json') && !name.endsWith('provenance.json') && name !== 'run.json',
  )
  return new Map(
    await Promise.all(
      compared.sort().map(async (name) => [name, await readFile(join(prefix, name), 'utf8')] as const),
    ),
  )
}

describe('a worker killed hard in sample, reward, step, evaluate, and between a blob and its manifest', () => {
  it('costs time only: every manifest and metric is that of an unbroken run', async () => {
    const unbroken = await run('unbroken', { compute: [], light: [] })
    const killed = await run('killed', places)
    expect([unbroken.deaths, killed.deaths]).toEqual([
      { light: 0, compute: 0 },
      { light: 1, compute: 4 },
    ])
    expect([...killed.documents]).toEqual([...unbroken.documents])
    expect(killed.documents.size).toBe(6 + 5 + 4) // checkpoints 0..5, metrics 1..5, evaluations at 0, 2, 4, 5
    const { run: _run, checkpoint: _checkpoint, ...results } = unbroken.result
    expect(killed.result).toMatchObject(results)
  })
})
