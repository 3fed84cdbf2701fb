/** Where the steps of a run are computed: with the worker that holds its state, one at a time, elsewhere if it is gone. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { taskQueues } from '../../temporal.config.ts'
import type { ProvenanceDocument } from '../../activities/contracts.ts'
import type { train } from '../../workflows/train.ts'
import { Fleet, startGrounds, type Grounds } from './fleet.ts'

// The optimizer's state goes to the store after the last step only: on another worker the updates are done again.
const spec = {
  preset: 'demo',
  model: 'nano/coder',
  reward: 'ground-truth',
  seed: 5,
  steps: 6,
  batch: { problems: 4, group: 4, minibatch: 8 },
  optimizer: { name: 'adamw', learningRate: 1e-4 },
  evaluate: { benchmarks: [] },
  checkpoint: { every: 100 },
}
const steps = [1, 2, 3, 4, 5, 6]

let grounds: Grounds
beforeAll(async () => void (grounds = await startGrounds('affinity')))
afterAll(() => grounds.close())

const runOf = (fleet: Fleet, workflowId: string, input: unknown = spec) =>
  fleet.orBroken(
    grounds.client.workflow.execute<typeof train>('train', {
      taskQueue: taskQueues.light,
      workflowId,
      args: [input],
    }),
  )

const provenanceOf = (fleet: Fleet, run: string) =>
  Promise.all(
    steps.map(
      async (step) =>
        (await fleet.json('runs', run, 'steps', `00000${step}`, 'provenance.json')) as ProvenanceDocument,
    ),
  )

/** The queues that a workflow's activities of one type were given to, in order. */
async function queuesOf(workflowId: string, type: string): Promise<string[]> {
  const { events } = await grounds.client.workflow.getHandle(workflowId).fetchHistory()
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled?.activityType?.name === type ? [scheduled.taskQueue?.name ?? ''] : [],
  )
}

it('the steps of a run stay with the worker that holds its state; when it is killed, another takes over', async () => {
  const still = new Fleet(grounds, 'still')
  const dying = new Fleet(grounds, 'dying')
  try {
    await still.add('light')
    await Promise.all([still.add('compute', [], 'one'), still.add('compute', [], 'two')])
    await runOf(still, 'stays')
    const stayed = await provenanceOf(still, 'stays')
    expect(new Set(stayed.map(({ worker }) => worker)).size).toBe(1)
    expect(stayed.map(({ replayed }) => replayed)).toEqual(steps.map(() => []))
    const [first, ...others] = await queuesOf('stays', 'step')
    expect(first).toBe(taskQueues.compute)
    expect(new Set(others).size).toBe(1)
    expect(others[0]).toMatch(/^placebo-compute:/)
    await still.stop()

    await dying.add('light')
    const plan = [{ name: 'fourth', update: 4 }]
    await Promise.all([dying.add('compute', plan, 'one'), dying.add('compute', plan, 'two')])
    await runOf(dying, 'moves')
    const moved = await provenanceOf(dying, 'moves')
    expect(new Set(moved.map(({ worker }) => worker)).size).toBe(2)
    expect(moved.flatMap(({ replayed }) => replayed)).toEqual([1, 2, 3])
    expect([...(await dying.documentsOf('moves'))]).toEqual([...(await still.documentsOf('stays'))])
  } finally {
    await Promise.all([still.stop(), dying.stop()])
  }
})

it('a worker that is lost while it samples is not asked for the update', async () => {
  const fleet = new Fleet(grounds, 'lost')
  try {
    await fleet.add('light')
    const plan = [{ name: 'third or fourth', sampled: 2 * 16 + 8 }] // of 16 samples a step
    await Promise.all([fleet.add('compute', plan, 'one'), fleet.add('compute', plan, 'two')])
    await runOf(fleet, 'lost')
    const [sampled, stepped] = await Promise.all([queuesOf('lost', 'sample'), queuesOf('lost', 'step')])
    expect(sampled).toHaveLength(steps.length + 1)
    expect(stepped).toHaveLength(steps.length)
    expect(new Set(stepped).size).toBe(3) // the common one, that of the worker that was lost, that of its successor
  } finally {
    await fleet.stop()
  }
})

it('a process computes one activity at a time, from its own queue and from the common one', async () => {
  const fleet = new Fleet(grounds, 'slot')
  try {
    await Promise.all([fleet.add('light'), fleet.add('compute')])
    const evaluate = { every: 1, limit: 16, samples: 2, temperature: 1 }
    await Promise.all(
      [1, 2, 3].map((seed) => runOf(fleet, `slot-${seed}`, { ...spec, seed, steps: 4, evaluate })),
    )
    const calls = (await fleet.calls()).filter((call) => !call.includes(' sampled '))
    expect(calls.length).toBeGreaterThanOrEqual(2 * 3 * (4 + 4)) // 4 samples and 4 updates a run, a begin and an end each
    const words = calls.map((call) => call.split(' ')[1])
    expect(words).toEqual(calls.map((_, i) => (i % 2 === 0 ? 'begin' : 'end')))
    const queues = new Set((await Promise.all([1, 2, 3].map((n) => queuesOf(`slot-${n}`, 'step')))).flat())
    expect(queues.size).toBe(2)
  } finally {
    await fleet.stop()
  }
})
