/**
 * The report of a sweep: what was run, what each arm gained, and what of it is left after the placebo.
 *
 * A pure function of stored artefacts: the same runs and evaluations give the same bytes, in whatever order they are
 * listed. The page states what its intervals allow for and what they do not, lists failures, and names the digests
 * behind every number. Left out: judgement; an interval that covers zero is printed as one.
 */
import type { Evaluation, RunResult } from '../contracts.ts'
import type { Effect, Effects } from '../analysis/effects.ts'
import { armsInOrder, effects } from '../analysis/effects.ts'
import type { Estimate } from '../analysis/intervals.ts'
import type { Drift, NightRuns } from '../analysis/drift.ts'
import { drifts } from '../analysis/drift.ts'
import type { Looks } from './figures.ts'
import type { Markup, Part } from './page.ts'
import { html, page } from './page.ts'
import { looks as looksOf } from './palette.ts'
import { forestPanels, curvePanels, updatePanels } from './panels.ts'
import type { Provenance } from './listings.ts'
import { failuresTable, provenanceTables, stoppedTable } from './listings.ts'
import { drawsTable, driftTable, effectsTable, excludesZero, legend, switchingTable } from './tables.ts'
import { allowsText, bounds, points } from './text.ts'

export type { Provenance } from './listings.ts'
export { driftText, effectsText, stoppedText } from './text.ts'

export interface ReportInput {
  readonly sweep: string
  readonly runs: readonly RunResult[]
  /** What the evaluation keys in the curves name; without them intervals allow for seeds alone. */
  readonly evaluations?: ReadonlyMap<string, Evaluation>
  readonly provenance?: Provenance
  /** The nights of the sweep's series in order of time, this one last; [] for a sweep that stands alone. */
  readonly nights?: readonly NightRuns[]
}

/** One flat row a (benchmark, model, arm), for results.parquet: shares in 0..1, null where nothing was measured. */
export type ResultRow = {
  readonly [name in 'sweep' | 'benchmark' | 'model' | 'arm' | 'intervals']: string
} & { readonly [name in 'seeds' | 'failed' | 'steps']: number } & {
  readonly [
    name in Bounded<'start' | 'end' | 'gain' | 'overNull' | 'overRandom' | 'drift'> | 'codeStart' | 'codeEnd'
  ]: number | null
} & { readonly since: string | null }
/** A value and its interval: `gain`, `gainLow`, `gainHigh`. */
type Bounded<Name extends string> = Name | `${Name}Low` | `${Name}High`

export async function report(
  input: ReportInput,
): Promise<{ html: string; rows: ResultRow[]; effects: Effects; drifts: Drift[] }> {
  const evaluations = input.evaluations ?? new Map<string, Evaluation>()
  const runs = inOrder(input.runs)
  const table = effects(runs, evaluations)
  const nights = input.nights ?? []
  const drifted = nights.length > 1 ? drifts(nights, evaluations) : []
  const looks = looksOf(runs.map(({ arm }) => arm))
  const benchmarks = [...new Set(table.rows.map(({ benchmark }) => benchmark))]
  const sections: Part[] = []
  for (const benchmark of benchmarks)
    sections.push(await benchmarkSections(benchmark, benchmarks.length > 1, runs, table, evaluations, looks))
  const body = html`${header(input.sweep, runs, evaluations)}
    ${benchmarks.length === 0 ? html`<p>No run has been evaluated, so there is nothing to compare.</p>` : null}
    ${sections} ${driftSection(nights, drifted, looks)} ${await updateSection(runs, looks)}
    <h2>Failures</h2>
    ${failuresTable(table)} ${stoppedTable(runs)}
    <h2>Data</h2>
    <p>
      Every number above, beside this page: <a href="../results.csv">results.csv</a>, a row an arm, and
      <a href="../runs.csv">runs.csv</a>, a row a run and evaluation, for spreadsheets;
      <code>results.parquet</code> for DuckDB and pandas.
    </p>
    <h2>Provenance</h2>
    ${provenanceTables(runs, evaluations, input.provenance ?? {})}
    <footer>Written by placebo from stored artefacts. The page runs no script and loads nothing.</footer>`
  return {
    html: page(`${input.sweep} · placebo`, body),
    rows: table.rows.map((row) => flat(input.sweep, row, drifted)),
    effects: table,
    drifts: drifted,
  }
}

