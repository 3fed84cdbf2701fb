/**
 * Keeps one leashed process running: the first start must become healthy, a later death is reported with the end of
 * its log and answered by another start, until it dies three times within a minute.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Leashed } from './leash.ts'

export interface Supervised {
  readonly name: string
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

const windowMs = 60_000
const deathsAllowed = 3

export async function supervise(what: Supervision): Promise<Supervised> {
  let current = what.start()
  let stopping = false
  await untilHealthy(what, current)
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<Error>((resolve) => (fail = resolve))
  const watch = async () => {
    const deaths: number[] = []
    for (;;) {
      const code = await current.exited
      if (stopping) return
      deaths.push(Date.now())
      const recent = deaths.filter((at) => at > Date.now() - windowMs).length
      const died = `${what.name} ended with code ${code}`
      if (recent > deathsAllowed)
        return fail(new Error(`${died}, the ${recent}th time; its log ends:\n${current.tail()}`))
      what.report(`${died}, starting another; its log ends:\n${indent(current.tail(), 3)}`)
      await sleep(recent * 250)
      if (stopping) return // between the death and the new start there was nothing to stop
      current = what.start()
    }
  }
  const watching = watch()
  return {
    name: what.name,
    group: () => current.group,
    kill: () => current.kill(),
    failed,
    stop: async () => {
      stopping = true
      await current.stop()
      await watching
    },
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
