import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ApplicationFailure } from '@temporalio/common'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type {
  Accuracy,
  EvaluationTask,
  ResolvedTrain,
  ShardTask,
  StepTask,
} from '../../activities/contracts.ts'
import { controls, plan } from '../../activities/spec/arms.ts'
import { resolveTrain } from '../../activities/spec/resolve.ts'
import { SweepSpec } from '../../activities/contracts.ts'
import { provision } from '../../infra/provision.ts'
import { searchAttributes, taskQueues } from '../../temporal.config.ts'
import type { sweep } from '../../workflows/sweep.ts'
import type { train } from '../../workflows/train.ts'

let environment: TestWorkflowEnvironment
let bundle: WorkflowBundleWithSourceMap
let folder: string
/** What the fakes were asked, in order, as short words. */
let asked: string[]
let enrolledAt = 0
let failingArm: string | null = null

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const path = await provision('temporal')
  if (path === null) throw new Error('the Temporal CLI is needed')
  folder = await mkdtemp(join(tmpdir(), 'placebo-workflows-'))
  environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path }, dbFilename: join(folder, 'db') },
  })
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  })
})
afterAll(async () => {
  await environment.teardown()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  asked = []
  enrolledAt = 0
  failingArm = null
})

const accuracy = (benchmark: string): Accuracy => ({
  benchmark, prompt: 'plain', problems: 1, samples: 1, accuracy: 0.5, low: 0, high: 1, unparsed: 0, truncated: 0, meanTokens: 1, code: 0, accuracyInCode: null, accuracyInLanguage: 0.5,
}) // prettier-ignore

/** Activities by hand: they compute nothing and remember what they were asked. */
const light = {
  admitTrain: async ({ spec }: { spec: unknown }) => ({
    spec: resolveTrain(spec),
    attributes: [],
    missing: Object.keys(searchAttributes),
  }),
  intakeModel: async () => ({ source: 'models/m.json', policy: 'p' }),
  intakeData: async () => ({ source: 'data/d.json', count: 8 }),
  enroll: async ({ spec }: { spec: ResolvedTrain }) => {
    if (JSON.stringify(spec.reward) === failingArm)
      throw ApplicationFailure.nonRetryable('a loss that is not a number', 'NonFiniteLoss')
    return { spec: 'specs/s.json', step: enrolledAt, shards: 2 }
  },
  checkpointAt: async ({ run, step }: { run: string; step: number }) => ({
    source: `${run}/${step}`,
    policy: `p${step}`,
  }),
  reward: async ({ step, shard }: ShardTask) => void asked.push(`reward ${step}.${shard}`),
  admitEvaluate: async ({ spec }: { spec: { checkpoint?: string } }) => ({ spec, model: null }),
  evaluationTasks: async ({
    spec,
    record,
  }: {
    spec: { checkpoint?: string; model?: string }
    record?: { step: number }
  }): Promise<EvaluationTask[]> => {
    asked.push(`evaluate ${record?.step ?? spec.model ?? spec.checkpoint ?? ''}`)
    return [{ source: 'models/x.json', benchmark: 'nano', prompt: 'plain', seed: 0 }]
  },
  planEvaluation: async () => ({ shards: 1, result: accuracy('nano') }),
  admitSweep: async ({ spec, sweep }: { spec: unknown; sweep: string }) => {
    const parsed = SweepSpec.parse(spec)
    const runs = plan(sweep, controls(parsed))
    return {
      runs,
      initial: [{ model: parsed.models[0] ?? '', benchmarks: ['nano'], prompts: ['plain'], seed: 0 }],
      concurrency: 2,
      attributes: [],
    }
  },
  report: async ({ cells }: { cells: { run: string; status: string; failure?: string }[] }) => ({
    text: cells.map(({ run, status, failure }) => `${run} ${status}${failure === undefined ? '' : `: ${failure}`}`).join('\n'),
    page: 'page', results: 'results', failed: cells.filter(({ status }) => status === 'failed').length,
  }), // prettier-ignore
}
const compute = {
  sample: async ({ step, shard }: ShardTask) => void asked.push(`sample ${step}.${shard}`),
  step: async ({ step }: StepTask) => {
    asked.push(`step ${step}`)
    return { policy: `p${step}`, metrics: { reward: step / 10 } }
  },
}

