/**
 * `worker.ts ROLE NAME FOLDER`: the worker as users run it, with a clock and a disk that can be wrong, and with notes of
 * what it began (notes.ts). Whatever else happens to it comes from outside.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { Context } from '@temporalio/activity'
import type { Store } from '../../activities/checkpoint/store.ts'
import type { Control, Engine } from '../../activities/engine/port.ts'
import { runWorker, type Role } from '../worker.ts'
import { files, write, type Attempt } from './notes.ts'

const [role, worker = '', folder = '.'] = process.argv.slice(2)
const at = (name: string) => join(folder, name)

/** By attempt: the table that it looked for first, which is its own, and when. A replay reads others later. */
const looked = new WeakMap<Context, { table: string; lookedMs: number }>()

function attemptOf(context: Context): Attempt {
  const { workflowExecution, activityId: activity, attempt } = context.info
  return {
    workflow: workflowExecution?.workflowId ?? '',
    run: workflowExecution?.runId ?? '',
    activity,
    attempt,
  }
}

/** Notes each attempt at its first question, and which table of rollouts it looks for. */
const watchedStore = (store: Store): Store =>
  new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        note(name, String(args[0]))
        return (value as (...given: unknown[]) => unknown).apply(target, args)
      }
    },
  })

function note(operation: string | symbol, key: string): void {
  const context = current()
  if (context === null) return
  const atMs = Date.now()
  if (!looked.has(context)) {
    looked.set(context, { table: '', lookedMs: 0 })
    write(folder, { what: 'begin', worker, atMs, ...attemptOf(context) })
    listen(context)
  }
  const isTable = operation === 'get' && /\/(rollouts|completions)-\d+\.parquet$/.test(key)
  if (isTable && looked.get(context)?.table === '') looked.set(context, { table: key, lookedMs: atMs })
}

/** Notes that an attempt was running when the worker was told to stop. */
function listen(context: Context): void {
  const { cancellationSignal: signal } = context
  const told = () => {
    if ((signal.reason as Error | undefined)?.message !== 'WORKER_SHUTDOWN') return
    write(folder, { what: 'told', worker, atMs: Date.now(), ...attemptOf(context) })
  }
  signal.addEventListener('abort', told, { once: true })
}

const progressed = new WeakSet<Context>()

/** Notes the first word of an attempt's computing; bringing weights is not yet computing. */
function watchedControl(control: Control): Control {
  const context = Context.current()
  return {
    signal: control.signal,
    progress: (at) => {
      if (at.phase !== 'load' && !progressed.has(context)) {
        progressed.add(context)
        write(folder, { what: 'progress', worker, atMs: Date.now(), ...attemptOf(context) })
      }
      control.progress(at)
    },
  }
}

/** Notes every drawing of rollouts. A step only reads its tables: it never comes here. */
const watchedEngine = (engine: Engine): Engine => ({
  domain: engine.domain,
  get busySeconds() {
    return engine.busySeconds
  },
  score: (...args) => engine.score(...args),
  update: (checkpoint, minibatches, objective, optimizer, plan, control) =>
    engine.update(checkpoint, minibatches, objective, optimizer, plan, watchedControl(control)),
  close: () => engine.close(),
  sample: (policy, prompts, decoding, control) => {
    const context = Context.current()
    const rollouts = prompts.reduce((sum, { samples }) => sum + samples.length, 0)
    const { table, lookedMs } = looked.get(context) ?? { table: '', lookedMs: 0 }
    const what = { what: 'sample', table, lookedMs, rollouts } as const
    write(folder, { ...what, worker, atMs: Date.now(), ...attemptOf(context) })
    return engine.sample(policy, prompts, decoding, watchedControl(control))
  },
})

/** The activity that asks; null outside of any, as when the worker starts. */
function current(): Context | null {
  try {
    return Context.current()
  } catch {
    return null
  }
}

function now(): number {
  const wrong = existsSync(at(files.clock)) ? readFileSync(at(files.clock), 'utf8') : '0'
  if (wrong !== '0' && !existsSync(at(files.clockStruck))) writeFileSync(at(files.clockStruck), wrong)
  return Date.now() + Number(wrong)
}

async function freeBytes(path: string): Promise<number> {
  if (existsSync(at(files.full))) {
    writeFileSync(at(files.fullStruck), '')
    return 0
  }
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

runWorker(role as Role, { store: watchedStore, engine: watchedEngine, now, freeBytes }).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
