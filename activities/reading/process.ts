/**
 * One reading process, from the worker's side: started, asked, and killed together with all that it started.
 *
 * It is the leader of a group of its own, gets no environment but what programs and temporary files need, and no file
 * of the worker's. Why it ended is read from what it wrote last: the watchdog names the memory it found, V8 its own limit.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Control } from '../engine/port.ts'
import { isPassing, revived } from '../faults/nature.ts'
import type { Limits } from './limits.ts'
import type { FromChild, ToChild } from './messages.ts'
import { ReaderLost, ReadingTimedOut, ReadingTooLarge } from './reader.ts'

/** A machine that is short of everything may take this long to start a process; nothing of the user's is read yet. */
const startMs = 60_000

/** V8 ends a process by itself a little before the watchdog would, and says so. */
const heapShare = 0.9

const root = fileURLToPath(new URL('../../', import.meta.url))
const code = fileURLToPath(new URL('./child.mjs', import.meta.url))

/** All that live, so that none outlives a worker that exits. */
const alive = new Set<ReadingProcess>()
process.on('exit', () => {
  for (const one of alive) one.kill()
})

interface Request {
  readonly what: string
  readonly control: Control
  /** Start the time limits, and the silence's again. */
  readonly heard: () => void
  readonly begun: () => void
  readonly resolve: (done: unknown) => void
  readonly reject: (error: Error) => void
}

export class ReadingProcess {
  readonly #child: ChildProcess
  readonly #memoryBytes: number
  readonly #idleMs: number
  readonly #starting: NodeJS.Timeout
  #waiting: ToChild | null = null
  #request: Request | null = null
  #isReady = false
  #isTaken = false
  #isGone = false
  #end: Error | null = null
  #subject = ''
  #step = ''
  #restBytes = 0
  #wrote = ''
  #idle: NodeJS.Timeout | undefined

