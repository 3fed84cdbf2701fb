/**
 * A worker's log: one JSON object a line, for people with grep and for collectors. A fault that comes again and again, once
 * a second for as long as a network is away, is said the 1st, 2nd, 4th, 8th … time, with how often it came.
 */
import type { Logger, LogLevel, LogMetadata } from '@temporalio/worker'

const order: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR']

export class JsonLogger implements Logger {
  readonly #stream: NodeJS.WritableStream
  readonly #from: number
  readonly #now: () => number
  /** By what is said of what: how often it came, and how often it was said that it had come. */
  readonly #faults = new Map<string, Repeated>()

  constructor(stream: NodeJS.WritableStream, from: LogLevel = 'INFO', now: () => number = Date.now) {
    this.#stream = stream
    this.#from = order.indexOf(from)
    this.#now = now
  }

  log(level: LogLevel, message: string, meta: LogMetadata = {}): void {
    // What the SDK says of its own workings (bundles, pollers) is of interest only when something is wrong.
    const ownBusiness = ['worker', 'core', 'client'].includes(String(meta['sdkComponent']))
    if (order.indexOf(level) < (ownBusiness ? order.indexOf('WARN') : this.#from)) return
    const { error, sdkComponent: _, ...fields } = meta as Record<string, unknown>
    const cause =
      error instanceof Error ? { error: error.stack ?? error.message } : error === undefined ? {} : { error }
    const row = { level, message, ...fields, ...cause }
    if (error === undefined) return this.#write(row)
    const times = this.#timesOf(keyOf(message, fields, error), row)
    if (Number.isInteger(Math.log2(times))) this.#write(times === 1 ? row : { ...row, times })
  }

  #write(row: object): void {
    this.#stream.write(`${JSON.stringify({ time: new Date(this.#now()).toISOString(), ...row }, plain)}\n`)
  }

  /** The how-manieth it is. What has not come for a while begins anew, and what was not said of it is said then. */
  #timesOf(key: string, row: object): number {
    const nowMs = this.#now()
    for (const [other, { lastMs }] of this.#faults)
      if (nowMs - lastMs > forgottenAfterMs || this.#faults.size > mostKept) this.#forget(other)
      else break // the oldest stand first
    const times = (this.#faults.get(key)?.times ?? 0) + 1
    this.#faults.delete(key)
    this.#faults.set(key, { times, lastMs: nowMs, row })
    return times
  }

  #forget(key: string): void {
    const { times, row } = this.#faults.get(key) ?? { times: 1, row: {} }
    this.#faults.delete(key)
    if (!Number.isInteger(Math.log2(times))) this.#write({ ...row, times })
  }

  /** Says what has not been said: the counts of what came since. Before the process ends. */
  flush(): void {
    for (const key of [...this.#faults.keys()]) this.#forget(key)
  }
  trace(message: string, meta?: LogMetadata): void {
    this.log('TRACE', message, meta)
  }
  debug(message: string, meta?: LogMetadata): void {
    this.log('DEBUG', message, meta)
  }
  info(message: string, meta?: LogMetadata): void {
    this.log('INFO', message, meta)
  }
  warn(message: string, meta?: LogMetadata): void {
    this.log('WARN', message, meta)
  }
  error(message: string, meta?: LogMetadata): void {
    this.log('ERROR', message, meta)
  }
}

interface Repeated {
  readonly times: number
  readonly lastMs: number
  /** As it came last. */
  readonly row: object
}

/** What has not come for so long is over; so many faults are told apart. */
const [forgottenAfterMs, mostKept] = [10 * 60_000, 1000]

/** Attempts of one activity differ in nothing but their number and what the stack says. */
function keyOf(message: string, fields: Readonly<Record<string, unknown>>, error: unknown): string {
  const names = ['activityType', 'activityId', 'workflowType', 'workflowId', 'workflowExecution', 'runId']
  const fault = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const apart = fault.replaceAll(/\d+/g, '#') // ports and times come anew with each attempt
  return JSON.stringify([message, apart, ...names.map((name) => fields[name])], plain)
}

/** What JSON has no words for: event ids and timestamps arrive as bigint. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
