/** The report of a sweep, from stored artefacts only: what its runs wrote, read back, summed up, laid out. */
import { readDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { resultsTable, writeTable } from './checkpoint/tables.ts'
import {
  Cell,
  Evaluation,
  EvaluationRecord,
  MetricsDocument,
  ProvenanceDocument,
  RunDocument,
  type Benchmark,
  type RunResult,
} from './contracts.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import { effectsText, report } from './report/index.ts'
import { digestOf } from './checkpoint/canonical.ts'

interface ReportResult {
  /** The table of effects as monospaced text. */
  readonly text: string
  readonly page: string
  readonly results: string
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
        const evaluations = new Map<string, Evaluation>()
        for (const key of new Set(read.flatMap(({ run }) => run.curve.map((point) => point.evaluation)))) {
          evaluations.set(key, await requireDocument(deps.store, key, Evaluation))
        }
        const runs = read.map(({ run }) => ({
          ...run,
          curve: run.curve.map((point) => withResult(point, evaluations)),
        }))
        const domains = [...new Set(read.flatMap(({ domains }) => domains))].sort()
        const specs = new Map(
          read.flatMap(({ run, spec }) => (spec === null ? [] : [[run.run, spec] as const])),
        )
        const { html, rows, effects } = await report({
          sweep: input.sweep,
          runs,
          evaluations,
          provenance: { specs, domains, store: deps.store.url },
        })
        const page = keys.sweepReport(input.sweep)
        const results = keys.sweepResults(input.sweep)
        await writeTable(deps.store, results, resultsTable, rows, digestOf(rows), { replace: true })
        await deps.store.replace(page, new TextEncoder().encode(html))
        return {
          text: effectsText(effects),
          page,
          results,
          failed: cells.filter(({ status }) => status === 'failed').length,
        }
      }),
  }
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
  const { model, arm, seed, run, status, failure } = cell
  const own = { model, arm, seed, run, status, ...(failure !== undefined && { failure }) }
  return {
    run: { ...own, curve, metrics, deviceSeconds },
    domains: [...domains],
    spec: document?.specs.at(-1) ?? null,
  }
}
