/**
 * Worker processes that die often: each is started again at once, whatever ended it, until all are stopped. One fault
 * at a time strikes a worker, and only one that serves: killing a process that is still starting would prove nothing.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { leash, type Leashed } from '../leash.ts'
import type { Role } from '../worker.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
const script = fileURLToPath(new URL('worker.ts', import.meta.url))

/** Deaths in a row that nobody ordered, after which a worker is given up: it would die for ever. */
const patience = 10

export interface Worker {
  readonly name: string
  readonly role: Role
  /** How the harness reaches it, and where it writes its notes. */
  readonly folder: string
  /** Resolves once it serves. */
  serves(signal: AbortSignal): Promise<void>
  /** kill -9 once it serves; resolves when the process is gone. */
  kill(signal: AbortSignal): Promise<Death>
  /** SIGTERM once it serves; resolves when the process is gone. */
  terminate(signal: AbortSignal): Promise<Death>
}

/** When the signal was sent, and when the process was gone. */
export interface Death {
  readonly atMs: number
  readonly goneMs: number
}

export interface Workers {
  readonly all: readonly Worker[]
  /** Lives that ended although nobody ordered it: a server was away when they started, say. */
  readonly unordered: () => number
  /** Resolves if one cannot be kept running. */
  readonly failed: Promise<Error>
  stop(): Promise<void>
}

export interface WorkersOptions {
  readonly folder: string
  readonly roles: readonly Role[]
  readonly env: Readonly<Record<string, string | undefined>>
}

export async function keepWorkers({ folder, roles, env }: WorkersOptions): Promise<Workers> {
  const lives: Life[] = []
  for (const [index, role] of roles.entries()) {
    const name = `${role}-${index + 1}`
    await mkdir(join(folder, name), { recursive: true })
    // Two caches, so that one worker's blobs are not always on another's disk, and each is shared by some.
    const cache = join(folder, `cache-${index % 2}`)
    lives.push(live(name, role, join(folder, name), { ...env, PLACEBO_CACHE: cache }))
  }
  return {
    all: lives,
    unordered: () => lives.reduce((sum, life) => sum + life.unordered(), 0),
    failed: Promise.race(lives.map((life) => life.failed)),
    stop: async () => void (await Promise.all(lives.map((life) => life.stop()))),
  }
}

type Life = Worker & Pick<Workers, 'failed' | 'stop' | 'unordered'>

function live(name: string, role: Role, folder: string, env: WorkersOptions['env']): Life {
  let [number, unordered, inARow] = [0, 0, 0]
  let [stopping, ordered] = [false, false]
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<Error>((resolve) => (fail = resolve))
  const log = () => join(folder, `${number}.log`)
  const start = (): Leashed => {
    number += 1
    ordered = false
    const args = ['--import', 'tsx', script, role, name, folder]
    return leash(process.execPath, args, { env, cwd: project, log: log(), graceSeconds: 20 })
  }
  let current = start()
  const watching = watch()
  let turn: Promise<unknown> = Promise.resolve()
  /** One after another, each on a worker that serves. */
  const inTurn = (signal: AbortSignal, action: () => Promise<void>): Promise<Death> => {
    const mine = turn.then(async () => {
      await serves(signal)
      const atMs = Date.now()
      const struck = current
      ordered = true
      await action()
      await struck.exited
      return { atMs, goneMs: Date.now() }
    })
    turn = mine.catch(() => undefined)
    return mine
  }
  return {
    name,
    role,
    folder,
    failed,
    serves,
    unordered: () => unordered,
    kill: (signal) => inTurn(signal, async () => current.kill()),
    // By the shell that is its parent: a number from a file may be another process's by now.
    terminate: (signal) => inTurn(signal, async () => void (await current.stop())),
    stop: async () => {
      stopping = true
      await current.stop()
      await watching
    },
  }

  async function serves(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const text = ordered ? '' : await readFile(log(), 'utf8').catch(() => '')
      if (text.includes('"worker started"')) return
      await sleep(100)
    }
  }

  async function watch(): Promise<void> {
    for (;;) {
      const code = await current.exited
      if (stopping) return
      if (!ordered) unordered += 1
      inARow = ordered ? 0 : inARow + 1
      if (inARow === patience) {
        fail(new Error(`${name} ended with code ${code}, ${patience} times in a row:\n${current.tail()}`))
        return
      }
      if (!ordered) await sleep(500)
      if (stopping) return
      current = start()
    }
  }
}
