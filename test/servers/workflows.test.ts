import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApplicationFailure } from '@temporalio/common'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type {
  Accuracy,
  EvaluationTask,
  RecallTask,
  ResolvedTrain,
  ShardTask,
  StepTask,
} from '../../activities/contracts.ts'
import { cellsOf, controls, specOf } from '../../activities/spec/arms.ts'
import { resolveTrain } from '../../activities/spec/resolve.ts'
import { SweepSpec } from '../../activities/contracts.ts'
import { workflowBundle } from '../../infra/bundle.ts'
import { provision } from '../../infra/provision.ts'
import { searchAttributes, taskQueues } from '../../temporal.config.ts'
import type { SweepCell } from '../../activities/admit.ts'
import type { sweep } from '../../workflows/sweep.ts'
import type { train } from '../../workflows/train.ts'

let environment: TestWorkflowEnvironment
let bundle: Awaited<ReturnType<typeof workflowBundle>>
let folder: string
/** What the fakes were asked, in order, as short words. */
let asked: string[]
/** The digests that each step was told to learn from. */
let learnt: StepTask['tables'][]
let enrolledAt = 0
let failingArm: string | null = null
/** Runs of a sweep that the store has whole. */
let whole: string[] = []
let initialModel: string | null = null
let nonFiniteAt = 0
/** The step whose sampling finds logits that are not finite. */
let unsampledAt = 0

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const path = await provision('temporal')
  if (path === null) throw new Error('the Temporal CLI is needed')
  folder = await mkdtemp(join(tmpdir(), 'placebo-workflows-'))
  environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path }, dbFilename: join(folder, 'db') },
  })
  bundle = await workflowBundle()
})
afterAll(async () => {
  await environment.teardown()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  asked = []
  learnt = []
  enrolledAt = 0
  failingArm = null
  whole = []
  initialModel = null
  nonFiniteAt = 0
  unsampledAt = 0
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
  conclude: async ({ run, step }: { run: string; step: number }) => ({
    source: `${run}/${step}`,
    policy: `p${step}`,
  }),
  recall: async ({ step, due }: RecallTask) => ({
    recent: Array.from({ length: step }, (_, i) => ({
      step: i + 1,
      metrics: { reward: i / 10, entropy: 1 },
    })),
    curve: [{ step: 0, ...accuracy('nano') }],
    missing: due.filter((at) => at > 0),
  }),
  reward: async ({ step, shard }: ShardTask) => {
    asked.push(`reward ${step}.${shard}`)
    const completion = `of step ${step}, shard ${shard}`
    return {
      digest: `rewards ${step}.${shard}`,
      ...(step > 1 && { grader: 'placebo-3', ...(step === 2 && { before: 'placebo-2' }) }),
      samples: [{ problem: 'p', statement: '1+1', completion, reward: 1, verdict: 'correct' }],
    }
  },
  admitEvaluate: async ({ spec }: { spec: { checkpoint?: string; model?: string } }) => {
    if (spec.model === 'absent') throw ApplicationFailure.nonRetryable('no such model', 'ModelUnavailable')
    return { spec, model: null }
  },
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
    const given = controls(parsed)
    return {
      total: cellsOf(sweep, given).length,
      initial: [
        { model: initialModel ?? parsed.models[0] ?? '', benchmarks: ['nano'], prompts: ['plain'], seed: 0 },
      ],
      labels: [],
      concurrency: 2,
      attributes: [],
      missing: [],
    }
  },
  planCells: async ({ spec, sweep, from }: { spec: unknown; sweep: string; from: number }) => {
    const given = controls(SweepSpec.parse(spec))
    return cellsOf(sweep, given)
      .slice(from, from + 3)
      .map((cell): SweepCell => {
        const ended = { ...cell, status: 'completed' as const, stopped: 'before' }
        if (whole.includes(cell.run)) return { ...cell, ended }
        return { ...cell, spec: specOf(given, cell), priority: 3 }
      })
  },
  report: async ({ cells }: { cells: { run: string; status: string; failure?: string }[] }) => ({
    text: cells.map(({ run, status, failure }) => `${run} ${status}${failure === undefined ? '' : `: ${failure}`}`).join('\n'),
    page: 'page', results: 'results', failed: cells.filter(({ status }) => status === 'failed').length,
  }), // prettier-ignore
}
const compute = {
  sample: async ({ step, shard }: ShardTask) => {
    if (step === unsampledAt) throw ApplicationFailure.nonRetryable('token 7', 'NonFiniteLogits')
    asked.push(`sample ${step}.${shard}`)
    return { digest: `rollouts ${step}.${shard}`, deviceSeconds: 1 }
  },
  step: async ({ step, tables }: StepTask) => {
    learnt.push(tables)
    if (step === nonFiniteAt) throw ApplicationFailure.nonRetryable('minibatch 3', 'NonFiniteLoss')
    asked.push(`step ${step}`)
    return {
      policy: `p${step}`,
      metrics: { reward: step / 10, entropy: 1 / step },
      queue: null,
      deviceSeconds: 2,
    }
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
    const tablesOf = (step: number) =>
      [0, 1].map((shard) => ({ rollouts: `rollouts ${step}.${shard}`, rewards: `rewards ${step}.${shard}` }))
    expect(learnt).toEqual([1, 2, 3].map(tablesOf))
    expect(result.curve.map(({ step }) => step)).toEqual([0, 2, 3])
    expect(result).toMatchObject({ run: 'all', steps: 3, policy: 'p3', metrics: { reward: 0.3 } })
    expect(result.notes).toEqual([
      'Graders: rewards were given by more than one version, of step 1 by placebo-2, from step 2 on by placebo-3',
    ])
    expect(result.deviceSeconds).toBe(3 * (2 * 1 + 2)) // two shards of 1 s and an update of 2 s, three times
  })

  it('resumed at step 2 does step 3 only, and evaluates what the store lacks of its curve', async () => {
    enrolledAt = 2
    const result = await serving(() => runTrain('resumed', spec))
    expect(asked.filter((what) => what.startsWith('step'))).toEqual(['step 3'])
    expect(asked.filter((what) => what.startsWith('evaluate')).sort()).toEqual(['evaluate 2', 'evaluate 3'])
    expect(result.curve.map(({ step }) => step)).toEqual([0, 2, 3])
  })

  it('stops early by its rules, evaluates where it stopped, and says so; nothing stops it unless asked', async () => {
    const eager = { ...spec, steps: 9, stop: { entropy: { below: 0.6, steps: 2 } } } // entropy is 1/step
    const result = await serving(() => runTrain('collapsed', eager))
    const stopped = { rule: 'entropy', step: 3, message: 'entropy below 0.6 for 2 steps' }
    expect(result).toMatchObject({ steps: 3, policy: 'p3', stopped })
    expect(result.curve.map(({ step }) => step)).toEqual([0, 2, 3])
    expect(asked.filter((what) => what.startsWith('step'))).toEqual(['step 1', 'step 2', 'step 3'])
    expect((await serving(() => runTrain('free', { ...eager, stop: {} }))).steps).toBe(9)
  })

  it('resumed after it stopped early computes nothing more', async () => {
    enrolledAt = 5
    const result = await serving(() =>
      runTrain('again', { ...spec, steps: 9, stop: { reward: { atMost: 0.4, steps: 5 } } }),
    )
    expect(result).toMatchObject({ steps: 5, stopped: { rule: 'reward', step: 5 } })
    expect(asked.filter((what) => !what.startsWith('evaluate'))).toEqual([])
  })

  it('fails on a loss that is not finite, or ends at the step before where its spec asks for that', async () => {
    nonFiniteAt = 2
    await expect(serving(() => runTrain('failing', spec))).rejects.toMatchObject({
      cause: { cause: { type: 'NonFiniteLoss' } },
    })
    const result = await serving(() => runTrain('ending', { ...spec, stop: { nonFinite: true } }))
    expect(result).toMatchObject({
      steps: 1,
      stopped: { rule: 'non-finite', step: 1, message: 'minibatch 3' },
    })
  })

  it('fails on logits that are not finite, or ends before the step whose policy has them; the initial model is no end', async () => {
    unsampledAt = 3
    await expect(serving(() => runTrain('broken', spec))).rejects.toMatchObject({
      cause: { cause: { type: 'NonFiniteLogits' } },
    })
    const stop = { nonFinite: true }
    const result = await serving(() => runTrain('broken-ending', { ...spec, stop }))
    const message = 'token 7'
    expect(result).toMatchObject({ steps: 1, stopped: { rule: 'non-finite', step: 1, message } })
    unsampledAt = 1
    await expect(serving(() => runTrain('never-sound', { ...spec, stop }))).rejects.toMatchObject({
      cause: { cause: { type: 'NonFiniteLogits' } },
    })
  })

  it('finished before does nothing but look up', async () => {
    enrolledAt = 3
    await serving(() => runTrain('finished', spec))
    expect(asked.sort()).toEqual(['evaluate 2', 'evaluate 3'])
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
      expect(await handle.query('samples')).toEqual([
        {
          step: 3,
          problem: 'p',
          statement: '1+1',
          completion: 'of step 3, shard 0',
          reward: 1,
          verdict: 'correct',
        },
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
  const runSweep = (workflowId: string, more: object = {}) =>
    environment.client.workflow.execute<typeof sweep>('sweep', {
      taskQueue: taskQueues.light,
      workflowId,
      args: [{ ...input, ...more }],
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

  it('does not start what the store has whole, and plans the others a page at a time', async () => {
    whole = ['w:nano-coder:null:1', 'w:nano-coder:truth:1', 'w:nano-coder:random:2']
    const result = await serving(() => runSweep('w'))
    expect((result as { text: string }).text.split('\n')).toHaveLength(8)
    expect(result).toMatchObject({ failed: 0 })
    // Five runs are left, one of them of no steps.
    expect(asked.filter((what) => what.startsWith('step'))).toHaveLength(4)
  })

  it('goes on when what its runs share cannot be evaluated: the runs say why, each for itself', async () => {
    initialModel = 'absent'
    const result = await serving(() => runSweep('absent'))
    expect(result).toMatchObject({ failed: 0 })
  })

  it('lists a run that failed with its innermost reason, and finishes the others', async () => {
    failingArm = '{"random":0.5}'
    const result = await serving(() => runSweep('f'))
    expect(result).toMatchObject({ failed: 2 })
    expect((result as { text: string }).text).toContain(
      'f:nano-coder:random:2 failed: a loss that is not a number',
    )
  })

  it('whose plan names a run twice ends, and runs it once: admission refuses it, older sweeps were begun with it', async () => {
    const models = ['file:///a/b', 'file:///a-b']
    const result = await serving(() => runSweep('twice', { models, seeds: [1] }))
    expect((result as { text: string }).text.split('\n')).toHaveLength(8)
    expect(result).toMatchObject({ failed: 0 })
    // Of four arms on one name, all but the null arm make a step.
    expect(asked.filter((what) => what.startsWith('step'))).toHaveLength(3)
  })
})

describe('an input that cannot be handed on', () => {
  it.each([
    ['too deep', JSON.parse('{"not":'.repeat(1000) + '1' + '}'.repeat(1000)) as unknown, 'objects and lists within one another'],
    ['too large', { model: 'x'.repeat(1_100_000) }, 'expected at most 1000000 bytes as JSON'],
  ])('%s, is an answer of its workflow', async (name, input, message) => {
    const failure = await serving(() => runTrain(name.replace(' ', '-'), input).catch((error: unknown) => error))
    expect(failure).toMatchObject({ cause: { type: 'InvalidSpec', message: expect.stringContaining(message) as unknown } })
  })
}) // prettier-ignore
