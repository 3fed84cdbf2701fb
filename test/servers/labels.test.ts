/** Labels by majority vote, the rewards that compare with them, and rewards of stored rollouts, on a nano model. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decode, labelsTable, rewardsTable, rolloutsTable } from '../../activities/checkpoint/tables.ts'
import type { Problem } from '../../activities/benchmarks/problem.ts'
import type { DataDocument, LabelsDocument, SpecDocument, RunDocument } from '../../activities/contracts.ts'
import { equivalent } from '../../activities/grading/index.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { evaluate } from '../../workflows/evaluate.ts'
import type { label, LabelResult } from '../../workflows/label.ts'
import type { probe } from '../../workflows/probe.ts'
import type { score } from '../../workflows/score.ts'
import type { train } from '../../workflows/train.ts'
import { Fleet, startGrounds, type FleetWorker, type Grounds } from './fleet.ts'

const data = { name: 'nano', limit: 24 }
const base = {
  preset: 'demo',
  model: 'nano/coder',
  seed: 3,
  steps: 2,
  data,
  batch: { problems: 4, group: 4, minibatch: 8 },
  evaluate: { benchmarks: [] },
  checkpoint: { every: 1 },
}

let grounds: Grounds
let fleet: Fleet
/** Killed hard between the first labels' table and the document that names it. */
let light: FleetWorker
beforeAll(async () => {
  grounds = await startGrounds('labels')
  fleet = new Fleet(grounds, 'labels')
  light = await fleet.add('light', [{ name: 'labels', create: '^labels/[0-9a-f]+\\.json' }])
  await fleet.add('compute')
})
afterAll(async () => {
  await fleet.stop()
  await grounds.close()
})

const execute = <T>(type: string, workflowId: string, input: unknown): Promise<T> =>
  fleet.orBroken(
    grounds.client.workflow.execute(type, { taskQueue: taskQueues.light, workflowId, args: [input] }),
  ) as Promise<T>
const labelled = (id: string, more: object = {}) =>
  execute<Awaited<ReturnType<typeof label>>>('label', id, {
    model: 'nano/coder',
    data,
    samples: 8,
    sampling: { maxTokens: 46 },
    ...more,
  })
const trained = (id: string, more: object) =>
  execute<Awaited<ReturnType<typeof train>>>('train', id, { ...base, ...more })

/** Completions that the engine has sampled so far, by all workers. */
const sampled = async () => (await fleet.calls()).filter((call) => / sampled /.test(call)).length
const json = async <T>(key: string) => (await fleet.json(...key.split('/'))) as T

/** The problems that a run learns from, as its spec's blob has them. */
async function problemsOf(run: string): Promise<Problem[]> {
  const { specs } = await json<RunDocument>(`runs/${run}/run.json`)
  const { data, problems } = await json<SpecDocument>(specs.at(-1) ?? '')
  expect((await json<DataDocument>(data)).problems).toEqual(problems)
  const { digest } = problems
  return json<Problem[]>(`blobs/sha256/${digest.slice(0, 2)}/${digest}`)
}

let labels: LabelResult

describe('label', () => {
  it('votes on 8 samples of 24 problems, and says how many labels are wrong', async () => {
    labels = await labelled('first')
    expect(light.ends).toEqual([137])
    expect(await sampled()).toBe(24 * 8)
    expect(labels).toMatchObject({ problems: 24, samples: 8 })
    expect(labels.deviceSeconds).toBeGreaterThan(0)
    expect(labels.labelled).toBeGreaterThan(0)
    expect(labels.wrongShare!.value).toBe(labels.wrong / labels.labelled)
    const { table, result } = await json<LabelsDocument>(labels.labels)
    expect(result).toMatchObject({ labelled: labels.labelled, wrong: labels.wrong })
    expect(table.key).toBe(labels.table)
    const bytes = await readFile(join(fleet.home, 'store', ...table.key.split('/')))
    const { rows } = await decode(table.key, bytes, labelsTable)
    expect(rows).toHaveLength(24)
    expect(rows.filter(({ verdict }) => verdict === 'incorrect')).toHaveLength(labels.wrong)
    expect(rows.every(({ votes, answered }) => votes <= answered && answered <= 8)).toBe(true)
  })

  it('asked again samples nothing and says the same; counted otherwise it samples nothing either', async () => {
    const before = await sampled()
    expect(await labelled('again')).toEqual({ ...labels, deviceSeconds: 0 })
    const other = await labelled('texts', { vote: 'string' })
    expect(other.labels).not.toBe(labels.labels)
    expect(await sampled()).toBe(before)
  })
})

