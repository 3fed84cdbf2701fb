/** A worker's log: one JSON object a line, for people with grep and for collectors. */
import type { Logger, LogLevel, LogMetadata } from '@temporalio/worker'

const order: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR']

export class JsonLogger implements Logger {
  readonly #stream: NodeJS.WritableStream
  readonly #from: number

  constructor(stream: NodeJS.WritableStream, from: LogLevel = 'INFO') {
    this.#stream = stream
    this.#from = order.indexOf(from)
  }

  log(level: LogLevel, message: string, meta: LogMetadata = {}): void {
    // What the SDK says of its own workings (bundles, pollers) is of interest only when something is wrong.
    const ownBusiness = ['worker', 'core', 'client'].includes(String(meta['sdkComponent']))
    if (order.indexOf(level) < (ownBusiness ? order.indexOf('WARN') : this.#from)) return
    const { error, sdkComponent: _, ...fields } = meta as Record<string, unknown>
    const cause =
      error instanceof Error ? { error: error.stack ?? error.message } : error === undefined ? {} : { error }
    const time = new Date().toISOString()
    this.#stream.write(`${JSON.stringify({ time, level, message, ...fields, ...cause }, plain)}\n`)
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

/** What JSON has no words for: event ids and timestamps arrive as bigint. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
