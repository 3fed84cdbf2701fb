/**
 * The dev stack: a Temporal server, an S3 server and workers, on loopback, with all their data in one folder.
 *
 * Started in the order of need and stopped in reverse, workers first, so that they can save. Nothing outlives this
 * process (leash.ts). Everything the workers know of it stands in `env`, which works for any other program, too.
 * Secrets: one file of mode 0600 in the folder, and the environment of the processes that need them.
 */
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { allocator } from './config.ts'
import { leash } from './leash.ts'
import { alive, tryLock } from './lock.ts'
import { provision } from './provision.ts'
import * as servers from './servers.ts'
import { supervise } from './supervise.ts'
import type { Supervised } from './supervise.ts'
import type { Role } from './worker.ts'

export interface StackOptions {
  readonly folder: string
  /** fixed: the well-known ones unless they are taken; free: whatever is free. */
  readonly ports: 'fixed' | 'free'
  readonly workers: readonly { readonly role: Role; readonly env?: Readonly<Record<string, string>> }[]
  /** A store to use instead of an S3 server of the stack's own; its credentials come from the environment. */
  readonly store?: string
  readonly report?: (line: string) => void
}

export interface Stack {
  readonly temporalAddress: string
  readonly uiUrl: string
  readonly storeUrl: string
  /** Where the S3 server answers; null where the store is a folder or somebody else's. */
  readonly s3Endpoint: string | null
  /** The Temporal CLI that the stack found or installed. */
  readonly cli: string
  /** What a program needs to reach this stack, secrets included: for children, never for a log. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** By name: temporal, s3, light, compute; a second worker of a role is compute-2. */
  readonly processes: ReadonlyMap<string, Supervised>
  /** Resolves if a process cannot be kept running. */
  readonly failed: Promise<Error>
  stop(): Promise<void>
}

const fixedPorts = { temporal: 7233, ui: 8233, s3: 7070 } as const
const project = fileURLToPath(new URL('..', import.meta.url))

