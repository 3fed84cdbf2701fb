/**
 * A worker that is killed, or told to stop, at a chosen place: `doomed.ts ROLE PLAN FOLDER`. PLAN is a JSON array of
 * places, each a store operation by key or an engine call by count; each strikes once over all restarts, marked by a
 * file in FOLDER. What the engine did is written to FOLDER/calls, a line each. Everything else is the worker as users
 * run it.
 */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '../../activities/checkpoint/store.ts'
import type { Completion, Control, Engine } from '../../activities/engine/port.ts'
import { runWorker, type Role } from '../../infra/worker.ts'

export type Place = {
  readonly name: string
  /** SIGKILL unless said otherwise. */
  readonly signal?: 'SIGTERM'
} & (
  | { readonly create: string } // before the object whose key matches is written
  | { readonly update: number } // in the n-th update of any one process
  | { readonly sampled: number } // after the n-th completion of any one process
)

const [role, plan = '[]', folder = '.'] = process.argv.slice(2)
const places = JSON.parse(plan) as Place[]

const note = (what: string) => appendFileSync(join(folder, 'calls'), `${process.pid} ${what}\n`)

/** Strikes at the first of these places that has not struck; says whether one did. */
function strike(those: (place: Place) => boolean): boolean {
  const place = places.find((one) => those(one) && !existsSync(join(folder, `struck-${one.name}`)))
  if (place === undefined) return false
  writeFileSync(join(folder, `struck-${place.name}`), '')
  process.kill(process.pid, place.signal ?? 'SIGKILL')
  return true
}

const doomedStore = (store: Store): Store =>
  new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        // Tables are replaced, documents created: either is the moment before the object is there.
        if (name === 'create' || name === 'replace')
          strike((place) => 'create' in place && new RegExp(place.create).test(String(args[0])))
        return (value as (...given: unknown[]) => unknown).apply(target, args)
      }
    },
  })

/** The worker was told to stop: nothing more happens here until the activity hears of it. */
async function heard({ signal }: Control): Promise<void> {
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  signal.throwIfAborted()
}

let updates = 0
let samples = 0
const doomedEngine = (engine: Engine): Engine => ({
  domain: engine.domain,
  get busySeconds() {
    return engine.busySeconds
  },
  score: (...args) => engine.score(...args),
  close: () => engine.close(),
  async *sample(policy, prompts, decoding, control): AsyncGenerator<Completion> {
    note('begin sample')
    try {
      for await (const completion of engine.sample(policy, prompts, decoding, control)) {
        const { problem, occurrence } = prompts[completion.prompt]!.at
        note(`sampled ${policy.digest} ${problem} ${occurrence ?? 0} ${completion.sample}`)
        samples += 1
        yield completion
        if (strike((place) => 'sampled' in place && place.sampled <= samples)) await heard(control)
      }
    } finally {
      note('end sample')
    }
  },
  async update(checkpoint, minibatches, objective, optimizer, limits, control) {
    updates += 1
    note('begin update')
    try {
      const due = (place: Place) => 'update' in place && place.update <= updates
      if (strike((place) => due(place) && place.signal === 'SIGTERM')) await heard(control)
      const progress: Control['progress'] = (at) => {
        if (at.phase === 'update') strike(due)
        control.progress(at)
      }
      const { signal } = control
      return await engine.update(checkpoint, minibatches, objective, optimizer, limits, { signal, progress })
    } finally {
      note('end update')
    }
  },
})

await runWorker(role as Role, { store: doomedStore, engine: doomedEngine })