async function serving<T>(body: () => Promise<T>): Promise<T> {
  const { nativeConnection: connection } = environment
  const workers = await Promise.all([
    Worker.create({ connection, taskQueue: taskQueues.light, workflowBundle: bundle, activities: light }),
    Worker.create({ connection, taskQueue: taskQueues.compute, activities: compute }),
  ])
  const [first, second] = workers
  return first.runUntil(second.runUntil(body()))
}

const spec = { preset: 'demo', model: 'nano/coder', reward: 'ground-truth', steps: 3, evaluate: { every: 2 } }
const runTrain = (workflowId: string, input: unknown) =>
  environment.client.workflow.execute<typeof train>('train', {
    taskQueue: taskQueues.light,
    workflowId,
    args: [input],
  })

describe('train', () => {
  it('samples and rewards every shard before it steps, and evaluates step 0, every second, and the last', async () => {
    const result = await serving(() => runTrain('all', spec))
    const loop = asked.filter((what) => !what.startsWith('evaluate'))
    for (const step of [1, 2, 3]) {
      const words = loop.slice((step - 1) * 5, step * 5)
      expect(words.slice(0, 4).sort()).toEqual([
        `reward ${step}.0`,
        `reward ${step}.1`,
        `sample ${step}.0`,
        `sample ${step}.1`,
      ])
      expect(words[4]).toBe(`step ${step}`)
    }
    expect(result.curve.map(({ step }) => step)).toEqual([0, 2, 3])
    expect(result).toMatchObject({ run: 'all', steps: 3, policy: 'p3', metrics: { reward: 0.3 } })
  })

  it('resumed at step 2 does step 3 only, and looks its earlier evaluations up again', async () => {
    enrolledAt = 2
    const result = await serving(() => runTrain('resumed', spec))
    expect(asked.filter((what) => what.startsWith('step'))).toEqual(['step 3'])
    expect(result.curve.map(({ step }) => step)).toEqual([0, 2, 3])
  })

  it('finished before does nothing but look up', async () => {
    enrolledAt = 3
    await serving(() => runTrain('finished', spec))
    expect(asked.filter((what) => !what.startsWith('evaluate'))).toEqual([])
  })

  it('answers its queries, pauses between steps and goes on', async () => {
    await serving(async () => {
      const { workflow } = environment.client
      const handle = await workflow.signalWithStart<typeof train, []>('train', {
        taskQueue: taskQueues.light,
        workflowId: 'paused',
        args: [spec],
        signal: 'pause',
      })
      await expect
        .poll(() => handle.query('progress'), { timeout: 30_000 })
        .toMatchObject({ phase: 'paused', step: 0, steps: 3 })
      expect(asked.filter((what) => what.startsWith('step'))).toEqual([])
      await handle.signal('resume')
      await handle.result()
      expect(await handle.query('progress')).toMatchObject({ phase: 'done', step: 3 })
      expect(await handle.query('metrics')).toMatchObject([
        { step: 1 },
        { step: 2 },
        { step: 3, metrics: { reward: 0.3 } },
      ])
    })
  })
})

describe('sweep', () => {
  const input = {
    base: { preset: 'demo', steps: 1 },
    models: ['nano/coder'],
    arms: { truth: { reward: 'ground-truth' } },
    seeds: [1, 2],
  }
  const runSweep = (workflowId: string) =>
    environment.client.workflow.execute<typeof sweep>('sweep', {
      taskQueue: taskQueues.light,
      workflowId,
      args: [input],
    })

  it('evaluates what its runs share first, runs every cell with its controls, and reports in order', async () => {
    const result = await serving(() => runSweep('s'))
    expect(asked[0]).toBe('evaluate nano/coder')
    expect((result as { text: string }).text.split('\n')).toEqual(
      [1, 2].flatMap((seed) =>
        ['null', 'format', 'random', 'truth'].map((arm) => `s:nano-coder:${arm}:${seed} completed`),
      ),
    )
  })

  it('lists a run that failed with its innermost reason, and finishes the others', async () => {
    failingArm = '{"random":0.5}'
    const result = await serving(() => runSweep('f'))
    expect(result).toMatchObject({ failed: 2 })
    expect((result as { text: string }).text).toContain(
      'f:nano-coder:random:2 failed: a loss that is not a number',
    )
  })
})
