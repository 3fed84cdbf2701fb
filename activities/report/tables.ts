/**
 * The report's tables as markup: effects, where a gain came from, failures, provenance.
 *
 * A difference stands in bold when its interval leaves zero out; nothing else is starred or ranked. What was not
 * measured is a dash, never a zero.
 */
import type { Evaluation, RunResult } from '../contracts.ts'
import { drawsOverSeeds } from '../analysis/draws.ts'
import type { Drift } from '../analysis/drift.ts'
import type { Effect } from '../analysis/effects.ts'
import { armsInOrder } from '../analysis/effects.ts'
import type { Estimate } from '../analysis/intervals.ts'
import { mean } from '../analysis/intervals.ts'
import type { Switch, Switching } from '../analysis/strategy.ts'
import { switches, switching } from '../analysis/strategy.ts'
import type { Looks } from './figures.ts'
import type { Markup } from './page.ts'
import { html } from './page.ts'
import { bounds, fixed, percent, points } from './text.ts'

const dash = html`<td class="none">–</td>`
/** A typographic minus, since these numbers are read and not parsed. */
const minus = (text: string) => text.replaceAll('-', '−')

export function legend(arms: readonly string[], looks: Looks): Markup {
  return html`<ul class="legend">
    ${armsInOrder(arms).map((arm) => html`<li>${swatch(arm, looks)}${arm}</li>`)}
  </ul>`
}

function swatch(arm: string, looks: Looks): Markup {
  const look = looks.get(arm)
  const dashed = (look?.dash[1] ?? 0) > 0 ? ' dashed' : ''
  return html`<span class="swatch${dashed}" style="border-color:${look?.colour ?? 'var(--text)'}"></span>`
}

/** Effects of one benchmark, one block a model. */
export function effectsTable(rows: readonly Effect[], looks: Looks): Markup {
  const heads = ['seeds', 'start', 'end', 'gain', 'over null', 'over random', 'code']
  return blocks(
    heads,
    modelsOf(rows).map((model) => [
      model,
      rows.filter((row) => row.model === model).map((row) => effectRow(row, looks)),
    ]),
  )
}

/** One table, so that columns line up, with a block of arms under each model's name. */
function blocks(heads: readonly string[], models: readonly (readonly [string, readonly Markup[]])[]): Markup {
  return html`<div class="wide">
    <table>
      <thead>
        <tr>
          <th>arm</th>
          ${heads.map((head) => html`<th>${head}</th>`)}
        </tr>
      </thead>
      ${models.map(
        ([model, rows]) =>
          html`<tbody>
            <tr>
              <th class="model" colspan="${heads.length + 1}" scope="rowgroup">${model}</th>
            </tr>
            ${rows}
          </tbody> `,
      )}
    </table>
  </div>`
}

const modelsOf = (rows: readonly { readonly model: string }[]) => [...new Set(rows.map(({ model }) => model))]

function effectRow(row: Effect, looks: Looks): Markup {
  const tried = row.seeds.length + row.failedSeeds.length
  const code =
    row.codeStart === null || row.codeEnd === null
      ? dash
      : html`<td>${fixed(100 * row.codeStart, 0)} → ${fixed(100 * row.codeEnd, 0)}%</td>`
  return html`<tr>
    <td>${swatch(row.arm, looks)}${row.arm}</td>
    <td>${row.failedSeeds.length === 0 ? tried : `${row.seeds.length} of ${tried}`}</td>
    ${row.start === null ? dash : html`<td>${percent(row.start.value)}</td>`}${levelCell(row.end)}${differenceCell(
      row.gain,
    )}${differenceCell(row.overNull)}${differenceCell(row.overRandom)}${code}
  </tr>`
}

/** One row a cell: how it ended each night, and how far tonight is from the last night that has it. */
export function driftTable(due: readonly string[], drifts: readonly Drift[], looks: Looks): Markup {
  const benchmarks = new Set(drifts.map(({ benchmark }) => benchmark))
  const row = ({ benchmark, arm, ends, since }: Drift) =>
    html`<tr>
      <td>
        ${swatch(arm, looks)}${arm}${benchmarks.size > 1 ? html` <span class="range">${benchmark}</span>` : null}
      </td>
      ${ends.map((end) => (end === null ? dash : html`<td>${percent(end)}</td>`))}${driftCell(since)}
    </tr>`
  return blocks(
    [...due.map((night) => night.slice(0, 10)), 'drift'],
    modelsOf(drifts).map((model) => [model, drifts.filter((one) => one.model === model).map(row)]),
  )
}

function driftCell(since: Drift['since']): Markup {
  if (since === null) return dash
  return since.same ? html`<td>same</td>` : differenceCell(since.estimate)
}

