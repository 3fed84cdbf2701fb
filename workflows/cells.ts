/**
 * The runs of a sweep, planned a page at a time. Those that the store has whole are not handed out, so that the sweep's
 * id can be started again for what is missing.
 */
import type { SweepCell } from '../activities/admit.ts'
import type { Cell } from '../activities/contracts.ts'
import type { SweepProgress } from './progress.ts'
import { light } from './proxies.ts'

export type Waiting = Extract<SweepCell, { spec: unknown }>

export class Cells {
  /** Of the whole sweep; 0 until it has been admitted. */
  total = 0
  readonly #spec: unknown
  readonly #sweep: string
  readonly #ended: Map<string, Cell>
  readonly #waiting: Waiting[] = []
  readonly #planned: string[] = []
  #planning: Promise<void> | null = null

  constructor(spec: unknown, sweep: string, ended: readonly Cell[]) {
    this.#spec = spec
    this.#sweep = sweep
    this.#ended = new Map(ended.map((cell) => [cell.run, cell]))
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

  /** Whether every run of the plan has been handed out; asked when those that were have ended. */
  get done(): boolean {
    return this.#waiting.length === 0 && this.#planned.length >= this.total
  }

  counts(): Omit<SweepProgress, 'running'> {
    const failed = this.ended().filter(({ status }) => status === 'failed').length
    return { done: this.#ended.size, failed, total: this.total }
  }

  async #plan(): Promise<void> {
    const from = this.#planned.length
    const page = await light.planCells({ spec: this.#spec, sweep: this.#sweep, from })
    for (const cell of page) {
      this.#planned.push(cell.run)
      if (this.#ended.has(cell.run)) continue
      if ('ended' in cell) this.#ended.set(cell.run, cell.ended)
      else this.#waiting.push(cell)
    }
  }
}