  /** `ended` is called once nothing of it is left. */
  constructor(memoryBytes: number, idleMs: number, ended: () => void) {
    this.#memoryBytes = memoryBytes
    this.#idleMs = idleMs
    this.#child = fork(code, [String(memoryBytes), String(process.pid)], {
      cwd: root,
      env: environment(),
      execArgv: [`--max-old-space-size=${Math.ceil((memoryBytes * heapShare) / 2 ** 20)}`],
      detached: true,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    alive.add(this)
    this.#starting = setTimeout(() => this.kill(), startMs)
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#wrote = (this.#wrote + text).slice(-4000)
    })
    const over = (cause: Error) => {
      this.kill()
      alive.delete(this)
      this.#end = cause
      this.#request?.reject(cause)
      ended()
    }
    this.#child.on('message', (message: FromChild) => this.#receive(message))
    this.#child.on('error', (cause) => over(this.#notStarted(cause)))
    // 'close' comes when all that it wrote was read, too.
    this.#child.on('close', (exit, signal) => over(this.#causeOf(signal ?? `code ${exit}`)))
  }

  get isIdle(): boolean {
    return !this.#isTaken && !this.#isGone
  }

  /** Whether what it holds, of another subject, leaves too little room. */
  isHeavyFor(subject: string): boolean {
    return subject !== this.#subject && this.#restBytes > this.#memoryBytes / 2
  }

  take(subject: string): this {
    clearTimeout(this.#idle)
    this.#isTaken = true
    this.#subject = subject
    this.#hold(true)
    return this
  }

  rest(): void {
    this.#isTaken = false
    if (this.#isGone) return
    this.#hold(false)
    this.#idle = setTimeout(() => this.kill(), this.#idleMs).unref()
  }

  /** Ends it and all that it started, whatever they do. */
  kill(): void {
    this.#isGone = true
    clearTimeout(this.#idle)
    clearTimeout(this.#starting)
    const { pid, exitCode, signalCode } = this.#child
    if (pid === undefined || exitCode !== null || signalCode !== null) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      this.#child.kill('SIGKILL') // it has not become a leader yet
    }
  }

  /** The answer of one request. Throws by name: what its code throws, the limit that it passed, the signal's reason. */
  async serve(message: ToChild, what: string, limits: Limits, control: Control): Promise<unknown> {
    const { signal } = control
    let reject = (_error: Error): void => {}
    const stop = (error: Error) => {
      this.kill()
      reject(error)
    }
    const within = (ms: number) =>
      setTimeout(
        () =>
          stop(new ReadingTimedOut(`${this.#place()}: no answer within ${Number((ms / 1000).toFixed(1))} s`)),
        ms,
      )
    const timers: { total?: NodeJS.Timeout; silence?: NodeJS.Timeout } = {}
    const abort = () => stop(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    try {
      return await new Promise((resolve, refuse) => {
        reject = refuse
        const heard = () => {
          clearTimeout(timers.silence)
          timers.silence = within(limits.silenceMs)
        }
        const begun = () => {
          timers.total = within(limits.totalMs)
          heard()
        }
        this.#request = { what, control, heard, begun, resolve, reject }
        this.#step = ''
        signal.addEventListener('abort', abort, { once: true })
        if (signal.aborted) abort()
        else if (this.#end !== null) reject(this.#end)
        else this.#send(message)
      })
    } finally {
      this.#request = null
      clearTimeout(timers.total)
      clearTimeout(timers.silence)
      signal.removeEventListener('abort', abort)
    }
  }

  #send(message: ToChild): void {
    if (!this.#isReady) {
      this.#waiting = message
      return
    }
    this.#request?.begun()
    this.#child.send(message, (error) => {
      if (error !== null) this.#request?.reject(new ReaderLost(`${this.#place()}: ${error.message}`))
    })
  }

  #receive(message: FromChild): void {
    if ('ready' in message) {
      clearTimeout(this.#starting)
      this.#isReady = true
      if (this.#waiting !== null) this.#send(this.#waiting)
    } else if ('step' in message) {
      this.#request?.heard()
      this.#step = message.step
    } else if ('progress' in message) {
      this.#request?.heard()
      this.#request?.control.progress(message.progress)
    } else {
      this.#restBytes = message.restBytes
      if ('done' in message) this.#request?.resolve(message.done)
      else this.#request?.reject(revived(message.failed))
    }
  }

  #place(): string {
    return [this.#request?.what ?? 'reading', this.#step].filter((text) => text !== '').join(': ')
  }

  /** A machine that is short of processes or memory has them again: that is no fault of what was to be read. */
  #notStarted(cause: Error): Error {
    const said = `${this.#place()}: ${cause.message}`
    const passes = this.#child.pid === undefined && isPassing(cause)
    return passes ? new Error(said, { cause }) : new ReaderLost(said, { cause })
  }

  /** Why it ended by itself. */
  #causeOf(end: string): Error {
    const most = mebibytes(this.#memoryBytes)
    const found = /reading: memory (\d+) bytes/.exec(this.#wrote)?.[1]
    if (found !== undefined)
      return new ReadingTooLarge(
        `${this.#place()}: memory: expected at most ${most}, found ${mebibytes(Number(found))}`,
      )
    if (
      this.#wrote.includes('JavaScript heap out of memory') ||
      this.#wrote.includes('Array buffer allocation failed')
    )
      return new ReadingTooLarge(`${this.#place()}: memory: expected at most ${most}, found more`)
    return new ReaderLost(
      `${this.#place()}: the reading process ended (${end}): ${this.#wrote.trim().slice(-400)}`,
    )
  }

  /** A process that nobody waits for does not keep this one from ending. */
  #hold(held: boolean): void {
    const { stderr, channel } = this.#child
    for (const one of [this.#child, channel, stderr as unknown as NodeJS.RefCounted]) {
      if (held) one?.ref()
      else one?.unref()
    }
  }
}

const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`

/** No credential, and nothing that would change how Node runs. */
function environment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'TMPDIR', 'TMP', 'TEMP', 'SYSTEMROOT', 'TZ', 'ESBUILD_BINARY_PATH']
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
}