describe('label of a checkpoint', () => {
  it('at step 0 is that of the model it began with', async () => {
    await trained('format', { reward: 'format', steps: 1 })
    const before = await sampled()
    const found = await labelled('checkpoint', { model: undefined, checkpoint: 'format/0' })
    expect(found).toEqual({ ...labels, deviceSeconds: 0 })
    expect(await sampled()).toBe(before)
    expect((await labelled('trained', { model: undefined, checkpoint: 'format' })).labels).not.toBe(
      labels.labels,
    )
  })
})

describe('train', () => {
  it('by majority takes the same labels, without sampling for them again', async () => {
    const before = await sampled()
    await trained('majority', { reward: 'majority' })
    expect((await sampled()) - before).toBe(2 * 4 * 4) // two steps of rollouts
    const problems = await problemsOf('majority')
    expect(problems).toHaveLength(labels.labelled)
  })

  it('by incorrect keeps the problems whose label is wrong, and no other', async () => {
    await trained('incorrect', { reward: 'incorrect' })
    const problems = await problemsOf('incorrect')
    expect(problems).toHaveLength(labels.wrong)
    for (const { label, answer } of problems) expect(equivalent(answer, label as string)).toBe(false)
  })

  it('started again finds labels, steps and rewards where they are', async () => {
    const documents = await fleet.documentsOf('incorrect')
    const before = await sampled()
    await trained('incorrect', { reward: 'incorrect' })
    expect(await sampled()).toBe(before)
    expect([...(await fleet.documentsOf('incorrect'))]).toEqual([...documents])
    const found = await readdir(join(fleet.home, 'store', 'labels'))
    // Of equivalents and of texts, and of another policy.
    expect(found.filter((name) => name.endsWith('.json'))).toHaveLength(3)
  })
})

describe('score', () => {
  const scored = (id: string, more: object) =>
    execute<Awaited<ReturnType<typeof score>>>('score', id, { run: 'majority', ...more })

  it('under the same reward agrees with every rollout of the run', async () => {
    const result = await scored('same', { reward: 'majority' })
    expect(result).toMatchObject({ rollouts: 2 * 4 * 4, leftOut: 0, agreement: 1 })
    expect(result.mean).toBe(result.trainedMean)
    expect(result.steps.map(({ step }) => step)).toEqual([1, 2])
  })

  it('tosses a run’s coins again, and has every component of a compound reward', async () => {
    await trained('coin', { reward: { random: 0.3 }, steps: 1 })
    expect(await scored('coins', { run: 'coin', reward: { random: 0.3 } })).toMatchObject({ agreement: 1 })
    const reward = { all: ['ground-truth', { not: 'python' }, { random: 0.3 }] }
    const { steps } = await scored('parts', { run: 'coin', reward, steps: [1] })
    const [step] = steps
    expect(Object.keys(step!.components).sort()).toEqual([
      'all(ground-truth,not(python),random(0.3))',
      'ground-truth',
      'not(python)',
      'python',
      'random(0.3)',
    ])
    expect(step!.components['python']! + step!.components['not(python)']!).toBeCloseTo(1, 12)
    expect(step!.components['random(0.3)']).toBeCloseTo(step!.trainedMean!, 12)
    const bytes = await readFile(join(fleet.home, 'store', ...step!.table.split('/')))
    const { rows } = await decode(step!.table, bytes, rewardsTable)
    expect(rows).toHaveLength(16)
  })

  it('takes labels of another run’s model, and leaves out what has none', async () => {
    const before = await sampled()
    const { labels: key } = labels
    const result = await scored('labels', { run: 'coin', reward: 'incorrect', labels: key })
    expect(result.rollouts + result.leftOut).toBe(16)
    expect(result.rollouts % 4).toBe(0) // whole groups
    expect(await sampled()).toBe(before)
  })

  it.each([
    [{ run: 'nobody', reward: 'format' }, 'run: there is no run nobody'],
    [{ reward: 'format', steps: [3] }, 'steps: run majority has no step 3, there are 1, 2'],
    [{ run: 'coin', reward: 'majority' }, 'has no column "label"'],
    [{ reward: 'format', labels: 'labels/x' }, 'labels: '],
  ])('refuses %j', async (spec, message) => {
    const id = `refused-${JSON.stringify(spec).length}`
    await expect(scored(id, spec)).rejects.toMatchObject({
      cause: { cause: { message: expect.stringContaining(message) as string } },
    })
  })
})

