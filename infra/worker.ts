/**
 * `npm run worker -- --role light|compute`: one worker process against whatever Temporal server and store the
 * environment names. `light` runs workflows and everything that needs no model; `compute` has the one compute slot,
 * for the queue that all share and for its own, where runs go on whose state it holds.
 *
 * It refuses to start when the server or the store does not answer, and stops where the runs that it is given lie in
 * another store. On SIGTERM running activities save at their next safe point, and the process exits 0. Needs nothing on
 * its disk but a cache.
 */
import { randomUUID } from 'node:crypto'
import { statfs } from 'node:fs/promises'
import { hostname } from 'node:os'
import { Client } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import type { WorkerOptions } from '@temporalio/worker'
import { attributesOf } from '../activities/attributes.ts'
import { openBlobs } from '../activities/checkpoint/cache.ts'
import type { WrongStore } from '../activities/checkpoint/faults.ts'
import { checkStore, openStore } from '../activities/checkpoint/open.ts'
import type { Store } from '../activities/checkpoint/store.ts'
import { EmbeddedEngine } from '../activities/engine/embedded.ts'
import type { Engine } from '../activities/engine/port.ts'
import { computeActivities, lightActivities } from '../activities/index.ts'
import type { Deps } from '../activities/deps.ts'
import { homeOf, otherStores } from '../activities/home.ts'
import { openReader } from '../activities/reading/pool.ts'
import { inSlot, Slot } from '../activities/slot.ts'
import * as config from '../temporal.config.ts'
import { lacking } from '../workflows/attributes.ts'
import { workflowBundle } from './bundle.ts'
import { readConfig } from './config.ts'
import { JsonLogger } from './log.ts'
import { isProgram, oneOf, runProgram, type Called } from './program.ts'

export const roles = ['light', 'compute'] as const
export type Role = (typeof roles)[number]

/** What a test puts between the worker and its parts, to make them fail. */
export interface Tampering {
  readonly store: (store: Store) => Store
  readonly engine: (engine: Engine) => Engine
  /** The clock, and what the cache is told of its disk: the machine's own unless given. */
  readonly now?: () => number
  readonly freeBytes?: (folder: string) => Promise<number>
}

/** Serves one role until the process is told to stop. */
export async function runWorker(role: Role, tampering?: Tampering): Promise<void> {
  let stop = (): void => process.exit(0) // nothing runs yet
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop())
  const settings = readConfig(process.env)
  const { store: url, dataFolder, allow, threads, residentBytes, hub } = settings
  const logger = new JsonLogger(process.stdout)
  Runtime.install({
    logger,
    shutdownSignals: [], // the SDK's own handlers let a second signal cut the drain short
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN' }) } },
  })
  const { reached, storeId } = await reach(url)
  const store = tampering?.store(reached) ?? reached
  const now = tampering?.now ?? Date.now
  const { connection, namespace } = await connect()
  const blobs = openBlobs(store, settings.cache, {
    limitBytes: settings.cacheLimitBytes,
    floorBytes: settings.cacheFloorBytes,
    freeBytes: tampering?.freeBytes ?? freeBytesOf,
    now,
  })
  const client = new Client({ connection, namespace })
  const engine =
    role === 'compute'
      ? tamper(new EmbeddedEngine({ blobs, threads, residentBytes, now: () => performance.now() }), tampering)
      : null
  const reader = openReader()
  const identity = `${role}@${hostname()}:${process.pid}`
  const queue = engine === null ? null : `${config.taskQueues.compute}:${randomUUID()}`
  const own = { identity, queue, storeId, now, machine: { threads, memoryBytes: settings.memoryBytes } }
  const deps = { store, blobs, client, reader, dataFolder, allow, hub, ...own }
  let elsewhere: WrongStore | null = null
  const leave = (error: WrongStore) => {
    elsewhere = error
    setImmediate(() => stop()) // once the task is handed back
  }
  const home = homeOf({ storeId, url: store.url, leave })
  try {
    const version = versionOf(settings.buildId)
    const options =
      engine === null
        ? [{ ...lightWorker({ ...deps, engine }, await workflowBundle(), home), ...version }]
        : computeWorkers({ ...deps, engine }, version, home)
    const workers = await Promise.all(
      options.map((own) => Worker.create({ ...own, connection, namespace, identity })),
    )
    stop = () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown()
    }
    // What ends one queue's worker ends the process, after the others have stopped as they should.
    const running = workers.map((worker) => worker.run().finally(stop))
    logger.info('worker started', { role, taskQueue: config.taskQueues[role], namespace, store: store.url })
    void warnOfOthers(client, logger, store.url, storeId)
    void warnOfMissing(client, logger)
    await Promise.allSettled(running)
    await Promise.all(running)
    if (elsewhere !== null) throw elsewhere as WrongStore
  } finally {
    logger.flush()
    await reader.close()
    await engine?.close()
    await store.close()
    await connection.close()
  }
}

