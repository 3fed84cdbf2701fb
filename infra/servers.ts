/**
 * The two servers of the dev stack and how each is started, asked for its health, and prepared: Temporal's
 * development server with its data in one file, and versitygw with its objects as plain files. Both listen on the
 * loopback interface only; the S3 credentials are made once a folder and never stand on a command line.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as config from '../temporal.config.ts'

export const loopback = '127.0.0.1'
export const namespace = 'default'
export const bucket = 'placebo'

/** So many that no task waits for the next; a poll with nothing to do costs nothing, since none is made. */
const pollsASecond = 1000

export function temporalArguments(folder: string, port: number, uiPort: number): string[] {
  const attributes = Object.entries(config.searchAttributes).map(([name, type]) => `${name}=${type}`)
  return [
    'server',
    'start-dev',
    ...['--db-filename', join(folder, 'temporal.db'), '--ip', loopback, '--log-level', 'error'],
    ...['--port', String(port), '--ui-port', String(uiPort)],
    // Safe against a killed server; what a power cut takes from the log's end, a run finds again in its store.
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    // Fairness keys keep one model's sweep from starving the others; they need the new matcher.
    ...['--dynamic-config-value', 'matching.useNewMatcher=true'],
    ...['--dynamic-config-value', 'matching.enableFairness=true'],
    // Order is kept within a partition of a queue; a server for one machine needs no more than one.
    ...['--dynamic-config-value', 'matching.numTaskqueueReadPartitions=1'],
    ...['--dynamic-config-value', 'matching.numTaskqueueWritePartitions=1'],
    // Its one shard looks for tasks to hand out 20 times a second by default: 50 ms at every turn of every workflow.
    ...['--dynamic-config-value', `history.transferProcessorMaxPollRPS=${pollsASecond}`],
    ...['--dynamic-config-value', `history.timerProcessorMaxPollRPS=${pollsASecond}`],
    // Its HTTP port takes a request from any web page that is open on this machine, and cannot be turned off: the host
    // that it would answer is nobody's.
    ...['--dynamic-config-value', 'frontend.httpAllowedHosts=["nobody.invalid"]'],
    ...attributes.flatMap((attribute) => ['--search-attribute', attribute]),
  ]
}

/**
 * Retention, and the search attributes that a database of an older version lacks: start-dev adds none to an existing
 * one.
 */
export async function prepareNamespace(cli: string, address: string): Promise<void> {
  const operator = (...args: string[]) => call(cli, ['operator', ...args, '--namespace', namespace], address)
  await operator('namespace', 'update', '--retention', `${config.retentionDays * 24}h`)
  const listed = JSON.parse(await operator('search-attribute', 'list', '--output', 'json')) as {
    customAttributes?: Record<string, unknown>
  }
  for (const [name, type] of Object.entries(config.searchAttributes)) {
    if (name in (listed.customAttributes ?? {})) continue
    await operator('search-attribute', 'create', '--name', name, '--type', type)
  }
}

export async function temporalHealthy(cli: string, address: string): Promise<boolean> {
  const [host = loopback, port] = address.split(':')
  if (!(await listening(host, Number(port)))) return false
  return call(cli, ['operator', 'namespace', 'describe', '--namespace', namespace], address).then(
    () => true,
    () => false,
  )
}

/** The CLI against one address and nothing else: a profile of the user's must not redirect it. */
async function call(cli: string, args: string[], address: string): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
  const options = { env, timeout: 20_000 }
  const { stdout } = await promisify(execFile)(
    cli,
    [...args, '--address', address, '--disable-config-file'],
    options,
  )
  return stdout
}

export interface Credentials {
  readonly accessKey: string
  readonly secretKey: string
}

/** Made once a folder, in the AWS SDK's own file format, so that `AWS_SHARED_CREDENTIALS_FILE` can name the file. */
export async function credentialsIn(folder: string): Promise<Credentials> {
  const path = join(folder, 'credentials')
  const text = await readFile(path, 'utf8').catch(() => '')
  const found = (key: string) => new RegExp(`^${key} *= *(\\S+)$`, 'm').exec(text)?.[1]
  const [accessKey, secretKey] = [found('aws_access_key_id'), found('aws_secret_access_key')]
  if (accessKey !== undefined && secretKey !== undefined) return { accessKey, secretKey }
  const made = { accessKey: randomBytes(10).toString('hex'), secretKey: randomBytes(20).toString('hex') }
  const lines = [
    '[default]',
    `aws_access_key_id = ${made.accessKey}`,
    `aws_secret_access_key = ${made.secretKey}`,
  ]
  await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 })
  await chmod(path, 0o600) // a file that was there already keeps its mode otherwise
  return made
}

export const versitygwArguments = (folder: string, port: number) =>
  ['--port', `${loopback}:${port}`, '--quiet', 'posix', folder] as const

export const versitygwEnvironment = ({ accessKey, secretKey }: Credentials) => ({
  PATH: process.env['PATH'],
  ROOT_ACCESS_KEY_ID: accessKey,
  ROOT_SECRET_ACCESS_KEY: secretKey,
})

/** True if something accepts connections there. */
export function listening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 })
    const answer = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
    socket.once('timeout', () => answer(false))
  })
}

/** `wanted` if nobody has it, else (and for 0) one that nobody has now. */
export async function freePort(wanted: number): Promise<number> {
  return (await claim(wanted)) ?? (await claim(0)) ?? wanted
}

function claim(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, loopback, () => {
      const address = server.address()
      const taken = typeof address === 'object' && address !== null ? address.port : port
      server.close(() => resolve(taken))
    })
  })
}
