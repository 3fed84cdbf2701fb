/** The long workflows against activities by hand, on a server that suggests to continue as new after a few events. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type {
  Collected,
  CollectTask,
  Inspected,
  InspectTask,
  SurveyTask,
} from '../../activities/contracts.ts'
import { GcSpec, VerifySpec } from '../../activities/contracts.ts'
import { workflowBundle } from '../../infra/bundle.ts'
import { provision } from '../../infra/provision.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { gc } from '../../workflows/gc.ts'
import type { verify } from '../../workflows/verify.ts'

let environment: TestWorkflowEnvironment
let folder: string
let surveyed: SurveyTask[]
let parts: string[]

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const path = await provision('temporal')
  if (path === null) throw new Error('the Temporal CLI is needed')
  folder = await mkdtemp(join(tmpdir(), 'placebo-survey-'))
  const extraArgs = ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=40']
  environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path }, dbFilename: join(folder, 'db'), extraArgs },
  })
})
afterAll(async () => {
  await environment.teardown()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  surveyed = []
  parts = []
})

const pages = 20
const sum = (count: number) => ({ count, sizeBytes: 10 * count })

/** Twenty pages of 100 manifests, one problem in each fifth; one needed blob and two others under each digit. */
const light = {
  admitGc: async ({ spec }: { spec: unknown }) => GcSpec.parse(spec),
  admitVerify: async ({ spec }: { spec: unknown }) => VerifySpec.parse(spec),
  survey: async (task: SurveyTask) => {
    surveyed.push(task)
    const next = task.page + 1 < pages ? `key-${task.page}` : null
    const problems = task.page % 5 === 0 ? [{ key: `bad-${task.page}`, problem: 'not JSON' }] : []
    return { next, manifests: 100, dropped: 2, problems, problemCount: problems.length }
  },
  collect: async ({ digit, dryRun }: CollectTask): Promise<Collected> => {
    parts.push(digit)
    const removed = sum(dryRun ? 0 : 2)
    return { after: digit, needed: sum(1), young: sum(0), unneeded: sum(2), removed }
  },
  discard: async () => ({ stale: 1, young: 0, discarded: 1 }),
  inspect: async ({ digit }: InspectTask): Promise<Inspected> => {
    parts.push(digit)
    const problems = digit === 'f' ? [{ key: 'blob', problem: 'missing' }] : []
    return { after: digit, intact: sum(1), readBytes: 10, gone: 1, problems, problemCount: problems.length }
  },
  endSurvey: async () => {},
}

async function serving<T>(body: () => Promise<T>): Promise<T> {
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: taskQueues.light,
    workflowBundle: await workflowBundle(),
    activities: light,
  })
  return worker.runUntil(body())
}

const digits = [...'0123456789abcdef']

it('gc goes on in a new history with the same survey, each page once, and counts over all of them', async () => {
  const begun = Date.now()
  const result = await serving(async () => {
    const handle = await environment.client.workflow.start<typeof gc>('gc', {
      taskQueue: taskQueues.light,
      workflowId: 'gc',
      args: [{ dryRun: false, graceHours: 50 }],
    })
    const result = await handle.result()
    expect(await environment.client.workflow.getHandle('gc').query('progress')).toEqual({
      phase: 'done', manifests: 2000, parts: 16, unneeded: sum(32), removed: sum(32),
    }) // prettier-ignore
    const last = await environment.client.workflow.getHandle('gc').describe()
    expect(last.runId).not.toBe(handle.firstExecutionRunId)
    expect(new Set(surveyed.map(({ survey }) => survey))).toEqual(new Set([handle.firstExecutionRunId]))
    return result
  })
  expect(surveyed.map(({ page }) => page)).toEqual(Array.from({ length: pages }, (_, page) => page))
  expect(surveyed.map(({ after }) => after)).toEqual([
    '',
    ...surveyed.slice(1).map(({ page }) => `key-${page - 1}`),
  ])
  expect(new Set(surveyed.map(({ cutoffMs }) => cutoffMs)).size).toBe(1)
  const startedMs = surveyed[0]!.cutoffMs + 50 * 3600_000
  expect(startedMs >= begun && startedMs <= Date.now()).toBe(true) // by the server's clock, not by a worker's
  expect(parts).toEqual(digits)
  expect(result).toMatchObject({
    dryRun: false, manifests: 2000, dropped: 40, needed: sum(16), unneeded: sum(32), removed: sum(32),
    uploads: { stale: 1, young: 0, discarded: 1 },
  }) // prettier-ignore
})

it('verify adds up the problems of all pages and parts, and names as many as were asked for', async () => {
  const result = await serving(() =>
    environment.client.workflow.execute<typeof verify>('verify', {
      taskQueue: taskQueues.light,
      workflowId: 'verify',
      args: [{ problems: 3 }],
    }),
  )
  expect(result).toMatchObject({ ok: false, manifests: 2000, intact: sum(16), gone: 16, readBytes: 160 })
  expect(result.problemCount).toBe(4 + 1)
  expect(result.problems.map(({ key }) => key)).toEqual(['bad-0', 'bad-5', 'bad-10'])
  expect(parts).toEqual(digits)
})
