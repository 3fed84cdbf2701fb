/**
 * The report's figures as Vega-Lite specifications: plain data in, plain data out (svg.ts draws them).
 *
 * Curves show every seed as a thin line and the mean over completed seeds as a thick one. Nothing is smoothed, at
 * step 0 or later. The paper smooths over 10 steps; with the seeds drawn that hides more than it shows. A run that
 * failed keeps its thin line, dotted, and stays out of the mean. Panels of one kind share their axes.
 */
import type { RunResult } from '../contracts.ts'
import type { Effect } from '../analysis/effects.ts'
import { armsInOrder } from '../analysis/effects.ts'
import { clipByDecile } from '../analysis/clipping.ts'
import { mean } from '../analysis/intervals.ts'
import type { Look } from './palette.ts'
import type { Figure } from './svg.ts'

export type Looks = ReadonlyMap<string, Look>
type Domain = readonly [number, number]

/** One value of one run at one step (or decile). */
interface Sample {
  readonly x: number
  readonly y: number
  readonly arm: string
  readonly seed: number
  readonly failed: boolean
}

export interface Axes {
  readonly title?: string
  readonly x: string
  readonly y: string
  /** d3-format of the y axis. */
  readonly format: string
  readonly size: { readonly width: number; readonly height: number }
  readonly xDomain: Domain
  readonly yDomain: Domain
}

export const large = { width: 470, height: 280 }
export const small = { width: 310, height: 190 }

/** Accuracy or code share (percent) of one model over the steps that were evaluated. */
export function curveSamples(
  runs: readonly RunResult[],
  benchmark: string,
  value: 'accuracy' | 'code',
): Sample[] {
  const lastStep = Math.max(0, ...runs.flatMap((run) => run.curve.map(({ step }) => step)))
  return runs.flatMap((run) => {
    const own = run.curve.filter((point) => point.benchmark === benchmark)
    const at = (x: number, y: number): Sample => ({ ...about(run), x, y: 100 * y })
    const line = own.map((point) => at(point.step, point[value]))
    // A model that is never trained has one evaluation; it is what it is at every step.
    const [only] = own
    return run.arm === 'null' && own.length === 1 && only !== undefined
      ? [...line, at(lastStep, only[value])]
      : line
  })
}

/** One metric of one model's steps. */
export function metricSamples(runs: readonly RunResult[], metric: string, factor: number): Sample[] {
  return runs.flatMap((run) =>
    run.metrics.flatMap(({ step, metrics }) => {
      const y = metrics[metric]
      return y === undefined ? [] : [{ ...about(run), x: step, y: factor * y }]
    }),
  )
}

/** Percent of tokens whose update was cut, by decile of the probability they were sampled with (decile's middle). */
export function decileSamples(runs: readonly RunResult[], side: 'low' | 'high'): Sample[] {
  return runs.flatMap((run) =>
    (clipByDecile(run.metrics.map(({ metrics }) => metrics)) ?? []).flatMap((count) =>
      count.tokens === 0
        ? []
        : [{ ...about(run), x: count.decile / 10 + 0.05, y: (100 * count[side]) / count.tokens }],
    ),
  )
}

const about = (run: RunResult) => ({ arm: run.arm, seed: run.seed, failed: run.status === 'failed' })

/** Seeds thin, means thick. */
export function curves(samples: readonly Sample[], looks: Looks, axes: Axes): Figure {
  const means = [
    ...groupBy(
      samples.filter(({ failed }) => !failed),
      ({ arm, x }) => JSON.stringify([arm, x]),
    ).values(),
  ]
    .flatMap((group) => {
      const [first] = group
      return first === undefined ? [] : [{ arm: first.arm, x: first.x, y: mean(group.map(({ y }) => y)) }]
    })
    .sort((a, b) => a.x - b.x)
  const arms = armsInOrder(samples.map(({ arm }) => arm))
  const several = new Set(samples.map(({ seed }) => seed)).size > 1
  const detail = [{ field: 'seed', type: 'nominal' }]
  const thin = (failed: boolean) => ({
    data: { values: samples.filter((sample) => sample.failed === failed) },
    mark: {
      type: 'line',
      strokeWidth: 1,
      opacity: 0.4,
      ...(failed ? { strokeDash: [1, 3], opacity: 0.9 } : {}),
    },
    encoding: { ...position(axes), ...colour(arms, looks), detail },
  })
  const encoding = { ...position(axes), ...colour(arms, looks) }
  const points = new Set(means.map(({ x }) => x)).size <= 12
  return {
    ...axes.size,
    ...(axes.title === undefined ? {} : { title: axes.title }),
    layer: [
      ...(several ? [thin(false)] : []),
      thin(true),
      {
        data: { values: means },
        mark: { type: 'line', strokeWidth: 2.25, strokeJoin: 'round' },
        encoding: { ...encoding, strokeDash: dash(arms, looks) },
      },
      ...(points
        ? [{ data: { values: means }, mark: { type: 'circle', size: 22, opacity: 1 }, encoding }]
        : []),
    ],
  }
}

