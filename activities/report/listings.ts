/**
 * What the report says of the runs themselves: which failed, which stopped early, and where every number comes from.
 */
import type { Evaluation, RunResult } from '../contracts.ts'
import type { Effects } from '../analysis/effects.ts'
import type { Markup } from './page.ts'
import { html } from './page.ts'
import { ends } from './tables.ts'
import { fixed } from './text.ts'

export function failuresTable({ failures }: Effects): Markup {
  if (failures.length === 0) return html`<p>None: every run completed.</p>`
  return html`<p>Not part of any mean above. What an arm shows beside its failures may be a selection.</p>
    <div class="wide">
      <table class="runs">
        <thead>
          <tr>
            <th>run</th>
            <th class="text">model</th>
            <th class="text">arm</th>
            <th>seed</th>
            <th>after step</th>
            <th class="text">what happened</th>
          </tr>
        </thead>
        <tbody>
          ${failures.map(
            (row) =>
              html`<tr>
                <td class="text"><code>${row.run}</code></td>
                <td class="text">${row.model}</td>
                <td class="text">${row.arm}</td>
                <td>${row.seed}</td>
                <td>${row.step}</td>
                <td class="text">${row.failure}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}

/** Runs that a rule of their spec ended; their ends count as ends. */
export function stoppedTable(runs: readonly RunResult[]): Markup | null {
  const stopped = runs.filter((run) => run.stopped !== undefined)
  if (stopped.length === 0) return null
  return html`<h2>Stopped early</h2>
    <p>By a rule of their spec. Where they stopped counts as their end.</p>
    <div class="wide">
      <table class="runs">
        <thead>
          <tr>
            <th>run</th>
            <th>after step</th>
            <th class="text">rule</th>
          </tr>
        </thead>
        <tbody>
          ${stopped.map(
            (run) =>
              html`<tr>
                <td class="text"><code>${run.run}</code></td>
                <td>${Math.max(0, ...run.metrics.map(({ step }) => step))}</td>
                <td class="text">${run.stopped ?? ''}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
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
    <div class="wide">
      <table class="runs">
        <thead>
          <tr>
            <th>run</th>
            <th class="text">model</th>
            <th class="text">arm</th>
            <th>seed</th>
            <th class="text">spec</th>
            <th class="text">first policy</th>
            <th class="text">last policy</th>
            <th>device</th>
          </tr>
        </thead>
        <tbody>
          ${runs.map((run) => {
            const [start, end] = ends(run, run.curve[0]?.benchmark ?? '')
            return html`<tr>
              <td class="text"><code>${run.run}</code></td>
              <td class="text">${run.model}</td>
              <td class="text">${run.arm}</td>
              <td>${run.seed}</td>
              <td class="text"><code>${specs?.get(run.run)?.slice(0, 12) ?? '–'}</code></td>
              <td class="text"><code>${policy(start)}</code></td>
              <td class="text"><code>${policy(end)}</code></td>
              <td>${fixed(run.deviceSeconds, 1)} s</td>
            </tr>`
          })}
        </tbody>
      </table>
    </div>`
}

export function duration(seconds: number): string {
  if (seconds < 120) return `${fixed(seconds, 1)} s`
  if (seconds < 7200) return `${fixed(seconds / 60, 1)} min`
  return `${fixed(seconds / 3600, 1)} h`
}
