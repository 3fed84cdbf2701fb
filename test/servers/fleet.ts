/** Workers of a test on one Temporal server, started again whenever they end, with a store of their own in a folder. */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { leash, type Leashed } from '../../infra/leash.ts'
import { startStack, type Stack } from '../../infra/stack.ts'
import type { Role } from '../../infra/worker.ts'
import type { Place } from './doomed.ts'

export interface Grounds {
  readonly folder: string
  readonly stack: Stack
  readonly client: Client
  close(): Promise<void>
}

/** A Temporal server without workers, and a client of it. */
export async function startGrounds(name: string): Promise<Grounds> {
  const folder = await mkdtemp(join(tmpdir(), `placebo-${name}-`))
  const stack = await startStack({
    folder: join(folder, 'stack'),
    ports: 'free',
    workers: [],
    store: pathToFileURL(join(folder, 'unused')).href,
    report: () => {},
  })
  const connection = await Connection.connect({ address: stack.temporalAddress })
  return {
    folder,
    stack,
    client: new Client({ connection }),
    close: async () => {
      await connection.close()
      await stack.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface FleetWorker {
  readonly role: Role
  /** Exit codes of the processes that ended by themselves, in order. */
  readonly ends: number[]
  /** SIGTERM, and no other is started. Resolves with the exit code. */
  stop(): Promise<number>
  /** No other is started when it ends. Resolves with the exit code. */
  last(): Promise<number>
}

export class Fleet {
  readonly home: string
  readonly #grounds: Grounds
  readonly #workers: FleetWorker[] = []
  #fail: (error: Error) => void = () => {}
  /** Rejects when a worker ends as it should not. */
  readonly broken: Promise<never> = new Promise((_, reject) => (this.#fail = reject))

  constructor(grounds: Grounds, name: string) {
    this.#grounds = grounds
    this.home = join(grounds.folder, name)
    this.broken.catch(() => {})
  }

  /** Another worker, with what is to happen to it. Two of one fleet share the store; `cache` keeps their disks apart. */
  async add(
    role: Role,
    plan: readonly Place[] = [],
    cache = 'cache',
    more: Readonly<Record<string, string>> = {},
  ): Promise<FleetWorker> {
    await mkdir(this.home, { recursive: true })
    const script = fileURLToPath(new URL('./doomed.ts', import.meta.url))
    const env = {
      ...this.#grounds.stack.env,
      PLACEBO_STORE: pathToFileURL(join(this.home, 'store')).href,
      PLACEBO_CACHE: join(this.home, cache),
      PLACEBO_THREADS: '1',
      ...more,
    }
    const start = (): Leashed =>
      leash(process.execPath, ['--import', 'tsx', script, role, JSON.stringify(plan), this.home], {
        env,
        log: join(this.home, `${role}-${cache}.log`),
        graceSeconds: 20,
      })
    let stopping = false
    let current = start()
    const ends: number[] = []
    const watch = async () => {
      for (;;) {
        const code = await current.exited
        if (stopping) return
        ends.push(code)
        if (code !== 137 && code !== 0)
          return this.#fail(new Error(`${role} ended with ${code}: ${current.tail()}`))
        current = start()
      }
    }
    void watch()
    const stop = () => ((stopping = true), current.stop())
    const last = () => ((stopping = true), current.exited)
    const worker = { role, ends, stop, last }
    this.#workers.push(worker)
    return worker
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()))
  }

  /** The result, or why there is none. */
  orBroken<T>(result: Promise<T>): Promise<T> {
    return Promise.race([result, this.broken])
  }

  /** What the engines of all workers did, in order of their words. */
  async calls(): Promise<string[]> {
    return (await readFile(join(this.home, 'calls'), 'utf8')).trimEnd().split('\n')
  }

  async json(...path: string[]): Promise<unknown> {
    return JSON.parse(await readFile(join(this.home, 'store', ...path), 'utf8'))
  }

  /** Every manifest and metrics file of a run, by path; provenance says who and when, so it may differ. */
  async documentsOf(run: string): Promise<Map<string, string>> {
    const prefix = join(this.home, 'store', 'runs', run)
    const names = await readdir(prefix, { recursive: true })
    const compared = names.filter(
      (name) => name.endsWith('.json') && !name.endsWith('provenance.json') && name !== 'run.json',
    )
    return new Map(
      await Promise.all(
        compared.sort().map(async (name) => [name, await readFile(join(prefix, name), 'utf8')] as const),
      ),
    )
  }
}
