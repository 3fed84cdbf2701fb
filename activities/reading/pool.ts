/**
 * The reader as a few child processes of this one: spawned when they are needed, kept warm for a while, one request at
 * a time each. A process whose request passes its time or its memory, or is aborted, is killed, whatever it does; the
 * next request gets another. Where all are busy, requests wait in the order in which they came.
 */
import type { Control } from '../engine/port.ts'
import { limitsOf } from './limits.ts'
import { ReadingProcess } from './process.ts'
import { ReaderLost, type JobName, type Jobs, type Reader } from './reader.ts'

export interface PoolOptions {
  /** Processes at once; a request beyond them waits. */
  readonly processes?: number
  /** What a process may hold in memory. */
  readonly memoryBytes?: number
  /** How long a process without a request stays. */
  readonly idleMs?: number
  /** Scales every time limit: tests need not wait. */
  readonly patience?: number
}

export function openReader(options: PoolOptions = {}): Reader {
  return new Pool(options)
}

class Pool implements Reader {
  readonly #options: Required<PoolOptions>
  readonly #processes = new Set<ReadingProcess>()
  readonly #waiting: (() => void)[] = []
  #closed = false

  constructor({ processes = 2, memoryBytes = 2 ** 30, idleMs = 60_000, patience = 1 }: PoolOptions) {
    this.#options = { processes, memoryBytes, idleMs, patience }
  }

  async ask<J extends JobName>(
    job: J,
    what: string,
    ask: Jobs[J]['ask'],
    control: Control,
  ): Promise<Jobs[J]['answer']> {
    const process = await this.#take(subjectOf(ask), control.signal)
    try {
      const limits = limitsOf(job, ask, this.#options.patience)
      return (await process.serve({ job, ask }, what, limits, control)) as Jobs[J]['answer']
    } finally {
      process.rest()
      this.#wake()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const process of this.#processes) process.kill()
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** A process for this request alone. The first idle one is preferred, so that what it has opened is of use. */
  async #take(subject: string, signal: AbortSignal): Promise<ReadingProcess> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#closed) throw new ReaderLost('reading: the worker has closed its readers')
      const idle = [...this.#processes].find((process) => process.isIdle)
      // What an earlier request left in memory must not be counted against this one.
      if (idle?.isHeavyFor(subject)) idle.kill()
      else if (idle !== undefined) return idle.take(subject)
      else if (this.#processes.size < this.#options.processes) return this.#start().take(subject)
      else await this.#turn(signal)
    }
  }

  #start(): ReadingProcess {
    const { memoryBytes, idleMs } = this.#options
    const process = new ReadingProcess(memoryBytes, idleMs, () => {
      this.#processes.delete(process)
      this.#wake()
    })
    this.#processes.add(process)
    return process
  }

  #wake(): void {
    this.#waiting.shift()?.()
  }

  async #turn(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    if (signal.aborted) this.#wake() // whoever was woken instead of this one
  }
}

/** What a request is about, where it is worth being asked again: the tokenizer that stays open. */
function subjectOf(ask: Jobs[JobName]['ask']): string {
  return 'tokenizer' in ask ? ask.tokenizer.map(({ digest }) => digest).join() : ''
}
