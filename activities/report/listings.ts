/**
 * What the report says of the runs themselves: which failed, which stopped early, and where every number comes from.
 */
import type { Evaluation, RunResult } from '../contracts.ts'
import type { Effects } from '../analysis/effects.ts'
import type { Markup } from './page.ts'
import { html } from './page.ts'
import { ends } from './tables.ts'
import { fixed } from './text.ts'

interface Column {
  readonly name: string
  readonly kind: 'code' | 'text' | 'number'
}
const column = (kind: Column['kind']) => (name: string) => ({ name, kind })
const [code, text, number] = [column('code'), column('text'), column('number')]
const ofRun = [code('run'), text('model'), text('arm'), number('seed')]

/** A row a run: wide tables scroll on their own. */
function runsTable(columns: readonly Column[], rows: readonly (readonly (string | number)[])[]): Markup {
  const cell = (value: string | number, kind: Column['kind']) =>
    kind === 'number'
      ? html`<td>${value}</td>`
      : html`<td class="text">${kind === 'code' ? html`<code>${value}</code>` : value}</td>`
  return html`<div class="wide">
    <table class="runs">
      <thead>
        <tr>
          ${columns.map(({ name, kind }) =>
            kind === 'number' ? html`<th>${name}</th>` : html`<th class="text">${name}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${columns.map(({ kind }, i) => cell(row[i] ?? '', kind))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

export function failuresTable({ failures }: Effects): Markup {
  if (failures.length === 0) return html`<p>None: every run completed.</p>`
  return html`<p>Not part of any mean above. What an arm shows beside its failures may be a selection.</p>
    ${runsTable(
      [...ofRun, number('after step'), text('what happened')],
      failures.map((row) => [row.run, row.model, row.arm, row.seed, row.step, row.failure]),
    )}`
}

/** Runs that a rule of their spec ended; their ends count as ends. */
export function stoppedTable(runs: readonly RunResult[]): Markup | null {
  const stopped = runs.filter((run) => run.stopped !== undefined)
  if (stopped.length === 0) return null
  return html`<h2>Stopped early</h2>
    <p>By a rule of their spec. Where they stopped counts as their end.</p>
    ${runsTable(
      [code('run'), number('after step'), text('rule')],
      stopped.map(({ run, metrics, stopped }) => [
        run,
        Math.max(0, ...metrics.map(({ step }) => step)),
        stopped ?? '',
      ]),
    )}`
}

/** What else is known about how the numbers came to be; the report shows what it is given. */
export interface Provenance {
  /** Hash of each run's resolved spec, by run. */
  readonly specs?: ReadonlyMap<string, string>
  /** Determinism domains that took part. */
  readonly domains?: readonly string[]
  /** Where the artefacts lie, without credentials. */
  readonly store?: string
  /** What an hour of the device costs; without it no cost is shown. */
  readonly dollarsPerDeviceHour?: number
}

export function provenanceTables(
  runs: readonly RunResult[],
  evaluations: ReadonlyMap<string, Evaluation>,
  { specs, domains, store, dollarsPerDeviceHour }: Provenance,
): Markup {
  const graders = [...new Set([...evaluations.values()].map(({ grader }) => grader))]
  const seconds = runs.reduce((sum, run) => sum + run.deviceSeconds, 0)
  const fact = (name: string, value: string | null) =>
    value === null || value === ''
      ? null
      : html`<dt>${name}</dt>
          <dd>${value}</dd>`
  const policy = (point: { evaluation: string } | undefined) =>
    evaluations.get(point?.evaluation ?? '')?.policy.slice(0, 12) ?? '–'
  return html`<dl>
      ${fact('Grader', graders.join(', '))}${fact('Determinism domain', domains?.join('; ') ?? null)}${fact(
        'Store',
        store ?? null,
      )}${fact('Device time', duration(seconds))}${fact(
        'Cost',
        dollarsPerDeviceHour === undefined
          ? null
          : `$${fixed((seconds / 3600) * dollarsPerDeviceHour, 2)} at $${fixed(dollarsPerDeviceHour, 2)} a device-hour`,
      )}
    </dl>
    ${runsTable(
      [...ofRun, code('spec'), code('first policy'), code('last policy'), number('device')],
      runs.map((run) => {
        const [start, end] = ends(run, run.curve[0]?.benchmark ?? '')
        const spec = specs?.get(run.run)?.slice(0, 12) ?? '–'
        const device = `${fixed(run.deviceSeconds, 1)} s`
        return [run.run, run.model, run.arm, run.seed, spec, policy(start), policy(end), device]
      }),
    )}`
}

export function duration(seconds: number): string {
  if (seconds < 120) return `${fixed(seconds, 1)} s`
  if (seconds < 7200) return `${fixed(seconds / 60, 1)} min`
  return `${fixed(seconds / 3600, 1)} h`
}
