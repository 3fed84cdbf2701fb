/**
 * A worker that is killed, hard, at a chosen place: `doomed.ts ROLE PLAN FOLDER`. PLAN is a JSON array of places, each a
 * store operation by key or an engine call by count; each strikes once over all restarts, marked by a file in FOLDER.
 * Everything else is the worker as users run it.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '../../activities/checkpoint/store.ts'
import type { Control, Engine } from '../../activities/engine/port.ts'
import { runWorker, type Role } from '../../infra/worker.ts'

export type Place =
  | { readonly name: string; readonly create: string } // before the object whose key matches is written
  | { readonly name: string; readonly update: number } // at the first progress of the n-th update of any one process

const [role, plan = '[]', folder = '.'] = process.argv.slice(2)
const places = JSON.parse(plan) as Place[]

function strike(name: string): void {
  const mark = join(folder, `struck-${name}`)
  if (existsSync(mark)) return
  writeFileSync(mark, '')
  process.kill(process.pid, 'SIGKILL')
}

const doomedStore = (store: Store): Store =>
  new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        // Tables are replaced, documents created: either is the moment before the object is there.
        if (name === 'create' || name === 'replace')
          for (const place of places)
            if ('create' in place && new RegExp(place.create).test(String(args[0]))) strike(place.name)
        return (value as (...given: unknown[]) => unknown).apply(target, args)
      }
    },
  })

let updates = 0
const doomedEngine = (engine: Engine): Engine => ({
  domain: engine.domain,
  sample: (...args) => engine.sample(...args),
  score: (...args) => engine.score(...args),
  close: () => engine.close(),
  update: (checkpoint, minibatches, objective, optimizer, limits, control) => {
    updates += 1
    const progress: Control['progress'] = (at) => {
      if (at.phase === 'update')
        for (const place of places) if ('update' in place && place.update <= updates) strike(place.name)
      control.progress(at)
    }
    return engine.update(checkpoint, minibatches, objective, optimizer, limits, {
      signal: control.signal,
      progress,
    })
  },
})

await runWorker(role as Role, { store: doomedStore, engine: doomedEngine })
