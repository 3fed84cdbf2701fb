/** How each kind of fault is made to strike. A strike is counted when its effect was seen, not when it was ordered. */
import { rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { listening, loopback } from '../servers.ts'
import type { Supervised } from '../supervise.ts'
import { files, read } from './notes.ts'
import type { Fault, Kind } from './plan.ts'
import type { FaultProxy, Hit, Order } from './proxy.ts'
import { breakUpload } from './upload.ts'
import type { Worker } from './workers.ts'

export interface World {
  readonly folder: string
  readonly workers: readonly Worker[]
  readonly proxy: FaultProxy
  readonly temporal: { readonly process: Supervised; readonly port: number }
  readonly s3: { readonly process: Supervised; readonly port: number }
  /** What a process needs to reach the stack through the proxy. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Until when faults may still strike. */
  readonly signal: AbortSignal
}

export interface Strike {
  readonly kind: Kind
  readonly atMs: number
  /** When what it struck worked again; null: unknown, or what it cost shows in the attempts that it cut off. */
  readonly endMs: number | null
  /** The worker that it struck; null: all of them. */
  readonly worker: string | null
  /** When the process that was killed or told to stop was gone. */
  readonly goneMs?: number
}

type Striker = (world: World, fault: Fault) => Promise<() => Strike>

/** Resolves when the fault has struck; the answer is asked for when all is over. */
export const strikers: Readonly<Record<Kind, Striker>> = {
  'worker SIGKILL': async (world, fault) => {
    const worker = pick(world.workers, fault)
    await sleep(3000 * fault.amount) // not always right after its start
    const death = await worker.kill(world.signal)
    return () => ({ kind: fault.kind, ...death, endMs: null, worker: worker.name })
  },
  'worker SIGTERM': async (world, fault) => {
    const worker = pick(world.workers, fault)
    await sleep(3000 * fault.amount)
    if (worker.role === 'compute') await computes(worker, world.signal)
    const death = await worker.terminate(world.signal)
    return () => ({ kind: fault.kind, ...death, endMs: null, worker: worker.name })
  },
  'Temporal server kill -9': ({ temporal, signal }, fault) => killServer(temporal, fault, signal),
  'S3 server kill -9': ({ s3, signal }, fault) => killServer(s3, fault, signal),
  // Fewer than the client's eight tries in a row, even if one client gets them all.
  'S3 answers 500': (world, fault) =>
    network(world, fault, { failure: 'error', times: 1 + Math.floor(4 * fault.amount), status: 500 }),
  'S3 answers 503 SlowDown': (world, fault) => {
    const times = 1 + Math.floor(4 * fault.amount)
    return network(world, fault, { failure: 'error', times, status: 503, code: 'SlowDown' })
  },
  'reset before the write': (world, fault) => network(world, fault, { failure: 'before', times: 1 }),
  'reset after the write': (world, fault) => network(world, fault, { failure: 'after', times: 1 }),
  'S3 stalls': (world, fault) =>
    network(world, fault, { failure: 'stall', times: 1, seconds: stallSeconds(fault) }),
  'body cut short': (world, fault) => network(world, fault, { failure: 'cut', times: 1 }),
  'cache disk full': async (world, fault) => {
    // Only what brings and makes weights needs room all the time.
    const worker = pick(
      world.workers.filter(({ role }) => role === 'compute'),
      fault,
    )
    await writeFile(join(worker.folder, files.full), '')
    await appears(join(worker.folder, files.fullStruck), world.signal)
    const atMs = Date.now()
    await sleep(1000 + 4000 * fault.amount)
    for (const name of [files.full, files.fullStruck]) await rm(join(worker.folder, name), { force: true })
    const endMs = Date.now()
    return () => ({ kind: fault.kind, atMs, endMs, worker: worker.name })
  },
  'clock jumps': async (world, fault) => {
    const worker = pick(
      world.workers.filter(({ role }) => role === 'compute'),
      fault,
    )
    const offsetMs = Math.round((2 * fault.amount - 1) * clockReachMs)
    await rm(join(worker.folder, files.clockStruck), { force: true })
    await writeFile(join(worker.folder, files.clock), String(offsetMs))
    await appears(join(worker.folder, files.clockStruck), world.signal)
    const atMs = Date.now() // it stays wrong until it jumps again
    return () => ({ kind: fault.kind, atMs, endMs: null, worker: worker.name })
  },
  'upload killed half-way': async (world, fault) => {
    const atMs = await breakUpload(world, fault.number)
    return () => ({ kind: fault.kind, atMs, endMs: atMs, worker: null })
  },
}

/** Two days either way: more than the day for which a stored blob is believed. */
const clockReachMs = 2 * 24 * 3600_000

/** The second of a plan outlasts the minute after which a client gives a silent connection up. */
const stallSeconds = ({ number, amount }: Fault) => (number === 1 ? 65 : 1 + 9 * amount)

const pick = (workers: readonly Worker[], { target }: Fault): Worker => {
  const worker = workers[Math.floor(target * workers.length)]
  if (worker === undefined) throw new Error('there is no worker to strike')
  return worker
}

async function killServer(server: World['s3'], { kind }: Fault, signal: AbortSignal): Promise<() => Strike> {
  await answers(server.port, signal) // it may still be starting after the last time
  const atMs = Date.now()
  server.process.kill()
  while (await listening(loopback, server.port)) await sleep(20)
  await answers(server.port, signal)
  const endMs = Date.now()
  return () => ({ kind, atMs, endMs, worker: null })
}

async function answers(port: number, signal: AbortSignal): Promise<void> {
  while (!(await listening(loopback, port))) {
    signal.throwIfAborted()
    await sleep(50)
  }
}

/** Asked for its end only when all is over: a request may be repeated long after it was struck. */
async function network({ proxy, signal }: World, { kind }: Fault, order: Order): Promise<() => Strike> {
  const hits = await proxy.strike(order, signal)
  const recovered = (of: readonly Hit[]) => of.map(({ recoveredMs }) => recoveredMs)
  return () => {
    const ends = recovered(hits).filter((ms) => ms !== null)
    const endMs = ends.length === 0 ? null : Math.max(...ends)
    return { kind, atMs: hits[0]?.atMs ?? 0, endMs, worker: null }
  }
}

/** Resolves when the worker has just begun to compute: between two activities there is nothing that a signal could stop. */
async function computes({ folder }: Worker, signal: AbortSignal): Promise<void> {
  const begun = async () => (await read(folder)).filter(({ what }) => what === 'progress').length
  const before = await begun()
  while ((await begun()) <= before) {
    signal.throwIfAborted()
    await sleep(20)
  }
}

async function appears(path: string, signal: AbortSignal): Promise<void> {
  while (!existsSync(path)) {
    signal.throwIfAborted()
    await sleep(100)
  }
}
