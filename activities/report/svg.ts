/**
 * Vega-Lite to an SVG string, on the server, without a canvas: same specification, same bytes.
 *
 * Text widths are Vega's own estimate even where a canvas library is installed, since measured ones depend on the
 * machine's fonts. Ids of clips and gradients start again at zero for each figure. Nothing is fetched: the loader
 * refuses, so data must be inline.
 */
import type { Loader } from 'vega'
import type { TopLevelSpec } from 'vega-lite'

const refuse = () => Promise.reject(new Error('a figure has its data inline and loads nothing'))
const loader: Loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse }

/** The figure as `<svg …>…</svg>`; it scales to its container, `description` is its text for who cannot see it. */
export async function figure(spec: Figure, description: string): Promise<string> {
  // Every worker imports this file, few ever draw.
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')])
  // vega-typings does not declare this export of vega-scenegraph.
  const { textMetrics } = vega as unknown as { textMetrics: { canvas(use: boolean): void } }
  textMetrics.canvas(false)
  vega.resetSVGDefIds()
  const { spec: compiled } = compile({ ...spec, config } as unknown as TopLevelSpec, {
    logger: vega.logger(vega.Error),
  })
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', loader, logLevel: vega.Error })
  try {
    const svg = await view.toSVG()
    return svg.replace(/<svg /, `<svg role="img" aria-label="${attribute(description)}" `)
  } finally {
    view.finalize()
  }
}

/** A Vega-Lite view specification; data are rows of plain values. */
export type Figure = Readonly<Record<string, unknown>>

/** The house's look: colours are the page's CSS variables. */
const config = {
  background: null,
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  aria: false,
  padding: { left: 2, right: 6, top: 4, bottom: 2 },
  autosize: { type: 'fit', contains: 'padding' },
  title: {
    color: 'var(--text)',
    fontSize: 13,
    fontWeight: 600,
    anchor: 'start',
    frame: 'bounds',
    offset: 10,
  },
  axis: {
    labelColor: 'var(--muted)',
    titleColor: 'var(--muted)',
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 400,
    domainColor: 'var(--rule)',
    tickColor: 'var(--rule)',
    gridColor: 'var(--grid)',
    tickSize: 4,
    labelPadding: 4,
    titlePadding: 6,
  },
  axisY: { domain: false, ticks: false, tickCount: 5 },
  axisX: { grid: false, tickCount: 6, labelFlush: false },
}

const attribute = (text: string) => text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`)