export async function startStack(options: StackOptions): Promise<Stack> {
  const report = options.report ?? ((line: string) => console.error(line))
  const folder = resolve(options.folder)
  await privateFolder(folder, report)
  const unlock = await claimFolder(folder)
  await rm(join(folder, 'logs'), { recursive: true, force: true })
  await mkdir(join(folder, 'logs'))
  const processes = new Map<string, Supervised>()
  const stop = once(async () => {
    const all = [...processes.values()]
    const isServer = ({ name }: Supervised) => name === 'temporal' || name === 's3'
    await Promise.all(all.filter((process) => !isServer(process)).map((process) => process.stop()))
    await Promise.all(all.filter(isServer).map((process) => process.stop()))
    await rm(join(folder, 'stack.json'), { force: true })
    await unlock()
  })
  try {
    const [cli, versitygw] = await Promise.all([
      provision('temporal'),
      options.store === undefined ? provision('versitygw') : null,
    ])
    if (cli === null) throw new Error('the stack needs the Temporal CLI')
    const base: Base = { folder, report, ports: options.ports, processes }
    const [temporal, store] = await Promise.all([
      startTemporal(base, cli),
      options.store === undefined
        ? startStore(base, versitygw)
        : { url: options.store, endpoint: null, env: {} },
    ])
    const cache = process.env['PLACEBO_CACHE'] ?? join(folder, 'cache')
    const own = { ...temporal.env, ...store.env, PLACEBO_STORE: store.url, PLACEBO_CACHE: cache }
    const env = { ...allocator, ...inherited(), ...own }
    await Promise.all(
      workerNames(options.workers).map(({ name, role, env: own }) =>
        startWorker(base, name, role, { ...env, ...own }),
      ),
    )
    const addresses = {
      temporalAddress: temporal.address,
      uiUrl: temporal.uiUrl,
      storeUrl: store.url,
      s3Endpoint: store.endpoint,
      cli,
    }
    await writeDescription(folder, { pid: process.pid, ...addresses })
    return {
      ...addresses,
      env,
      processes,
      failed: Promise.race([...processes.values()].map((process) => process.failed)),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface Base {
  readonly folder: string
  readonly ports: StackOptions['ports']
  readonly processes: Map<string, Supervised>
  report(line: string): void
}

async function startTemporal(base: Base, cli: string) {
  const [port, uiPort] = [await portFor(base, 'temporal'), await portFor(base, 'ui')]
  const address = `${servers.loopback}:${port}`
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
  const log = join(base.folder, 'logs', 'temporal.log')
  const temporal = supervise({
    name: 'temporal',
    start: () =>
      leash(cli, servers.temporalArguments(base.folder, port, uiPort), { env, log, graceSeconds: 10 }),
    healthy: () => servers.temporalHealthy(cli, address),
    healthyWithinMs: 60_000,
    report: (line) => base.report(line),
  })
  base.processes.set('temporal', temporal)
  await temporal.ready
  await servers.prepareNamespace(cli, address)
  const profile = join(base.folder, 'temporal.toml')
  await writeFile(profile, `[profile.default]\naddress = "${address}"\nnamespace = "${servers.namespace}"\n`)
  return {
    address,
    uiUrl: `http://${servers.loopback}:${uiPort}`,
    env: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: servers.namespace, TEMPORAL_CONFIG_FILE: profile },
  }
}

async function startStore(base: Base, versitygw: string | null) {
  if (versitygw === null) {
    const url = pathToFileURL(join(base.folder, 'store')).href
    base.report(`No S3 server could be had: the store is a folder, ${url}`)
    return { url, endpoint: null, env: {} }
  }
  const port = await portFor(base, 's3')
  const credentials = await servers.credentialsIn(base.folder)
  const objects = join(base.folder, 's3')
  await mkdir(join(objects, servers.bucket), { recursive: true }) // a folder of the gateway's root is a bucket
  const s3 = supervise({
    name: 's3',
    start: () =>
      leash(versitygw, servers.versitygwArguments(objects, port), {
        env: servers.versitygwEnvironment(credentials),
        log: join(base.folder, 'logs', 's3.log'),
        graceSeconds: 10,
      }),
    healthy: () => servers.listening(servers.loopback, port),
    healthyWithinMs: 20_000,
    report: (line) => base.report(line),
  })
  base.processes.set('s3', s3)
  await s3.ready
  const endpoint = `http://${servers.loopback}:${port}`
  const env = {
    AWS_ACCESS_KEY_ID: credentials.accessKey,
    AWS_SECRET_ACCESS_KEY: credentials.secretKey,
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: endpoint,
    // No credentials but these: a cloud machine's own must not be asked for.
    AWS_EC2_METADATA_DISABLED: 'true',
    // The SDK prefers a profile and completes keys with a token: both would be somebody else's.
    AWS_PROFILE: undefined,
    AWS_SESSION_TOKEN: undefined,
  }
  return { url: `s3://${servers.bucket}`, endpoint, env }
}

async function startWorker(base: Base, name: string, role: Role, env: Record<string, string | undefined>) {
  const log = join(base.folder, 'logs', `${name}.log`)
  const worker = supervise({
    name,
    start: () => {
      const args = ['--import', 'tsx', join(project, 'infra', 'worker.ts'), '--role', role]
      return leash(process.execPath, args, { env, cwd: project, log, graceSeconds: 20 })
    },
    healthy: async () => (await readFile(log, 'utf8')).includes('"worker started"'),
    healthyWithinMs: 60_000,
    report: (line) => base.report(line),
  })
  base.processes.set(name, worker)
  await worker.ready
}

/** light, light-2, compute: what logs and messages call each worker. */
function workerNames(workers: StackOptions['workers']) {
  const seen = new Map<Role, number>()
  return workers.map((worker) => {
    const number = (seen.get(worker.role) ?? 0) + 1
    seen.set(worker.role, number)
    return { ...worker, name: number === 1 ? worker.role : `${worker.role}-${number}` }
  })
}

async function portFor(base: Base, server: keyof typeof fixedPorts): Promise<number> {
  if (base.ports === 'free') return servers.freePort(0)
  const wanted = fixedPorts[server]
  const port = await servers.freePort(wanted)
  if (port !== wanted) base.report(`Port ${wanted} (${server}) is taken, using ${port}`)
  return port
}

/** What another process may know of a running stack: `npm run temporal` reads it. No secrets. */
export interface StackDescription {
  readonly pid: number
  readonly temporalAddress: string
  readonly uiUrl: string
  readonly storeUrl: string
  readonly s3Endpoint: string | null
  readonly cli: string
}

async function writeDescription(folder: string, description: StackDescription): Promise<void> {
  await writeFile(join(folder, 'stack.json'), `${JSON.stringify(description, null, 2)}\n`)
}

/** The stack that runs in a folder, or null; a file left behind by a killed one names a process that is gone. */
export async function runningStack(folder: string): Promise<StackDescription | null> {
  const text = await readFile(join(folder, 'stack.json'), 'utf8').catch(() => null)
  if (text === null) return null
  const description = JSON.parse(text) as StackDescription
  return alive(description.pid) ? description : null
}

/** Of a stack: what its servers and workers leave there is one user's. */
const [ownerOnly, others] = [0o700, 0o077]

/** Makes the folder for this user alone. One of a stack that others could look into is mended; of any other it is said. */
async function privateFolder(folder: string, report: (line: string) => void): Promise<void> {
  await mkdir(folder, { recursive: true, mode: ownerOnly })
  const { mode } = await stat(folder)
  if ((mode & others) === 0) return
  const was = `${folder}: other users of this machine may look into it (mode ${(mode & 0o777).toString(8)})`
  const names = await readdir(folder)
  const isStacks =
    names.length === 0 || names.some((name) => /^(temporal\.db|credentials|stack\.json)$/.test(name))
  if (!isStacks) return report(`${was}; chmod 700 keeps them out`)
  await chmod(folder, ownerOnly).then(
    () => report(`${was}: now only you do`),
    (error: Error) => report(`${was}, and it stays so: ${error.message}`),
  )
}

/** Two servers on one database file would ruin it. */
async function claimFolder(folder: string): Promise<() => Promise<void>> {
  const lock = await tryLock(join(folder, 'stack.lock'))
  if ('heldBy' in lock)
    throw new Error(`${folder}: a stack runs there already (process ${lock.heldBy}); stop it first`)
  return lock.release
}

/** The environment without what would lead a worker to somebody else's Temporal server. */
function inherited(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TEMPORAL|npm)_/.test(name)))
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  return () => (running ??= action())
}
