/**
 * What a benchmark is: figures of ours beside a peer's, both measured by processes of their own that print one JSON line.
 *
 * A round is ours, then the peer; rounds alternate, so that a machine that slows down slows both. Each figure is the median
 * of its rounds, with the best one beside it; `ratio` is ours / peer, of medians. Leaves out: statistics beyond that. A
 * difference that needs them is not worth reporting from one machine.
 */
import type { Processes } from './processes.ts'

/** Numbers by name, as a measuring process prints them. */
export type Measured = Readonly<Record<string, unknown>>

export interface Settings {
  /** Folders of the models measured; null where there is none. */
  readonly model: string | null
  readonly small: string | null
  readonly threads: number
  /** Cases graded, steps of the long run, or hostile inputs. */
  readonly limit: number
  readonly folder: string
}

export interface Figure {
  readonly name: string
  readonly unit: string
  readonly better: 'more' | 'less'
  /** Fields of what ours and the peer print. */
  readonly ours: string
  readonly peer?: string
  /** Our goal: a bound on the ratio to the peer, or on our own value. */
  readonly target?: { readonly of: 'ratio' | 'value'; readonly bound: number }
}

export interface Comparison {
  readonly label: string
  /** Arguments of the benchmark's `measure`, plain JSON. */
  readonly ours: unknown
  /** Arguments of a script in bench/peers; null where nothing is a peer. */
  readonly peer: { readonly script: string; readonly args: readonly string[] } | null
  readonly figures: readonly Figure[]
}

export interface Benchmark {
  /** What can be measured under these settings, and why the rest cannot. */
  comparisons(settings: Settings): Promise<{ comparisons: readonly Comparison[]; missing: readonly string[] }>
  /** Measures ours, in a process of its own. */
  measure(args: unknown): Promise<Measured>
}

export interface Result {
  readonly figure: Figure
  readonly value: Summary
  readonly peer: Summary | null
  readonly ratio: number | null
  /** null without a target, or without the peer that it is about. */
  readonly met: boolean | null
}

export interface Summary {
  readonly median: number
  readonly best: number
}

export async function compare(
  name: string,
  { ours, peer, figures }: Comparison,
  rounds: number,
  processes: Processes,
): Promise<Result[]> {
  const measured: Measured[] = []
  const peers: Measured[] = []
  for (let round = 0; round < rounds; round++) {
    measured.push(await processes.ours(name, ours))
    const answer = peer && (await processes.peer(peer.script, peer.args))
    if (answer) peers.push(answer)
  }
  return figures.map((figure) => {
    const value = summary(measured, figure.ours, figure.better)
    const other =
      figure.peer !== undefined && peers.length > 0 ? summary(peers, figure.peer, figure.better) : null
    const ratio = other && value.median / other.median
    return { figure, value, peer: other, ratio, met: met(figure, value.median, ratio) }
  })
}

function met({ target, better }: Figure, value: number, ratio: number | null): boolean | null {
  const found = target && (target.of === 'ratio' ? ratio : value)
  if (!target || found === null || found === undefined) return null
  return better === 'more' ? found >= target.bound : found <= target.bound
}

function summary(rounds: readonly Measured[], field: string, better: Figure['better']): Summary {
  const values = rounds.map((round) => {
    const value = round[field]
    if (typeof value !== 'number')
      throw new Error(`bench: expected a number ${field}, found ${JSON.stringify(round)}`)
    return value
  })
  const sorted = values.sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    best: better === 'more' ? sorted.at(-1)! : sorted[0]!,
  }
}
