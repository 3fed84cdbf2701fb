/**
 * The runs of a sweep, planned a page at a time. Those that the store has whole are not handed out, so that the sweep's
 * id can be started again for what is missing. A run is handed out once, and the sweep is through when every run that
 * was planned has ended, whatever else is known of others.
 */
import { ApplicationFailure } from '@temporalio/workflow'
import type { SweepCell } from '../activities/admit.ts'
import type { Cell } from '../activities/contracts.ts'
import type { SweepProgress } from './progress.ts'

export type Waiting = Extract<SweepCell, { spec: unknown }>

/** The runs of a sweep from the `from`-th on, as many as a page has. */
export type Page = (from: number) => Promise<readonly SweepCell[]>

export class Cells {
  /** Of the whole sweep; 0 until it has been admitted. */
  total = 0
  readonly #sweep: string
  readonly #page: Page
  readonly #ended: Map<string, Cell>
  readonly #waiting: Waiting[] = []
  readonly #planned: string[]
  readonly #known: Set<string>
  #planning: Promise<void> | null = null

  /** `through`: the first so many of `ended` are the sweep's first runs in its own order, which need no plan. */
  constructor(sweep: string, page: Page, ended: readonly Cell[], through = 0) {
    this.#sweep = sweep
    this.#page = page
    this.#ended = new Map(ended.map((cell) => [cell.run, cell]))
    this.#planned = ended.slice(0, through).map(({ run }) => run)
    this.#known = new Set(this.#planned)
  }

  /** The next run to be started; undefined when there is none. */
  async next(): Promise<Waiting | undefined> {
    while (this.#waiting.length === 0 && this.#planned.length < this.total) {
      this.#planning ??= this.#plan().finally(() => (this.#planning = null))
      await this.#planning
    }
    return this.#waiting.shift()
  }

  end(cell: Cell): void {
    this.#ended.set(cell.run, cell)
  }

  /** What has ended so far, failures included, in order of time. */
  ended(): Cell[] {
    return [...this.#ended.values()]
  }

  /** The same in the sweep's own order. */
  inOrder(): Cell[] {
    return this.#planned.flatMap((run) => this.#ended.get(run) ?? [])
  }

  /** What the next history begins with: the runs that are through in the sweep's order, then those that ended beside them. */
  carried(): { readonly ended: readonly Cell[]; readonly through: number } {
    const open = this.#planned.findIndex((run) => !this.#ended.has(run))
    const first = this.#planned.slice(0, open < 0 ? this.#planned.length : open)
    const leading = new Set(first)
    const others = this.ended().filter(({ run }) => !leading.has(run))
    return {
      ended: [...first.flatMap((run) => this.#ended.get(run) ?? []), ...others],
      through: first.length,
    }
  }

  get done(): boolean {
    return this.#planned.length >= this.total && this.#planned.every((run) => this.#ended.has(run))
  }

  counts(): Omit<SweepProgress, 'running'> {
    const failed = this.ended().filter(({ status }) => status === 'failed').length
    return { done: this.#ended.size, failed, total: this.total }
  }

  async #plan(): Promise<void> {
    const from = this.#planned.length
    const page = await this.#page(from)
    if (page.length === 0)
      throw ApplicationFailure.nonRetryable(
        `sweep ${this.#sweep}: expected ${this.total} runs, the plan ends after ${from}`,
        'InvalidSpec',
      )
    for (const cell of page) {
      const isAgain = this.#known.has(cell.run)
      this.#planned.push(cell.run)
      this.#known.add(cell.run)
      if (isAgain || this.#ended.has(cell.run)) continue
      if ('ended' in cell) this.#ended.set(cell.run, cell.ended)
      else this.#waiting.push(cell)
    }
  }
}
