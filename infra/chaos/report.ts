/** The outcome as a table in Markdown that a terminal shows as well, and the verdict: what is wrong, if anything. */
import type { Comparison } from './compare.ts'
import type { Cost } from './cost.ts'
import type { Disturbed } from './disturbed.ts'
import { activityOptions } from '../../temporal.config.ts'
import { countsOf, kinds, type Fault, type Kind } from './plan.ts'
import type { Waits } from './waits.ts'

export interface Outcome {
  readonly seed: number
  readonly minutes: number
  readonly faults: readonly Fault[]
  readonly disturbed: Omit<Disturbed, 'digests'>
  readonly undisturbedSeconds: number
  readonly comparison: Comparison
}

/** Why the harness fails; empty when every promise held. */
export function faultsOf({ faults, disturbed, comparison }: Outcome): string[] {
  const [planned, struck] = [countsOf(faults), countsOf(disturbed.strikes)]
  const { differences } = comparison
  const { byKind } = disturbed.costs
  const again = Object.values(byKind).reduce((sum, { rollouts }) => sum + rollouts, 0)
  return [
    ...kinds
      .filter((kind) => struck[kind] < planned[kind])
      .map((kind) => `${kind}: struck ${struck[kind]} times, planned ${planned[kind]}`),
    ...disturbed.missed,
    ...differences.slice(0, 20).map(({ key, how }) => `${key}: ${how}`),
    ...(differences.length > 20 ? [`and ${differences.length - 20} more objects that differ`] : []),
    ...(again > 0 ? [`${again} rollouts were sampled again although their table was stored`] : []),
    ...(disturbed.orphans.after > 0 ? [`${disturbed.orphans.after} orphaned uploads are left after gc`] : []),
    ...disturbed.problems.map((problem) => `verify: ${problem}`),
  ]
}

export function markdown(outcome: Outcome): string {
  const { disturbed, comparison, seed, minutes, undisturbedSeconds } = outcome
  const { compared, differences } = comparison
  const count = Object.values(compared).reduce((sum, n) => sum + n, 0)
  const named = Object.entries(compared).flatMap(([family, n]) => (n === 0 ? [] : [`${n} ${family}`]))
  const lost = disturbed.seconds - undisturbedSeconds
  return [
    tableOf(outcome),
    '',
    waitsTable(disturbed.costs.waits),
    '',
    metBy(disturbed.costs.waits, countsOf(disturbed.strikes)['worker SIGTERM']),
    `Seed ${seed}, ${minutes} minutes: ${disturbed.sweeps} sweeps in ${disturbed.seconds.toFixed(0)} s, ` +
      `${undisturbedSeconds.toFixed(0)} s undisturbed (${lost.toFixed(0)} s lost).`,
    `Digests compared: ${count} (${named.join(', ')}); ${differences.length} differ.`,
    `Uploads left orphaned: ${disturbed.orphans.before} before gc, ${disturbed.orphans.after} after it.`,
    `Rollouts that died with their worker before they were stored were begun ${disturbed.costs.begun} times more.`,
    `Workers that ended without being told to, as when a server was away at their start: ${disturbed.unordered}.`,
    ...[...new Set(disturbed.costs.unexplained)].map((what) => `Begun again for no known reason: ${what}`),
  ].join('\n')
}

function tableOf({ faults, disturbed }: Outcome): string {
  const [planned, struck] = [countsOf(faults), countsOf(disturbed.strikes)]
  const { byKind } = disturbed.costs
  const cells = (cost: Cost) => [String(cost.activities), String(cost.rollouts), cost.seconds.toFixed(1)]
  const row = (kind: Kind) => [kind, String(planned[kind]), String(struck[kind]), ...cells(byKind[kind])]
  const sum = (counts: Record<Kind, number>) => String(kinds.reduce((total, kind) => total + counts[kind], 0))
  const total = Object.values(byKind).reduce((a, b) => ({
    activities: a.activities + b.activities,
    rollouts: a.rollouts + b.rollouts,
    seconds: a.seconds + b.seconds,
  }))
  const head = [
    'fault',
    'planned',
    'struck',
    'activities run again',
    'rollouts sampled again',
    'seconds lost',
  ]
  const rows = [
    head,
    ...kinds.map(row),
    ...(byKind.other.activities > 0 ? [['not attributed', '', '', ...cells(byKind.other)]] : []),
    ['**all**', sum(planned), sum(struck), ...cells(total)],
  ]
  return aligned(head, rows)
}

/** What a run waits for when its worker is gone: a heartbeat that does not come, or nothing at all. */
const goals = {
  afterKill: Number.parseFloat(activityOptions.compute.heartbeatTimeout) + 5,
  afterStop: 5,
}

function waitsTable({ afterKill, afterStop }: Waits): string {
  const head = ['from … to the progress of what followed', 'times', 'least', 'median', 'most', 'goal']
  const row = (name: string, seconds: readonly number[], goal: number) => {
    const sorted = seconds.toSorted((a, b) => a - b)
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]
    const cells = [0, 0.5, 1].map(at).map((value) => (value === undefined ? '' : `${value.toFixed(1)} s`))
    return [name, String(sorted.length), ...cells, `${goal} s`]
  }
  return aligned(head, [
    head,
    row('kill -9 of a compute worker', afterKill, goals.afterKill),
    row('end of a compute worker told to stop', afterStop, goals.afterStop),
  ])
}

function metBy({ met: { strikes, running, again, seconds } }: Waits, all: number): string {
  const types = Object.entries(running).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const count = types.reduce((sum, [, n]) => sum + n, 0)
  const named = types.map(([type, n]) => `${n} ${type}`).join(', ')
  return (
    `SIGTERM met work in ${strikes} of ${all} cases: ${count} running activities${named && ` (${named})`}, ` +
    `of which ${again} were begun again, at a cost of ${seconds.toFixed(1)} s, and the others ended first.`
  )
}

/** Columns as wide as their widest cell. */
function aligned(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => '-'.repeat(width + 1) + (i === 0 ? '-' : ':')).join('|')}|`
  const [first = head, ...rest] = rows
  return [line(first), rule, ...rest.map(line)].join('\n')
}
