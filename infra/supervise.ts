/**
 * Keeps one leashed process running: the first start must become healthy, a later death is reported with the end of
 * its log and answered by another start, until five in a row were short-lived.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Leashed } from './leash.ts'

export interface Supervised {
  readonly name: string
  /** Resolves once it answers for the first time; rejects, with the end of its log, if it never does. */
  readonly ready: Promise<void>
  /** The process group that runs now. */
  group(): number
  /** A hard kill of what runs now; another one is started. */
  kill(): void
  stop(): Promise<void>
  /** Resolves if it cannot be kept running. */
  readonly failed: Promise<Error>
}

export interface Supervision {
  readonly name: string
  start(): Leashed
  /** Resolves true once it answers; asked again until then. */
  healthy(): Promise<boolean>
  readonly healthyWithinMs: number
  report(line: string): void
}

/** What dies this often this soon after its start would do so for ever. */
const shortLives = 5
const shortLifeMs = 10_000

export function supervise(what: Supervision): Supervised {
  let current = what.start()
  let stopping = false
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<Error>((resolve) => (fail = resolve))
  const ready = untilHealthy(what, current)
  const watching = ready.then(watch, () => {})
  return {
    name: what.name,
    ready,
    failed,
    group: () => current.group,
    kill: () => current.kill(),
    stop: async () => {
      stopping = true
      await current.stop()
      await watching
    },
  }

  async function watch(): Promise<void> {
    for (let short = 0; ;) {
      const started = Date.now()
      const code = await current.exited
      if (stopping) return
      short = Date.now() - started < shortLifeMs ? short + 1 : 0
      const died = `${what.name} ended with code ${code}`
      if (short === shortLives) {
        const why = `${died}, ${short} times in a row soon after its start`
        fail(new Error(`${why}; its log ends:\n${indent(current.tail(), 15)}`))
        return
      }
      what.report(`${died}, starting another; its log ends:\n${indent(current.tail(), 3)}`)
      await sleep(short * 500)
      if (stopping) return // between the death and the new start there was nothing to stop
      current = what.start()
    }
  }
}

async function untilHealthy(what: Supervision, process: Leashed): Promise<void> {
  const ended = { code: null as number | null }
  void process.exited.then((code) => (ended.code = code))
  const deadline = Date.now() + what.healthyWithinMs
  while (!(await what.healthy())) {
    const late = Date.now() > deadline
    if (ended.code !== null || late) {
      await process.stop()
      const why = late
        ? `did not answer within ${what.healthyWithinMs / 1000} s`
        : `ended with code ${ended.code}`
      throw new Error(`${what.name} ${why}; its log ends:\n${indent(process.tail(), 15)}`)
    }
    await sleep(100)
  }
}

/** The last `count` lines, each set in. */
function indent(text: string, count: number): string {
  const lines = text.split('\n').slice(-count)
  return lines.map((line) => `    ${line}`).join('\n')
}
