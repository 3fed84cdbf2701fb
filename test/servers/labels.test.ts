/** Labels by majority vote, the rewards that compare with them, and rewards of stored rollouts, on a nano model. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { labelsTable, decode } from '../../activities/checkpoint/tables.ts'
import type { Problem } from '../../activities/benchmarks/problem.ts'
import type { DataDocument, LabelsDocument, SpecDocument, RunDocument } from '../../activities/contracts.ts'
import { equivalent } from '../../activities/grading/index.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { label, LabelResult } from '../../workflows/label.ts'
import type { train } from '../../workflows/train.ts'
import { Fleet, startGrounds, type Grounds } from './fleet.ts'

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
beforeAll(async () => {
  grounds = await startGrounds('labels')
  fleet = new Fleet(grounds, 'labels')
  await fleet.add('light')
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
    for (const { label, answer } of problems) expect(equivalent(answer, String(label))).toBe(false)
  })

  it('started again finds labels, steps and rewards where they are', async () => {
    const documents = await fleet.documentsOf('incorrect')
    const before = await sampled()
    await trained('incorrect', { reward: 'incorrect' })
    expect(await sampled()).toBe(before)
    expect([...(await fleet.documentsOf('incorrect'))]).toEqual([...documents])
    const found = await readdir(join(fleet.home, 'store', 'labels'))
    expect(found.filter((name) => name.endsWith('.json'))).toHaveLength(2) // equivalent and string
  })
})