describe('one-shot', () => {
  it('trains on one problem: every place of a batch is it, and has samples of its own', async () => {
    const [problem] = await problemsOf('majority')
    await trained('one-shot', { reward: 'majority', data: { name: 'nano', only: [problem!.id] }, steps: 1 })
    const name = 'runs/one-shot/steps/000001/rollouts-00.parquet'
    const bytes = await readFile(join(fleet.home, 'store', ...name.split('/')))
    const { rows } = await decode(name, bytes, rolloutsTable)
    expect(new Set(rows.map(({ problem }) => problem))).toEqual(new Set([problem!.id]))
    const groups = [0, 1, 2, 3].map((place) =>
      rows.filter(({ occurrence }) => occurrence === place).map(({ tokens }) => tokens.join()),
    )
    expect(groups.map(({ length }) => length)).toEqual([4, 4, 4, 4])
    expect(new Set(groups.map(String)).size).toBeGreaterThan(1)
  })
})

describe('sweep', () => {
  it('labels once what its arms share, before any of them begins', async () => {
    const before = await sampled()
    const own = { ...base, data: { name: 'nano', limit: 12 }, steps: 1 }
    const { model: _model, seed: _seed, ...shared } = own
    const spec = {
      base: shared,
      models: ['nano/coder'],
      arms: { majority: { reward: 'majority' }, wrong: { reward: { all: ['incorrect', 'format'] } } },
      seeds: [1, 2],
      controls: false,
    }
    expect(await execute('sweep', 'sweep', spec)).toMatchObject({ failed: 0 })
    // 8 votes of 12 problems, and one step of 4 x 4 rollouts for two arms x two seeds
    expect((await sampled()) - before).toBe(12 * 8 + 4 * 16)
  })
})

describe('evaluate', () => {
  const evaluated = (id: string, more: object) =>
    execute<Awaited<ReturnType<typeof evaluate>>>('evaluate', id, { benchmarks: ['nano'], limit: 8, ...more })

  it('without a prompt takes one that the model can read, or that the run was trained under', async () => {
    const { results } = await evaluated('model', { model: 'nano/coder' })
    expect(results).toMatchObject([{ prompt: 'plain', problems: 8, samples: 4 }])
    expect(Object.keys(results[0]!.passAt ?? {})).toEqual(['1', '2', '4'])
    expect(results[0]!.passAt!['1']!.value).toBeCloseTo(results[0]!.accuracy, 12)
    expect(results[0]!.passAt!['4']!.value).toBeGreaterThanOrEqual(results[0]!.majAt!['4']!.value)
    expect((await evaluated('run', { checkpoint: 'majority' })).results).toMatchObject([{ prompt: 'plain' }])
  })

  it('judges stored completions again under another policy, without sampling', async () => {
    const before = await sampled()
    const [strict] = (await evaluated('strict', { model: 'nano/coder' })).results
    const [loose] = (await evaluated('loose', { model: 'nano/coder', extract: 'any' })).results
    expect(await sampled()).toBe(before)
    expect(loose!.unparsed).toBeLessThanOrEqual(strict!.unparsed)
    expect(loose!.accuracy).toBeGreaterThanOrEqual(strict!.accuracy)
    const found = await readdir(join(fleet.home, 'store', 'evaluations'))
    expect(found).toHaveLength(3) // the model's, strict and loose, and the run's
  })

  it('is asked by a run as its spec says, and known to it', async () => {
    const asked = { benchmarks: ['nano'], every: 0, limit: 8, extract: 'any' }
    const [loose] = (await evaluated('loose-again', { model: 'nano/coder', extract: 'any' })).results
    const { curve } = await trained('loose-run', { reward: 'format', steps: 0, evaluate: asked })
    expect(curve).toEqual([{ step: 0, ...loose }])
  })
})

describe('probe', () => {
  const probed = (id: string, more: object = {}) =>
    execute<Awaited<ReturnType<typeof probe>>>('probe', id, {
      model: 'nano/coder',
      benchmarks: ['nano', 'arithmetic'],
      shares: [0.6, 0.8],
      limit: 10,
      maxTokens: 46,
      ...more,
    })

  it('has a policy continue the first part of each statement, and says how often it knew the rest', async () => {
    const { results } = await probed('probe')
    expect(results.map(({ benchmark, share }) => [benchmark, share])).toEqual([
      ['nano', 0.6],
      ['nano', 0.8],
      ['arithmetic', 0.6],
      ['arithmetic', 0.8],
    ])
    for (const { problems, leftOut, exact, rougeL, correct } of results) {
      expect(problems + leftOut).toBe(10)
      for (const { value, low, high } of [exact, rougeL, correct]) {
        expect(low).toBeLessThanOrEqual(value)
        expect(high).toBeGreaterThanOrEqual(value)
      }
    }
    const before = await sampled()
    expect(await probed('probe-again')).toEqual({ results, deviceSeconds: 0 })
    expect(await sampled()).toBe(before)
  })
})
