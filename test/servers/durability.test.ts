/** What users of other trainers suffer after a resume, and must not happen here, each by its name. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as keys from '../../activities/checkpoint/keys.ts'
import { openStore } from '../../activities/checkpoint/open.ts'
import { requireTable, rewardsTable, rolloutsTable } from '../../activities/checkpoint/tables.ts'
import { CheckpointDocument, MetricsDocument } from '../../activities/contracts.ts'
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

/** Runs the spec to its end on one worker of each role, then starts its id again, as it was and otherwise. */
async function run(name: string, plan: { compute: Place[]; light: Place[] }) {
  const fleet = new Fleet(grounds, name)
  const workers = [await fleet.add('light', plan.light), await fleet.add('compute', plan.compute)]
  const start = (input: unknown) =>
    fleet.orBroken(
      grounds.client.workflow.execute<typeof train>('train', {
        taskQueue: taskQueues.light,
        workflowId: name,
        args: [input],
      }),
    )
  try {
    const result = await start(spec)
    const calls = await fleet.calls()
    const documents = await fleet.documentsOf(name)
    const again = await start(spec)
    const refused = await start({ ...spec, batch: { ...spec.batch, group: 2 } }).catch(
      (error: unknown) => error,
    )
    const verified: unknown = await fleet.orBroken(
      grounds.client.workflow.execute('verify', {
        taskQueue: taskQueues.light,
        workflowId: `${name}:verify`,
        args: [{}],
      }),
    )
    const ends = workers.map((worker) => worker.ends)
    const sameCalls = calls.length === (await fleet.calls()).length
    const tables = await tablesOf(fleet, name)
    return { result, ends, documents, calls, again, sameCalls, refused, verified, tables }
  } finally {
    await fleet.stop()
  }
}

/** Every step's rollouts and rewards, by step from 1. */
async function tablesOf(fleet: Fleet, run: string) {
  const store = await openStore(pathToFileURL(join(fleet.home, 'store')).href)
  return Promise.all(
    Array.from({ length: spec.steps }, async (_, i) => ({
      rollouts: await requireTable(store, keys.rollouts(run, i + 1, 0), rolloutsTable),
      rewards: await requireTable(store, keys.rewards(run, i + 1, 0), rewardsTable),
    })),
  )
}

type Outcome = Awaited<ReturnType<typeof run>>
let unbroken: Outcome
let killed: Outcome
const checkpointAt = (step: number) =>
  CheckpointDocument.parse(JSON.parse(killed.documents.get(`checkpoints/00000${step}.json`) ?? 'null'))

describe('a worker killed hard in sample, reward, step, evaluate, and between a blob and its manifest', () => {
  beforeAll(async () => {
    unbroken = await run('unbroken', { compute: [], light: [] })
    killed = await run('killed', places)
  })

  it('dies once at each place, and none of its deaths hangs the run', () => {
    expect([unbroken.ends, killed.ends]).toEqual([
      [[], []],
      [[137], [137, 137, 137, 137]],
    ])
  })

  it('does not let the score drop: every manifest, metric and evaluation is that of an unbroken run', () => {
    expect([...killed.documents]).toEqual([...unbroken.documents])
    expect(killed.documents.size).toBe(6 + 5 + 4 + 2) // checkpoints 0..5, metrics 1..5, evaluations at 0, 2, 4, 5; result, overlap
    const { run: _run, checkpoint: _checkpoint, deviceSeconds: _cost, ...results } = unbroken.result
    expect(killed.result).toMatchObject(results)
  })

  it('loses no state of random numbers: the rollouts after a death are the same, token by token', () => {
    expect(killed.tables).toEqual(unbroken.tables)
  })

  it('neither loses nor regenerates rollouts that were stored, nor finished parts of an evaluation', () => {
    const counts = new Map<string, number>()
    for (const call of killed.calls) {
      const sampled = /^\d+ sampled (.*)$/.exec(call)?.[1]
      if (sampled !== undefined) counts.set(sampled, (counts.get(sampled) ?? 0) + 1)
    }
    const twice = [...counts.values()].filter((count) => count > 1)
    // Two of the deaths were before the table was stored: 4 x 4 rollouts, and 8 x 2 completions of an evaluation.
    expect(twice).toEqual(Array<number>(4 * 4 + 8 * 2).fill(2))
  })

  it('neither skips nor repeats a prompt: the batch of a step is that of an unbroken run', () => {
    const prompts = ({ tables }: Outcome) =>
      tables.map(({ rollouts }) => rollouts.rows.map(({ problem, occurrence }) => [problem, occurrence]))
    expect(prompts(killed)).toEqual(prompts(unbroken))
  })

  it('leaves no doubt which weights sampled: every rollout names the policy of the step before', () => {
    for (const [i, { rollouts }] of killed.tables.entries())
      expect(new Set(rollouts.rows.map(({ policy }) => policy))).toEqual(
        new Set([checkpointAt(i).policy.digest]),
      )
  })

  it('leaves no half-written checkpoint: all that manifests name is there and whole', () => {
    expect(killed.verified).toMatchObject({ ok: true, problemCount: 0 })
  })

  it('is resumed without a flag: the same id returns at once, and another spec is refused by its fields', () => {
    const { deviceSeconds: _cost, ...results } = killed.result
    expect(killed.again).toMatchObject(results)
    expect(killed.again.deviceSeconds).toBe(0)
    expect(killed.sameCalls).toBe(true)
    expect(killed.refused).toMatchObject({ cause: { cause: { type: 'SpecMismatch' } } })
    expect(String((killed.refused as { cause: { cause: Error } }).cause.cause.message)).toContain(
      'batch.group: 4 → 2',
    )
  })

  it('leaves sampler and trainer in agreement on log-probabilities, and groups without variance counted', () => {
    const documents = [...killed.documents].filter(([name]) => name.endsWith('metrics.json'))
    expect(documents).toHaveLength(spec.steps)
    for (const [, text] of documents) {
      const { metrics } = MetricsDocument.parse(JSON.parse(text))
      expect(metrics['sampling/sampling_logp_difference/mean']).toBeLessThan(1e-5)
      expect(metrics['frac_reward_zero_std']).toBeGreaterThanOrEqual(0)
    }
  })

  it('leaves every completion to be read, with its problem, its reward and its strategy', () => {
    for (const { rollouts, rewards } of killed.tables) {
      expect(rollouts.rows).toHaveLength(4 * 4)
      for (const [i, { completion, strategy, problem }] of rollouts.rows.entries()) {
        expect(completion.length).toBeGreaterThan(0)
        expect(strategy).toMatch(/^(code|language)$/)
        expect(rewards.rows[i]).toMatchObject({
          problem,
          components: { 'ground-truth': expect.any(Number) as number },
        })
      }
    }
  })
})