const levelCell = (estimate: Estimate | null) =>
  estimate === null
    ? dash
    : html`<td>${percent(estimate.value)}<span class="range">${bounds(estimate, percent)}</span></td>`

const differenceCell = (estimate: Estimate | null) =>
  estimate === null
    ? dash
    : html`<td>
        <span class="${excludesZero(estimate) ? 'clear' : 'open'}">${minus(points(estimate.value))}</span
        ><span class="range">${minus(bounds(estimate, points))}</span>
      </td>`

export const excludesZero = ({ low, high }: Estimate) =>
  low !== null && high !== null && (low > 0 || high < 0)

/** A block a model with a row an arm, of its completed runs; an arm of which `cells` has nothing to say has none. */
function armBlocks(
  runs: readonly RunResult[],
  looks: Looks,
  cells: (own: readonly RunResult[]) => Markup | null,
): [string, Markup[]][] {
  const completed = runs.filter(({ status }) => status === 'completed')
  return modelsOf(runs).flatMap((model): [string, Markup[]][] => {
    const ours = completed.filter((run) => run.model === model)
    const rows = armsInOrder(ours.map(({ arm }) => arm)).flatMap((arm) => {
      const said = cells(ours.filter((run) => run.arm === arm))
      return said === null
        ? []
        : [
            html`<tr>
              <td>${swatch(arm, looks)}${arm}</td>
              ${said}
            </tr>`,
          ]
    })
    return rows.length === 0 ? [] : [[model, rows]]
  })
}

/** Per arm: the gain in points that came from problems of each switch of strategy, and their share; means of seeds. */
export function switchingTable(
  runs: readonly RunResult[],
  benchmark: string,
  evaluations: ReadonlyMap<string, Evaluation>,
  looks: Looks,
): Markup | null {
  const models = armBlocks(runs, looks, (own) => {
    const seeds = own.flatMap((run) => switched(run, benchmark, evaluations) ?? [])
    return seeds.length === 0 ? null : switchCells(seeds)
  })
  return models.length === 0
    ? null
    : blocks([...switches.map((name) => name.replace('→', ' → ')), 'gain'], models)
}

function switchCells(seeds: readonly Switching[]): Markup {
  const gained = (name: Switch) =>
    mean(seeds.map(({ subsets, problems }) => (subsets[name].after - subsets[name].before) / problems))
  const share = (name: Switch) =>
    mean(seeds.map(({ subsets, problems }) => subsets[name].problems / problems))
  return html`${switches.map(
      (name) =>
        html`<td>
          ${minus(points(gained(name)))}<span class="range">${fixed(100 * share(name), 0)}% of problems</span>
        </td>`,
    )}
    <td>${minus(points(mean(seeds.map(({ gain }) => gain))))}</td>`
}

/** Per arm: at its start and end, one sample, any of k, and what most of k say; null where problems have one sample. */
export function drawsTable(
  runs: readonly RunResult[],
  benchmark: string,
  evaluations: ReadonlyMap<string, Evaluation>,
  looks: Looks,
): Markup | null {
  const drawsAt = (own: readonly RunResult[], which: 0 | 1) => {
    const found = own.flatMap((run) => evaluations.get(ends(run, benchmark)[which]?.evaluation ?? '') ?? [])
    return found.length === own.length ? drawsOverSeeds(found) : null
  }
  const models = armBlocks(runs, looks, (own) => {
    const [start, end] = [drawsAt(own, 0), drawsAt(own, 1)]
    if (start === null || end === null) return null
    const cells = (['average', 'pass', 'majority'] as const).map(
      (which) =>
        html`${start[which] === null ? dash : html`<td>${percent(start[which].value)}</td>`}${levelCell(end[which])}`,
    )
    return html`${cells}`
  })
  const k = [...evaluations.values()].find(({ result }) => result.benchmark === benchmark)?.result.samples
  return models.length === 0
    ? null
    : blocks(
        ['avg', 'pass', 'maj'].flatMap((name) => [`${name}@${k}, start`, 'end']),
        models,
      )
}

/** The switching of one run between step 0 and its end; null unless both evaluations are there and comparable. */
function switched(
  run: RunResult,
  benchmark: string,
  evaluations: ReadonlyMap<string, Evaluation>,
): Switching | null {
  const [start, end] = ends(run, benchmark).map((point) => evaluations.get(point?.evaluation ?? ''))
  const comparable =
    start !== undefined && end !== undefined && start !== end && start.outcomes.length === end.outcomes.length
  return comparable ? switching(start.outcomes, end.outcomes) : null
}

/** A run's first and last point. */
export const ends = (run: RunResult, benchmark: string) => {
  const own = run.curve.filter((point) => point.benchmark === benchmark)
  const last = own.reduce((a, b) => Math.max(a, b.step), 0)
  return [own.find(({ step }) => step === 0), own.find(({ step }) => step === last)]
}