/** Bytes of a folder's disk that this user may still write. */
async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

const tamper = (engine: Engine, tampering?: Tampering) => tampering?.engine(engine) ?? engine

const shared = {
  shutdownGraceTime: 0, // activities are told at once, and stop where it costs least
  shutdownForceTime: config.worker.shutdownForceTime,
  // `temporal workflow describe` shows a heartbeat's details this fresh.
  maxHeartbeatThrottleInterval: config.worker.heartbeatEveryMs,
  defaultHeartbeatThrottleInterval: config.worker.heartbeatEveryMs,
} satisfies Partial<WorkerOptions>

/** A run stays with the build that began it; which build begins runs is said by `temporal worker deployment`. */
function versionOf(buildId: string | null): Partial<WorkerOptions> {
  if (buildId === null) return {}
  const version = { deploymentName: config.deploymentName, buildId }
  return {
    workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' },
  }
}

type AtHome = ReturnType<typeof homeOf>

/** Runs that this worker cannot do anything for, said where somebody may still look: at its start. */
async function warnOfOthers(client: Client, logger: JsonLogger, url: string, storeId: string): Promise<void> {
  const others = await otherStores(client, config.taskQueues.light, storeId).catch(
    () => new Map<string, string>(),
  )
  for (const [other, run] of others) {
    const message = `open runs on this queue lie in another store: ${run} in ${other}, this worker has ${storeId}`
    logger.warn(message, { run, theirs: other, ours: storeId, store: url })
  }
}

/** Workflows do without search attributes that the namespace lacks; queries for them find nothing. */
async function warnOfMissing(client: Client, logger: JsonLogger): Promise<void> {
  const { missing } = await attributesOf(client).catch(() => ({ missing: [] }))
  if (missing.length > 0) logger.warn(lacking(missing), { namespace: client.options.namespace })
}

function lightWorker(deps: Deps, bundle: { readonly codePath: string }, home: AtHome): WorkerOptions {
  return {
    ...shared,
    taskQueue: config.taskQueues.light,
    workflowBundle: bundle,
    activities: home(lightActivities(deps)),
    maxConcurrentActivityTaskExecutions: config.worker.lightSlots,
    maxCachedWorkflows: config.worker.maxCachedWorkflows,
    stickyQueueScheduleToStartTimeout: config.worker.stickyQueueScheduleToStartTimeout,
  }
}

/**
 * Both queues' workers feed one slot: Temporal's own count is by worker. The process's own queue has no version: what
 * comes to it was sent to this process, and a version may have only so many queues.
 */
function computeWorkers(
  deps: Deps & { readonly engine: Engine },
  version: Partial<WorkerOptions>,
  home: AtHome,
): WorkerOptions[] {
  const activities = home(inSlot(computeActivities(deps), new Slot(), config.worker.slotPatienceMs))
  const maxConcurrentActivityTaskExecutions = config.worker.computeSlots
  const common = { ...shared, activities, maxConcurrentActivityTaskExecutions }
  return [
    { ...common, ...version, taskQueue: config.taskQueues.compute },
    ...(deps.queue === null ? [] : [{ ...common, taskQueue: deps.queue }]),
  ]
}

/** The store, if it answers: a wrong bucket or key must show now, not in the first activity. */
async function reach(url: string): Promise<{ reached: Store; storeId: string }> {
  try {
    const reached = await openStore(url)
    return { reached, storeId: await checkStore(reached) }
  } catch (cause) {
    throw new Error(`PLACEBO_STORE=${url}: the store cannot be used (${messageOf(cause)})`, { cause })
  }
}

async function connect(): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig()
  const address = connectionOptions.address ?? 'localhost:7233'
  const connection = await NativeConnection.connect({ ...connectionOptions, address }).catch(
    (cause: unknown) => {
      throw new Error(`TEMPORAL_ADDRESS=${address}: no Temporal server answers (${messageOf(cause)})`, {
        cause,
      })
    },
  )
  return { connection, namespace }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const program = {
  name: 'worker',
  usage: `npm run worker -- --role light|compute

One worker process, until it is told to stop (SIGTERM or Ctrl-C), against what the environment names:
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE  the Temporal server; TEMPORAL_* and profiles as for the CLI
  PLACEBO_STORE                         s3://bucket/prefix or file:///folder; credentials by AWS_*
  PLACEBO_ALLOW                         folders and s3:// prefixes that a spec may name, separated by commas
README.md lists the others.
  --role      light: workflows, rewards, reports; compute: sampling and training, one slot a process
  --help, -h  this text`,
  options: { role: { type: 'string' } },
} as const

async function main({ values }: Called<typeof program.options>): Promise<number> {
  await runWorker(oneOf('--role', roles, values.role))
  return 0
}

if (isProgram(import.meta.filename)) runProgram(program, main)
