import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { taskQueues } from '../../temporal.config.ts'
import type { train } from '../../workflows/train.ts'
import type { Place } from './doomed.ts'
import { Fleet, startGrounds, type Grounds } from './fleet.ts'

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

let grounds: Grounds
beforeAll(async () => void (grounds = await startGrounds('durability')))
afterAll(() => grounds.close())

/** Runs the spec to its end on one worker of each role. */
async function run(name: string, plan: { compute: Place[]; light: Place[] }) {
  const fleet = new Fleet(grounds, name)
  const workers = [await fleet.add('light', plan.light), await fleet.add('compute', plan.compute)]
  try {
    const options = { taskQueue: taskQueues.light, workflowId: name, args: [spec] as [unknown] }
    const result = await fleet.orBroken(grounds.client.workflow.execute<typeof train>('train', options))
    const [light, compute] = workers.map(({ ends }) => ends)
    return { result, ends: { light, compute }, documents: await fleet.documentsOf(name) }
  } finally {
    await fleet.stop()
  }
}

describe('a worker killed hard in sample, reward, step, evaluate, and between a blob and its manifest', () => {
  it('costs time only: every manifest and metric is that of an unbroken run', async () => {
    const unbroken = await run('unbroken', { compute: [], light: [] })
    const killed = await run('killed', places)
    expect([unbroken.ends, killed.ends]).toEqual([
      { light: [], compute: [] },
      { light: [137], compute: [137, 137, 137, 137] },
    ])
    expect([...killed.documents]).toEqual([...unbroken.documents])
    expect(killed.documents.size).toBe(6 + 5 + 4 + 2) // checkpoints 0..5, metrics 1..5, evaluations at 0, 2, 4, 5; result, overlap
    const { run: _run, checkpoint: _checkpoint, ...results } = unbroken.result
    expect(killed.result).toMatchObject(results)
  })
})