/** Differences with their intervals, one row an arm, against a line at zero. */
export function forest(
  rows: readonly { readonly effect: Effect; readonly value: NonNullable<Effect['gain']> }[],
  looks: Looks,
  { title, x, xDomain }: { title: string; x: string; xDomain: Domain },
): Figure {
  const arms = rows.map(({ effect }) => effect.arm)
  const values = rows.map(({ effect, value }) => ({
    arm: effect.arm,
    value: 100 * value.value,
    low: 100 * (value.low ?? value.value),
    high: 100 * (value.high ?? value.value),
  }))
  const y = { field: 'arm', type: 'nominal', sort: arms, title: null, axis: forestLabels(arms) }
  const along = (field: string) => ({
    field,
    type: 'quantitative',
    title: x,
    scale: { domain: xDomain, nice: false, zero: false },
    axis: { labelExpr: "datum.value === 0 ? '0' : format(datum.value, '+d')", grid: true },
  })
  const colours = colour(arms, looks)
  return {
    width: large.width,
    height: 62 + 34 * arms.length,
    title,
    layer: [
      {
        data: { values: [{}] },
        mark: { type: 'rule', stroke: 'var(--muted)', strokeWidth: 1 },
        encoding: { x: { datum: 0 } },
      },
      {
        data: { values },
        mark: { type: 'rule', strokeWidth: 3, strokeCap: 'round', opacity: 0.45 },
        encoding: { x: along('low'), x2: { field: 'high' }, y, ...colours },
      },
      {
        data: { values },
        mark: { type: 'circle', size: 90, opacity: 1 },
        encoding: { x: along('value'), y, ...colours },
      },
    ],
  }
}
/** Left-aligned names; their column is as wide as the longest: about 7 px a letter, and names end at 24 letters. */
const forestLabels = (arms: readonly string[]) => {
  const width = 12 + 7 * Math.min(24, Math.max(...arms.map(({ length }) => length)))
  return {
    labelExpr: "length(datum.label) > 24 ? slice(datum.label, 0, 23) + '…' : datum.label",
    labelFontSize: 12,
    labelColor: 'var(--text)',
    labelAlign: 'left',
    labelPadding: width,
    labelLimit: 1000, // Vega's estimate of widths is generous and would cut names that fit
    minExtent: width,
    maxExtent: width,
  }
}

/** The smallest domain that holds all values, padded and rounded outwards; never empty. */
export function domainOf(
  values: readonly number[],
  { floor, ceiling }: { floor?: number; ceiling?: number } = {},
): Domain {
  if (values.length === 0) return [0, 1]
  let [low, high] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity])
  const pad = (high - low || Math.abs(high) || 1) * 0.06
  low = Math.max(floor ?? -Infinity, low - pad)
  high = Math.min(ceiling ?? Infinity, high + pad)
  return low < high ? [low, high] : [low - 1, high + 1]
}

const position = ({ x, y, format, xDomain, yDomain }: Axes) => ({
  x: {
    field: 'x',
    type: 'quantitative',
    title: x,
    scale: { domain: xDomain, nice: false, zero: false },
    axis: xDomain[1] > 1 ? { format: 'd', tickMinStep: 1 } : { format: '.1f' },
  },
  y: {
    field: 'y',
    type: 'quantitative',
    title: y,
    scale: { domain: yDomain, nice: true, zero: false },
    axis: { format },
  },
})

const colour = (arms: readonly string[], looks: Looks) => ({
  color: {
    field: 'arm',
    type: 'nominal',
    legend: null,
    scale: { domain: arms, range: arms.map((arm) => looks.get(arm)?.colour ?? 'var(--text)') },
  },
})

const dash = (arms: readonly string[], looks: Looks) => ({
  field: 'arm',
  type: 'nominal',
  legend: null,
  scale: { domain: arms, range: arms.map((arm) => looks.get(arm)?.dash ?? [1, 0]) },
})

export function groupBy<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value])
  return groups
}
