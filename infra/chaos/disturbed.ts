/** The run that faults strike: a stack of its own, its workers behind the fault proxy, and the plan carried out on it. */
import { setMaxListeners } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startStack } from '../stack.ts'
import type { Role } from '../worker.ts'
import { costsOf, type Costs } from './cost.ts'
import { strikers, type Strike, type World } from './faults.ts'
import { activitiesOf, settled } from './histories.ts'
import { read, type Note } from './notes.ts'
import type { Fault } from './plan.ts'
import { startFaultProxy, type FaultProxy } from './proxy.ts'
import { finish, openStack, type Finished } from './settle.ts'
import { execute, keepBusy, sweepId, sweepSpec, type SweepResult } from './work.ts'
import { keepWorkers, type Workers } from './workers.ts'

export interface Disturbance {
  readonly folder: string
  readonly faults: readonly Fault[]
  readonly roles: readonly Role[]
  /** Steps of each run. */
  readonly steps: number
  /** Strikes that have not happened so many seconds after they were due will not. */
  readonly patienceSeconds: number
  readonly signal: AbortSignal
  readonly report: (line: string) => void
}

export interface Disturbed extends Finished {
  readonly strikes: readonly Strike[]
  /** Why faults of the plan did not strike. */
  readonly missed: readonly string[]
  readonly sweeps: number
  readonly seconds: number
  readonly costs: Costs
  /** Lives of workers that ended although no fault was aimed at them. */
  readonly unordered: number
}

export async function disturb(given: Disturbance): Promise<Disturbed> {
  const { folder, report, roles } = given
  const quiet = () => {} // the stack reports every death of a server, and all of them are ordered
  const stack = await startStack({ folder: join(folder, 'stack'), ports: 'free', workers: [], report: quiet })
  let proxy: FaultProxy | null = null
  let workers: Workers | null = null
  const opened = await openStack(stack)
  const ended = new AbortController()
  const signal = AbortSignal.any([given.signal, ended.signal])
  setMaxListeners(0, signal) // every fault that waits for its time listens
  try {
    const s3Port = Number(new URL(stack.s3Endpoint ?? '').port)
    proxy = await startFaultProxy(s3Port)
    const env = { ...stack.env, AWS_ENDPOINT_URL_S3: proxy.url, PLACEBO_THREADS: '1' }
    workers = await keepWorkers({ folder: join(folder, 'workers'), roles, env })
    void Promise.race([stack.failed, workers.failed]).then((error) => ended.abort(error))
    await Promise.all(workers.all.map((worker) => worker.serves(signal)))
    report(`${workers.all.length} workers serve; ${given.faults.length} faults are planned`)
    const world: World = {
      folder,
      workers: workers.all,
      proxy,
      temporal: serverOf('temporal', Number(stack.temporalAddress.split(':')[1])),
      s3: serverOf('s3', s3Port),
      env,
      signal,
    }
    const begun = Date.now()
    const striking = strikeAll(world, given, begun)
    const sweeps = await keepBusy(async (number) => {
      report(`sweep ${number} begins`)
      const spec = sweepSpec(number, given.steps)
      const { failed } = await execute<SweepResult>(opened.client, 'sweep', sweepId(number), spec, signal)
      if (failed > 0) throw new Error(`sweep ${number}: ${failed} of its runs failed`)
    }, striking.over)
    const { strikes, missed } = await striking.done
    const seconds = (Date.now() - begun) / 1000
    report(`${sweeps} sweeps and ${strikes.length} strikes after ${seconds.toFixed(0)} s; counting`)
    const ids = Array.from({ length: sweeps }, (_, index) => sweepId(index + 1))
    await settled(opened.client, ids, signal)
    const activities = await activitiesOf(opened.client)
    const notes = (await Promise.all(workers.all.map(({ folder }) => read(folder)))).flat()
    const stored = storedOf(stack.storeUrl, proxy)
    // What the figures are made of, for whoever asks one of them why.
    await writeFile(join(folder, 'record.json'), JSON.stringify({ strikes, activities, notes }))
    checkNotes(notes, stored)
    const costs = costsOf(activities, notes, strikes, stored)
    const finished = await finish(opened, signal)
    return { ...finished, strikes, missed, sweeps, seconds, costs, unordered: workers.unordered() }
  } finally {
    ended.abort(new Error('over')) // what still waits to strike
    await workers?.stop()
    await proxy?.close()
    await opened.close()
    await stack.stop()
  }

  function serverOf(name: string, port: number): World['s3'] {
    const process = stack.processes.get(name)
    if (process === undefined)
      throw new Error(`the harness needs a server that it can kill: there is no ${name}`)
    return { process, port }
  }
}

/** Carries the plan out. `over`: nothing is left to strike. */
function strikeAll(world: World, { faults, patienceSeconds, report, signal }: Disturbance, begun: number) {
  let left = faults.length
  const missed: string[] = []
  const impatient = new AbortController()
  const latest = Math.max(0, ...faults.map(({ atSeconds }) => atSeconds))
  const timer = setTimeout(
    () => impatient.abort(new Error('nothing to strike')),
    (latest + patienceSeconds) * 1000,
  )
  const strikeOne = async (fault: Fault): Promise<(() => Strike)[]> => {
    try {
      await sleep(Math.max(0, begun + fault.atSeconds * 1000 - Date.now()), undefined, {
        signal: world.signal,
      })
      const within = { ...world, signal: AbortSignal.any([world.signal, impatient.signal]) }
      const strike = await strikers[fault.kind](within, fault)
      report(`struck: ${fault.kind}${strike().worker === null ? '' : ` of ${strike().worker}`}`)
      return [strike]
    } catch (error) {
      if (signal.aborted) throw error
      missed.push(`${fault.kind}, planned at ${fault.atSeconds.toFixed(0)} s: ${(error as Error).message}`)
      return []
    } finally {
      left -= 1
    }
  }
  const struck = Promise.all(faults.map(strikeOne)).finally(() => clearTimeout(timer))
  const done = struck.then((strikes) => ({ strikes: strikes.flat().map((strike) => strike()), missed }))
  done.catch(() => undefined) // nobody waits for it where the sweeps end first: they failed, or were told to stop
  return { over: () => left === 0, done }
}

/** When the server first had a key, by what the proxy saw. */
function storedOf(storeUrl: string, { stored }: FaultProxy): (key: string) => number | undefined {
  const { host, pathname } = new URL(storeUrl)
  const prefix = `/${host}${pathname.replace(/\/*$/, '/')}`
  return (key) => stored.get(prefix + key)
}

/** A drawing whose table is unknown, or unknown to the proxy, would be counted as harmless whatever it was. */
function checkNotes(notes: readonly Note[], stored: (key: string) => number | undefined): void {
  const drawings = notes.filter((note) => note.what === 'sample')
  const unknown = drawings.find(({ table }) => stored(table) === undefined)
  if (drawings.length === 0) throw new Error('the workers noted no drawing of rollouts')
  if (unknown !== undefined)
    throw new Error(`rollouts were drawn for ${unknown.table || 'no table'}, which was never stored`)
}