/** By model in order of name, then arm in the tables' order, then seed: the order of the input does not show. */
function inOrder(runs: readonly RunResult[]): RunResult[] {
  const place = new Map(armsInOrder(runs.map(({ arm }) => arm)).map((arm, i) => [arm, i]))
  return [...runs].sort(
    (a, b) =>
      (a.model < b.model ? -1 : a.model > b.model ? 1 : 0) ||
      (place.get(a.arm) ?? 0) - (place.get(b.arm) ?? 0) ||
      a.seed - b.seed,
  )
}

function header(
  sweep: string,
  runs: readonly RunResult[],
  evaluations: ReadonlyMap<string, Evaluation>,
): Markup {
  const count = (values: readonly (string | number)[], noun: string) => {
    const n = new Set(values).size
    return html`<li><b>${n}</b> ${noun}${n === 1 ? '' : 's'}</li>`
  }
  const steps = Math.max(
    0,
    ...runs.flatMap(({ curve, metrics }) => [...curve, ...metrics].map(({ step }) => step)),
  )
  const sizes = new Set(
    [...evaluations.values()].map(
      ({ result }) => `${result.benchmark} (${result.problems} problems × ${result.samples})`,
    ),
  )
  const failed = runs.filter(({ status }) => status === 'failed').length
  return html`<header>
    <p class="eyebrow">placebo · report of a sweep</p>
    <h1>${sweep}</h1>
    <ul class="facts">
      ${count(
        runs.map(({ model }) => model),
        'model',
      )}${count(
        runs.map(({ arm }) => arm),
        'arm',
      )}${count(
        runs.map(({ seed }) => seed),
        'seed',
      )}
      <li><b>${runs.length}</b> runs${failed === 0 ? ', all completed' : `, ${failed} failed`}</li>
      <li><b>${steps}</b> steps</li>
      ${[...sizes].sort().map((size) => html`<li>${size}</li>`)}
    </ul>
  </header>`
}

async function benchmarkSections(
  benchmark: string,
  several: boolean,
  runs: readonly RunResult[],
  table: Effects,
  evaluations: ReadonlyMap<string, Evaluation>,
  looks: Looks,
): Promise<Markup> {
  const rows = table.rows.filter((row) => row.benchmark === benchmark)
  const key = legend(
    rows.map(({ arm }) => arm),
    looks,
  )
  const switched = switchingTable(runs, benchmark, evaluations, looks)
  const drawn = drawsTable(runs, benchmark, evaluations, looks)
  const on = several ? ` on ${benchmark}` : ''
  return html`<h2>What is left after the placebo${on}</h2>
    <div class="cards">
      ${[...new Set(rows.map(({ model }) => model))].map((model) =>
        card(
          model,
          rows.filter((row) => row.model === model),
        ),
      )}
    </div>
    ${await forestPanels(rows, looks)} ${effectsTable(rows, looks)}
    <p class="note">
      Percentage points of accuracy. Brackets are 95% intervals ${allowsText(rows)}; differences are paired by
      seed and by problem; bold ones have an interval without zero. They are not adjusted for their number: of
      twenty such intervals around nothing, one misses it.
    </p>
    ${
      drawn === null
        ? null
        : html`<h3>One answer, any of several, most of several</h3>
            <p class="note">
              avg@k: one sample. pass@k: at least one of k. maj@k: the answer that most of k give. A reward
              that sharpens what the model does already moves the first towards the third and not the second.
            </p>
            ${drawn}`
    }
    <h2>Learning curves${on}</h2>
    <p class="note">
      Thick: mean of the seeds. Thin: each seed. Nothing is smoothed and no best step is picked. Dashed grey:
      the model as it was.
    </p>
    ${key}${await curvePanels(runs, benchmark, 'accuracy', looks)}
    <h2>Reasoning in code${on}</h2>
    <p class="note">
      Share of completions that contain “python”: a strategy that a reward can bring out without teaching
      anything.
    </p>
    ${key}${await curvePanels(runs, benchmark, 'code', looks)}
    ${
      switched === null
        ? null
        : html`<h3>Where the gain came from</h3>
            <p class="note">
              Points of the gain from problems by strategy before → after training; a row adds up to its gain.
              Means over seeds.
            </p>
            ${switched}`
    }`
}

