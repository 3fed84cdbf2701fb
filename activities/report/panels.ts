/**
 * Figures laid out in panels: one a model, axes shared within a kind, drawn one after the other.
 *
 * Which numbers a figure takes and on which domain is decided here; how it is drawn, in figures.ts.
 */
import type { RunResult } from '../contracts.ts'
import type { Effect } from '../analysis/effects.ts'
import {
  curves,
  curveSamples,
  decileSamples,
  domainOf,
  forest,
  large,
  type Looks,
  metricSamples,
  small,
} from './figures.ts'
import { html, Markup } from './page.ts'
import { figure } from './svg.ts'

const modelsOf = (rows: readonly { readonly model: string }[]) => [...new Set(rows.map(({ model }) => model))]

/** Each arm against no training; against step 0 where no null arm was run. */
export async function forestPanels(rows: readonly Effect[], looks: Looks): Promise<Markup | null> {
  const overNull = rows.some((row) => row.overNull !== null)
  const shown = rows.flatMap((effect) => {
    const value = overNull ? effect.overNull : effect.gain
    return value === null ? [] : [{ effect, value }]
  })
  if (shown.length === 0) return null
  const ends = shown.flatMap(({ value }) => [
    value.value,
    value.low ?? value.value,
    value.high ?? value.value,
  ])
  const xDomain = domainOf([0, ...ends.map((x) => 100 * x)])
  const x = overNull ? 'points over no training' : 'points over step 0'
  const drawn: Markup[] = []
  for (const model of modelsOf(rows)) {
    const own = shown.filter(({ effect }) => effect.model === model)
    if (own.length === 0) continue
    const svg = await figure(forest(own, looks, { title: model, x, xDomain }), `${model}: ${x}, by arm`)
    drawn.push(html`<figure>${new Markup(svg)}</figure>`)
  }
  return html`<div class="panels">${drawn}</div>`
}

/** Accuracy or code share over the evaluated steps. */
export async function curvePanels(
  runs: readonly RunResult[],
  benchmark: string,
  value: 'accuracy' | 'code',
  looks: Looks,
): Promise<Markup> {
  const models = modelsOf(runs)
  const samples = models.map((model) =>
    curveSamples(
      runs.filter((run) => run.model === model),
      benchmark,
      value,
    ),
  )
  const all = samples.flat()
  const y = value === 'accuracy' ? 'accuracy, %' : 'code, % of completions'
  const axes = {
    x: 'step',
    y,
    format: 'd',
    size: large,
    xDomain: [0, Math.max(1, ...all.map((sample) => sample.x))] as const,
    yDomain: domainOf(
      all.map((sample) => sample.y),
      { floor: 0, ceiling: 100 },
    ),
  }
  const drawn: Markup[] = []
  for (const [i, model] of models.entries()) {
    const svg = await figure(
      curves(samples[i] ?? [], looks, { ...axes, title: model }),
      `${model}: ${y}, over steps, a line an arm`,
    )
    drawn.push(html`<figure>${new Markup(svg)}</figure>`)
  }
  return html`<div class="panels">${drawn}</div>`
}

/** What training logged at every step: [metric, title, factor, d3 format]. */
const logged = [
  ['reward', 'Reward', 1, '.2~f'],
  ['entropy', 'Entropy, nats', 1, '.2~f'],
  ['completions/mean_length', 'Tokens a completion', 1, '.1~f'],
  ['clip_ratio/low_mean', 'Clipped low, % of tokens', 100, '.2~f'],
  ['clip_ratio/high_mean', 'Clipped high, % of tokens', 100, '.2~f'],
  ['frac_reward_zero_std', 'Groups without a signal, %', 100, '.0f'],
  ['sampling/sampling_logp_difference/mean', 'Sampler against trainer, |Δ log π|', 1, '.1~e'],
] as const

/** Small panels of each model's training; null when no run logged any of it. */
export async function updatePanels(runs: readonly RunResult[], looks: Looks): Promise<Markup | null> {
  const trained = runs.filter(({ metrics }) => metrics.length > 0)
  const kinds = [
    ...logged.map(([metric, title, factor, format]) => ({
      title,
      format,
      x: 'step',
      of: (own: readonly RunResult[]) => metricSamples(own, metric, factor),
    })),
    ...(['low', 'high'] as const).map((side) => ({
      title: `Clipped ${side} by probability, %`,
      format: '.2~f',
      x: 'probability when sampled',
      of: (own: readonly RunResult[]) => decileSamples(own, side),
    })),
  ]
  const sections: Markup[] = []
  for (const model of modelsOf(trained)) {
    const drawn: Markup[] = []
    for (const kind of kinds) {
      const every = kind.of(trained)
      if (every.length === 0) continue
      const decile = kind.x !== 'step'
      const axes = {
        title: kind.title,
        x: kind.x,
        y: '',
        format: kind.format,
        size: small,
        xDomain: decile ? ([0, 1] as const) : ([0, Math.max(2, ...every.map(({ x }) => x))] as const),
        yDomain: domainOf(
          every.map(({ y }) => y),
          { floor: 0 },
        ),
      }
      const svg = await figure(
        curves(kind.of(trained.filter((run) => run.model === model)), looks, axes),
        `${model}: ${kind.title}, over ${kind.x}, a line an arm`,
      )
      drawn.push(html`<figure>${new Markup(svg)}</figure>`)
    }
    if (drawn.length > 0)
      sections.push(
        html`<h3>${model}</h3>
          <div class="panels three">${drawn}</div>`,
      )
  }
  return sections.length === 0 ? null : html`${sections}`
}
