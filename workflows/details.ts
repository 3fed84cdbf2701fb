/** What people see of a workflow: Markdown for the Web UI, and the search attributes that the namespace knows. */
import { upsertSearchAttributes, type SearchAttributes } from '@temporalio/workflow'
import type { Accuracy, Cell, Measured, Problem, ResolvedTrain, Sum } from '../activities/contracts.ts'
import { lacking } from './attributes.ts'
import { show } from './doing.ts'
import type { CurvePoint, StepMetrics, SweepProgress, TrainProgress } from './progress.ts'

export type Attributes = Partial<
  Record<'Model' | 'Arm' | 'Seed' | 'Step' | 'Accuracy' | 'Sweep', string | number | undefined>
> & { readonly Tags?: readonly string[] | undefined }

/** Writes what `known` lists: an attribute the namespace lacks would fail the workflow task for ever. */
export function upsert(known: readonly string[], values: Attributes): void {
  const writable = Object.entries(values).filter(
    ([name, value]) => known.includes(name) && value !== undefined,
  )
  if (writable.length === 0) return
  const attributes = Object.fromEntries(
    writable.map(([name, value]) => [name, [value].flat()]),
  ) as SearchAttributes
  upsertSearchAttributes(attributes)
}

const percent = (share: number) => (100 * share).toFixed(1)

export function trainDetails(
  spec: ResolvedTrain,
  at: TrainProgress,
  recent: readonly StepMetrics[],
  curve: readonly CurvePoint[],
  missing: readonly string[],
): string {
  const columns = [
    'reward',
    'reward_std',
    'entropy',
    'clip_ratio/region_mean',
    'completions/mean_length',
    'grad_norm',
  ]
  const steps = recent
    .slice(-10)
    .map(({ step, metrics }) => [step, ...columns.map((c) => metrics[c]?.toPrecision(4) ?? '')])
  const points = curve.map((p) => [p.step, p.benchmark, shown({ ...p, value: p.accuracy }), percent(p.code)])
  return [
    `**${at.phase}**, step ${at.step} of ${at.steps}: ${spec.model}, reward \`${JSON.stringify(spec.reward)}\`, seed ${spec.seed}`,
    ...(at.stopped === undefined ? [] : [`Stopped before its steps were done: ${at.stopped}`]),
    ...ending(at.secondsAStep, 'step', at.endsAt),
    ...unknownAttributes(missing),
    ...(at.notes ?? []),
    ...below(['step', 'benchmark', 'accuracy, % [95%]', 'code, %'], points),
    ...below(['step', ...columns], steps),
  ].join('\n')
}

/** How fast it goes, and when it will be done. */
export const ending = (seconds: number | undefined, what: string, endsAt: string | undefined) =>
  seconds === undefined || endsAt === undefined
    ? []
    : [`${seconds.toPrecision(3)} s a ${what}; at this pace the last is done at ${endsAt}`]

const unknownAttributes = (missing: readonly string[]) => (missing.length > 0 ? [lacking(missing)] : [])

/** Runs that the page names: of hundreds, the last that ended otherwise than they should. */
const namedCells = 20

export function showSweep(at: SweepProgress, cells: readonly Cell[], missing: readonly string[]): void {
  const named = cells.filter(({ failure, stopped }) => failure ?? stopped).slice(-namedCells)
  show(
    [
      `**${at.done} of ${at.total}** runs, ${at.failed} failed; running: ${at.running.join(', ') || 'none'}`,
      ...(at.done < at.total ? ending(at.secondsARun, 'run', at.endsAt) : []),
      ...unknownAttributes(missing),
      ...below(
        ['run', 'ended early'],
        named.map(({ run, failure, stopped }) => [run, failure ?? stopped ?? '']),
      ),
    ].join('\n'),
  )
}

export function showEvaluation(
  results: readonly Accuracy[],
  tasks: number,
  missing: readonly string[],
  notes: readonly string[] = [],
): void {
  const last = (at: Accuracy['passAt']) => Object.entries(at ?? {}).at(-1)
  const shownTable = table(
    [
      `${results.length} of ${tasks} evaluations`,
      'prompt',
      'accuracy, % [95%]',
      'pass, %',
      'majority, %',
      'unparsed, %',
      'code, %',
      'problems x samples',
    ],
    results.map((r) => [
      r.benchmark,
      r.prompt,
      shown({ value: r.accuracy, low: r.low, high: r.high }),
      ...[last(r.passAt), last(r.majAt)].map((at) => (at === undefined ? '' : `@${at[0]} ${shown(at[1])}`)),
      percent(r.unparsed),
      percent(r.code),
      `${r.problems} x ${r.samples}`,
    ]),
  )
  const above = [...unknownAttributes(missing), ...notes].flatMap((line) => [line, ''])
  show([...above, ...shownTable].join('\n'))
}

/** A share with its interval, in percent. */
export const shown = ({ value, low, high }: Measured) =>
  `${percent(value)} [${percent(low)}, ${percent(high)}]`

type Rows = readonly (readonly (string | number)[])[]

/** A Markdown table; whatever a cell holds stays within it. The Web UI leaves no room between columns by itself. */
function table(header: readonly string[], rows: Rows): string[] {
  const cell = (value: string | number) => String(value).replaceAll('|', '\\|').replaceAll('\n', ' ')
  const line = (row: readonly (string | number)[]) => `| ${row.map(cell).join(' | ')} |`
  const spaced = header.map((name) => `${name}\u00a0\u00a0`)
  return [line(spaced), line(header.map(() => '---')), ...rows.map(line)]
}

/** A table apart from the text above it; nothing where it has no row. */
const below = (header: readonly string[], rows: Rows) => (rows.length > 0 ? ['', ...table(header, rows)] : [])

/** `notes`: what a person should know, above the table. */
export function showTable(header: readonly string[], rows: Rows, notes: readonly string[] = []): void {
  show([...notes, ...(notes.length > 0 ? [''] : []), ...table(header, rows)].join('\n'))
}

export const sizeOf = ({ count, sizeBytes }: Sum) => `${count} (${(sizeBytes / 2 ** 20).toFixed(1)} MiB)`

export function showHousekeeping(phase: string, rows: Rows, problems: readonly Problem[] = []): void {
  const found = problems.map(({ key, problem }) => [`\`${key}\``, problem])
  show([`**${phase}**`, ...below(['', ''], rows), ...below(['object', 'problem'], found)].join('\n'))
}
