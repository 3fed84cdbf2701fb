/** The report of a sweep, from stored artefacts only: what its runs wrote, read back, summed up, laid out. */
import { readDocument, replaceDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { resultsTable, writeTable } from './checkpoint/tables.ts'
import {
  Cell,
  Evaluation,
  EvaluationRecord,
  MetricsDocument,
  ProvenanceDocument,
  RunDocument,
  RunResult,
  SweepDocument,
  type Benchmark,
} from './contracts.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import { csv } from './report/csv.ts'
import { driftText, effectsText, report, stoppedText, type ResultRow } from './report/index.ts'
import { pointColumns, pointsOf } from './report/points.ts'
import type { NightRuns } from './analysis/drift.ts'
import { nightOf } from './spec/series.ts'
import { limits } from '../temporal.config.ts'
import { digestOf } from './checkpoint/canonical.ts'

interface ReportResult {
  /** The table of effects as monospaced text. */
  readonly text: string
  readonly page: string
  readonly results: string
  /** The same rows, and those of the runs, for spreadsheets; results of before there were any lack them. */
  readonly csv?: { readonly results: string; readonly runs: string }
  readonly failed: number
}

export function reportActivities(deps: Deps) {
  return {
    report: (input: { sweep: string; cells: readonly Cell[] }): Promise<ReportResult> =>
      durable(async ({ signal }) => {
        const cells = input.cells.map((cell) => Cell.parse(cell))
        const read: Awaited<ReturnType<typeof readRun>>[] = []
        for (const cell of cells) {
          signal.throwIfAborted()
          read.push(await readRun(deps, cell))
        }
        const before = await nightsBefore(deps, input.sweep)
        const points = [...read.map(({ run }) => run), ...before.flatMap(({ runs }) => runs)]
        const evaluations = new Map<string, Evaluation>()
        for (const key of new Set(points.flatMap(({ curve }) => curve.map((point) => point.evaluation)))) {
          signal.throwIfAborted()
          evaluations.set(key, await requireDocument(deps.store, key, Evaluation))
        }
        const runs = read.map(({ run }) => ({
          ...run,
          curve: run.curve.map((point) => withResult(point, evaluations)),
        }))
        const document = endsOf(input.sweep, runs)
        const domains = [...new Set(read.flatMap(({ domains }) => domains))].sort()
        const specs = new Map(
          read.flatMap(({ run, spec }) => (spec === null ? [] : [[run.run, spec] as const])),
        )
        const due = nightOf(input.sweep)?.due
        const { html, rows, effects, drifts } = await report({
          sweep: input.sweep,
          runs,
          evaluations,
          provenance: { specs, domains, store: deps.store.url },
          nights: due === undefined ? [] : [...before, { due, runs: document.runs }],
        })
        const page = keys.sweepReport(input.sweep)
        const results = keys.sweepResults(input.sweep)
        await writeTable(deps.store, results, resultsTable, rows, digestOf(rows), { replace: true })
        const sheets = await writeSheets(deps, input.sweep, rows, runs)
        await deps.store.replace(page, new TextEncoder().encode(html))
        await replaceDocument(deps.store, keys.sweepRuns(input.sweep), SweepDocument, document)
        return {
          text: `${effectsText(effects)}${stoppedText(runs)}${driftText(drifts)}`,
          page,
          results,
          csv: sheets,
          failed: cells.filter(({ status }) => status === 'failed').length,
        }
      }),
  }
}

/** What people open in a spreadsheet, beside the Parquet: the effects, and the runs with their curves. */
async function writeSheets(
  { store }: Deps,
  sweep: string,
  rows: readonly ResultRow[],
  runs: readonly RunResult[],
): Promise<{ results: string; runs: string }> {
  const sheets = { results: keys.sweepResultsCsv(sweep), runs: keys.sweepRunsCsv(sweep) }
  const write = (key: string, text: string) => store.replace(key, new TextEncoder().encode(text))
  await write(sheets.results, csv(rows))
  await write(sheets.runs, csv(pointsOf(runs), pointColumns))
  return sheets
}

/** The sweep's runs as later nights read them: the last point of each benchmark. */
function endsOf(sweep: string, runs: readonly RunResult[]): SweepDocument {
  const last = (curve: RunResult['curve']) =>
    [...new Set(curve.map(({ benchmark }) => benchmark))].flatMap(
      (name) => curve.filter(({ benchmark }) => benchmark === name).sort((a, b) => b.step - a.step)[0] ?? [],
    )
  return {
    format: 1,
    sweep,
    runs: runs.map(({ model, arm, seed, run, status, curve }) => ({
      model,
      arm,
      seed,
      run,
      status,
      curve: last(curve),
    })),
  }
}

/** The last nights of the sweep's series before its own, in order of time; none for one that stands alone. */
async function nightsBefore({ store }: Deps, sweep: string): Promise<NightRuns[]> {
  const own = nightOf(sweep)
  if (own === null) return []
  const nights: { due: string; key: string }[] = []
  for await (const { key } of store.list(`${keys.sweeps(own.series)}-`)) {
    const night = nightOf(keys.sweepOf(key) ?? '')
    if (night?.series === own.series && night.due < own.due) nights.push({ due: night.due, key })
  }
  const last = nights.sort((a, b) => (a.due < b.due ? -1 : 1)).slice(-limits.nights)
  return Promise.all(
    last.map(async ({ due, key }) => ({
      due,
      runs: (await requireDocument(store, key, SweepDocument)).runs,
    })),
  )
}

type Point = RunResult['curve'][number]

function withResult(point: Point, evaluations: ReadonlyMap<string, Evaluation>): Point {
  const result = evaluations.get(point.evaluation)?.result
  if (result === undefined) return point
  const { accuracy, low, high, code } = result
  return { ...point, accuracy, low, high, code }
}

/** What one run left in the store; a failed run's steps count as far as they got. */
async function readRun(
  { store }: Deps,
  cell: Cell,
): Promise<{ run: RunResult; domains: string[]; spec: string | null }> {
  const curve: Point[] = []
  const metrics: RunResult['metrics'] = []
  const domains = new Set<string>()
  let deviceSeconds = 0
  for await (const { key } of store.list(keys.steps(cell.run))) {
    const step = keys.stepOf(key)
    const name = key.slice(key.lastIndexOf('/') + 1)
    if (name === 'metrics.json') {
      metrics.push({ step, metrics: (await requireDocument(store, key, MetricsDocument)).metrics })
    } else if (name === 'provenance.json') {
      const provenance = await requireDocument(store, key, ProvenanceDocument)
      domains.add(provenance.domain)
      deviceSeconds += provenance.deviceSeconds ?? provenance.seconds
    } else if (name.startsWith('evaluation-')) {
      const { benchmark, evaluation } = await requireDocument(store, key, EvaluationRecord)
      curve.push({
        step,
        benchmark: benchmark satisfies Benchmark,
        accuracy: 0,
        low: 0,
        high: 0,
        code: 0,
        evaluation,
      })
    }
  }
  const document = await readDocument(store, keys.run(cell.run), RunDocument)
  const own = RunResult.pick({
    model: true,
    arm: true,
    seed: true,
    run: true,
    status: true,
    failure: true,
    stopped: true,
  }).parse(cell)
  return {
    run: { ...own, curve, metrics, deviceSeconds },
    domains: [...domains],
    spec: document?.specs.at(-1) ?? null,
  }
}