/** One model's headline: its leading arm over the random reward, or over the next best control there is. */
function card(model: string, rows: readonly Effect[]): Markup {
  const arm = rows.find((row) => row.arm !== 'null' && row.arm !== 'random' && row.end !== null)
  const [value, over] = (
    [
      [arm?.overRandom, 'more than the random reward'],
      [arm?.overNull, 'more than no training'],
      [arm?.gain, 'more than at step 0'],
    ] as const
  ).find(([estimate]) => estimate !== null && estimate !== undefined) ?? [null, '']
  if (arm === undefined || value === null || value === undefined)
    return html`<section class="card">
      <h3>${model}</h3>
      <p class="note">No completed run of a reward to compare with a control.</p>
    </section>`
  const random = rows.find((row) => row.arm === 'random')?.overNull ?? null
  const said = (estimate: Estimate) => points(estimate.value).replaceAll('-', '−')
  const range = (estimate: Estimate) => bounds(estimate, points).replaceAll('-', '−')
  return html`<section class="card">
    <h3>${model}</h3>
    <div class="big">${said(value)}<span class="range">${range(value)}</span></div>
    <p>
      points that <b>${arm.arm}</b> earned
      ${over}${seedsNote(arm)}${excludesZero(value) ? '' : '; zero is within the interval'}
    </p>
    ${
      arm.overNull === null || random === null
        ? null
        : html`<p class="note">
            Over no training: ${arm.arm} ${said(arm.overNull)}, the random reward ${said(random)}
            ${range(random)}
          </p>`
    }
  </section>`
}

const seedsNote = ({ seeds, failedSeeds }: Effect) =>
  failedSeeds.length === 0 ? '' : ` (${seeds.length} of ${seeds.length + failedSeeds.length} seeds)`

function driftSection(nights: readonly NightRuns[], drifted: readonly Drift[], looks: Looks): Markup | null {
  if (drifted.length === 0) return null
  return html`<h2>Against the nights before</h2>
    <p class="note">
      Accuracy at the end of each night, and tonight minus the last night that has the cell, in points with
      95% intervals, paired by seed and by problem. “Same” means the very same evaluations: nothing that a
      result depends on has changed.
    </p>
    ${driftTable(
      nights.map(({ due }) => due),
      drifted,
      looks,
    )}`
}

const sameCell = (a: Omit<Drift, 'ends' | 'since'>, b: Omit<Drift, 'ends' | 'since'>) =>
  a.benchmark === b.benchmark && a.model === b.model && a.arm === b.arm

async function updateSection(runs: readonly RunResult[], looks: Looks): Promise<Markup | null> {
  const panels = await updatePanels(runs, looks)
  if (panels === null) return null
  return html`<h2>Training</h2>
    <p class="note">
      Every step, as logged: reward and entropy of the rollouts, their length, and the tokens whose update the
      clip cut off, low and high, over all tokens; by decile of the probability they were sampled with. A
      token above 1 / (1 + ε) can never be cut high.
    </p>
    ${legend(
      runs.filter(({ metrics }) => metrics.length > 0).map(({ arm }) => arm),
      looks,
    )}${panels}`
}

function flat(sweep: string, row: Effect, drifted: readonly Drift[]): ResultRow {
  const since = drifted.find((one) => sameCell(one, row))?.since ?? null
  const spread = <Name extends string>(name: Name, estimate: Estimate | null) =>
    ({
      [name]: estimate?.value ?? null,
      [`${name}Low`]: estimate?.low ?? null,
      [`${name}High`]: estimate?.high ?? null,
    }) as Record<Bounded<Name>, number | null>
  return {
    sweep,
    benchmark: row.benchmark,
    model: row.model,
    arm: row.arm,
    seeds: row.seeds.length,
    failed: row.failedSeeds.length,
    steps: row.steps,
    ...spread('start', row.start),
    ...spread('end', row.end),
    ...spread('gain', row.gain),
    ...spread('overNull', row.overNull),
    ...spread('overRandom', row.overRandom),
    ...spread('drift', since?.estimate ?? null),
    since: since?.due ?? null,
    codeStart: row.codeStart,
    codeEnd: row.codeEnd,
    intervals: (row.overRandom ?? row.overNull ?? row.gain ?? row.end)?.allows ?? 'nothing',
  }
}
