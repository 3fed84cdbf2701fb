/** What a sweep's report leaves beside its page. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { digestOf } from '../activities/checkpoint/canonical.ts'
import { commit } from '../activities/checkpoint/documents.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import { isManifest } from '../activities/checkpoint/manifests.ts'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Store } from '../activities/checkpoint/store.ts'
import { Evaluation, EvaluationRecord, SweepDocument, type Cell } from '../activities/contracts.ts'
import type { Deps } from '../activities/deps.ts'
import { reportActivities } from '../activities/report.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-report-'))
  store = await openStore(pathToFileURL(join(folder, 'store')).href)
})
afterEach(() => rm(folder, { recursive: true }))

const digest = digestOf('any')
/** A run's evaluation at a step, half of its two problems right at step 0 and both at step 3. */
async function evaluated(run: string, step: number, accuracy: number): Promise<string> {
  const evaluation = keys.evaluation(digestOf([run, step]))
  const shares = { unparsed: 0, truncated: 0, meanTokens: 1, code: 0.25, accuracyInCode: null, accuracyInLanguage: null } // prettier-ignore
  const [low, high] = [accuracy - 0.1, accuracy]
  const result = {
    benchmark: 'nano',
    prompt: 'plain',
    problems: 2,
    samples: 1,
    accuracy,
    low,
    high,
    ...shares,
  }
  const outcomes = [0, 1].map((p) => ({ problem: `p${p}`, correct: p < 2 * accuracy ? 1 : 0, code: 0 }))
  await commit(store, evaluation, Evaluation, {
    format: 1,
    policy: digest,
    completions: digest,
    grader: 'placebo-3',
    result,
    outcomes,
  })
  await commit(store, keys.runEvaluation(run, step, 'nano'), EvaluationRecord, {
    format: 1,
    benchmark: 'nano',
    prompt: 'plain',
    evaluation,
  })
  return evaluation
}

const cell = (arm: string, more: Partial<Cell> = {}): Cell => ({
  model: '=cmd|calc', arm, seed: 1, run: `s:m:${arm}:1`, status: 'completed', ...more,
}) // prettier-ignore
type Report = ReturnType<typeof reportActivities>['report']
const reported = (cells: readonly Cell[]): ReturnType<Report> =>
  new MockActivityEnvironment().run(reportActivities({ store } as unknown as Deps).report, {
    sweep: 's',
    cells,
  })
const textOf = async (key: string) => new TextDecoder().decode(await store.get(key))

it('runs.json says how each run ended: the accuracy, interval and code of its last evaluation', async () => {
  await evaluated('s:m:truth:1', 0, 0.5)
  const evaluation = await evaluated('s:m:truth:1', 3, 1)
  await reported([cell('truth')])
  const { runs } = SweepDocument.parse(JSON.parse(await textOf(keys.sweepRuns('s'))))
  expect(runs.map(({ curve }) => curve)).toEqual([
    [{ step: 3, benchmark: 'nano', accuracy: 1, low: 0.9, high: 1, code: 0.25, evaluation }],
  ])
})

it('results and runs lie beside the page as CSV, hostile texts as texts, and are no manifests', async () => {
  await evaluated('s:m:truth:1', 3, 1)
  const first = await evaluated('s:m:truth:1', 0, 0.5)
  const failed = cell('late', { status: 'failed', failure: '@SUM(1)"' })
  const { csv } = await reported([cell('truth'), failed])
  expect(csv).toEqual({ results: 'sweeps/s/results.csv', runs: 'sweeps/s/runs.csv' })
  const [header, ...runs] = (await textOf(csv?.runs ?? '')).split('\r\n')
  expect(header).toBe(
    'model,arm,seed,run,status,failure,stopped,step,benchmark,accuracy,low,high,code,evaluation',
  )
  expect(runs).toEqual([
    `'=cmd|calc,truth,1,s:m:truth:1,completed,,,0,nano,0.5,0.4,0.5,0.25,${first}`,
    expect.stringContaining(`'=cmd|calc,truth,1,s:m:truth:1,completed,,,3,nano,1,0.9,1,0.25,evaluations/`),
    `'=cmd|calc,late,1,s:m:late:1,failed,"'@SUM(1)""",,,,,,,,`,
    '',
  ])
  const results = (await textOf(csv?.results ?? '')).split('\r\n')
  expect(results[0]).toMatch(/^sweep,benchmark,model,arm,seeds,failed,steps,start,/)
  expect(results.find((line) => line.includes(',truth,'))).toMatch(/^s,nano,'=cmd\|calc,truth,1,0,3,0\.5,/)
  expect(await textOf(keys.sweepReport('s'))).toContain('href="../results.csv"')
  for (const key of Object.values(csv ?? {})) expect(isManifest(key)).toBe(false)
})
