/**
 * `npm run -s progress -- ID [--watch] [--json]`: what a workflow says of itself, joined with what the server knows of it:
 * activities with attempts, last failures and heartbeats, its children, and who polls the queues that it waits for. A
 * workflow that has ended says how, and its failure's innermost sentence. Leaves out metrics and results (the CLI's).
 */
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { childrenOf, pendingOf, type Pending } from '../activities/pending.ts'
import { taskQueues } from '../temporal.config.ts'
import type { Doing } from '../workflows/progress.ts'
import { sentenceOf } from '../workflows/standstill.ts'
import { addressOption, addressUsage, columns, connectClient, localStacks } from './connect.ts'
import { essentialsOf } from './essentials.ts'
import { failureOf } from './failure.ts'
import { isProgram, runProgram, type Called } from './program.ts'

const program = {
  name: 'progress',
  usage: `npm run -s progress -- ID [--watch] [--json]

How far a workflow is, what it waits for, and why; of one that has ended, what it came to.
  --watch     again every 2 s, until it has ended
  --json      one JSON object a look, for machines
${addressUsage}
  --help, -h  this text`,
  options: { watch: { type: 'boolean' }, json: { type: 'boolean' }, ...addressOption },
  words: { what: 'one workflow id', least: 1, most: 1 },
} as const

export interface Queue {
  readonly name: string
  readonly kind: 'workflows' | 'activities'
  readonly pollers: number
  /**
   * Since one of them asked last, in seconds; absent where nobody did. A worker asks at least once a minute, and the server
   * remembers who asked for some five: a worker that was stopped stays among the pollers that long.
   */
  readonly lastPollSeconds?: number
  /** Tasks that wait, about. */
  readonly backlog: number
}

export interface Snapshot {
  readonly workflowId: string
  readonly runId: string
  readonly type: string
  readonly status: string
  readonly started: string
  readonly closed?: string
  /** Of one that ended otherwise than it should: the innermost cause. */
  readonly failure?: string
  /** Of one that completed. */
  readonly result?: unknown
  /** Its own answer to the query `progress`; null where there was none in time, and then why. */
  readonly progress: (Doing & Readonly<Record<string, unknown>>) | null
  readonly silent?: string
  readonly pending: readonly Pending[]
  readonly children: readonly { readonly workflowId: string; readonly type: string; readonly doing: string }[]
  readonly queues: readonly Queue[]
}

/** Children that one look asks: of a wide sweep the first. */
const maxChildren = 20
const patienceMs = 5000

export async function snapshot(client: Client, workflowId: string): Promise<Snapshot> {
  const handle = client.workflow.getHandle(workflowId)
  const description = await handle.describe().catch((error: unknown) => {
    if (!(error instanceof WorkflowNotFoundError)) throw error
    throw new Error(
      `there is no workflow ${workflowId} in namespace ${client.options.namespace}, or it is past its retention`,
    )
  })
  const { runId, type, startTime, closeTime, taskQueue } = description
  const status = description.status.name
  const own = { workflowId, runId, type, status, started: startTime.toISOString() }
  if (status !== 'RUNNING') {
    const isDone = status === 'COMPLETED'
    const failure = isDone ? null : await failureOf(handle.result())
    const ended = {
      ...(closeTime && { closed: closeTime.toISOString() }),
      ...(failure !== null && { failure }),
      ...(isDone && { result: (await handle.result()) as unknown }),
    }
    return { ...own, ...ended, progress: null, pending: [], children: [], queues: [] }
  }
  const [answer, children, queues] = await Promise.all([
    progressOf(client, workflowId),
    Promise.all(
      childrenOf(description)
        .slice(0, maxChildren)
        .map((child) => childOf(client, child)),
    ),
    Promise.all([
      queueOf(client, taskQueue, 'workflows'),
      queueOf(client, taskQueues.light, 'activities'),
      queueOf(client, taskQueues.compute, 'activities'),
    ]),
  ])
  return { ...own, ...answer, pending: pendingOf(description, Date.now()), children, queues }
}

async function progressOf(
  client: Client,
  workflowId: string,
): Promise<Pick<Snapshot, 'progress' | 'silent'>> {
  try {
    const query = () => client.workflow.getHandle(workflowId).query<Snapshot['progress'], []>('progress')
    return { progress: await client.withDeadline(Date.now() + patienceMs, query) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { progress: null, silent: /registered/i.test(message) ? 'it has no such query' : message }
  }
}

async function childOf(client: Client, child: { workflowId: string; type: string }) {
  const { workflowId, type } = child
  try {
    const description = await client.workflow.getHandle(workflowId).describe()
    const { sentence } = sentenceOf(pendingOf(description, Date.now()))
    const { progress } = await progressOf(client, workflowId)
    const far = progress === null ? [] : [farOf(progress)]
    const doing = [...far, ...(sentence === null ? [] : [sentence])].filter((part) => part !== '').join('; ')
    return { workflowId, type, doing: doing || description.status.name.toLowerCase() }
  } catch (error) {
    return { workflowId, type, doing: error instanceof Error ? error.message : String(error) }
  }
}

async function queueOf(client: Client, name: string, kind: Queue['kind']): Promise<Queue> {
  const { pollers, stats } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name },
    taskQueueType: kind === 'workflows' ? 1 : 2, // TaskQueueType
    reportStats: true,
  })
  const backlog = Number(stats?.approximateBacklogCount ?? 0)
  const asked = (pollers ?? []).map(({ lastAccessTime }) => 1000 * Number(lastAccessTime?.seconds ?? 0))
  const last = asked.length === 0 ? {} : { lastPollSeconds: Math.max(0, Math.round((Date.now() - Math.max(...asked)) / 1000)) } // prettier-ignore
  return { name, kind, pollers: asked.length, ...last, backlog }
}

/** A poll that finds nothing is answered within a minute, and the next one follows. */
const silentSeconds = 75

/** The workflow's own words, whatever its type. */
function farOf(progress: Readonly<Record<string, unknown>>): string {
  const given = (name: string) => {
    const value = progress[name]
    return typeof value === 'string' || typeof value === 'number' ? value : undefined
  }
  const [phase, step, done, parts, update] = ['phase', 'step', 'done', 'parts', 'update'].map(given)
  const total = given('steps') ?? given('total') ?? given('updates')
  const what = step === undefined ? '' : 'step '
  const count = step ?? done ?? parts ?? update
  const failed = given('failed') ? `${given('failed')} failed` : undefined
  const pace = [
    [given('secondsAStep'), 'step'],
    [given('secondsARun'), 'run'],
  ].find(([seconds]) => seconds !== undefined)
  return [
    phase,
    count === undefined ? undefined : `${what}${count}${total === undefined ? '' : ` of ${total}`}`,
    failed,
    pace && `${Number(pace[0]).toPrecision(3)} s a ${pace[1]}`,
    // What stands still ends later than it said.
    given('endsAt') && Date.parse(String(given('endsAt'))) > Date.now() && `done about ${given('endsAt')}`,
  ]
    .filter((part) => part !== undefined && part !== '' && part !== false)
    .join(', ')
}

const ago = (ms: number) => (ms === 0 ? '' : `${Math.max(0, Math.round((Date.now() - ms) / 1000))} s ago`)

/** Where objects of the store are to be found, by their keys, and how the CLI is told of the server. */
interface Where {
  readonly placed: (key: string) => string
  readonly told: string
}
const nowhere: Where = { placed: (key) => `${key} in the store`, told: '' }

/** The same for people. */
export function textOf(at: Snapshot, { placed, told }: Where = nowhere): string {
  const { progress, pending, children, queues } = at
  const ended = at.closed === undefined ? '' : `, ended ${at.closed}`
  const head = `${at.workflowId}  ${at.type}  ${at.status.toLowerCase()}  started ${at.started}${ended}`
  const pendingRows = pending.map((one) => [
    one.activity,
    String(one.attempt),
    one.state,
    ago(one.sinceMs),
    one.at === undefined ? '' : `${one.at.phase}, ${one.at.done} of ${one.at.total}`,
    one.failure === undefined
      ? ''
      : `${one.failure.fault}: ${one.failure.message.replaceAll(/\s+/g, ' ').slice(0, 120)}`,
  ])
  const queueRows = queues.map((one) => [
    one.name,
    one.kind,
    String(one.pollers),
    one.lastPollSeconds === undefined ? '' : `${one.lastPollSeconds} s ago`,
    String(one.backlog),
    pollsOf(one),
  ])
  return [
    head,
    ...(at.failure === undefined ? [] : [at.failure]),
    ...essentialsOf(at.result, placed),
    ...(at.result === undefined
      ? []
      : [`All of it: npm run -s temporal -- workflow result --workflow-id ${at.workflowId}${told}`]),
    ...(progress === null ? [] : [farOf(progress), ...said(progress)]),
    ...(at.silent === undefined ? [] : [`It does not answer the query: ${at.silent}`]),
    ...table(['activity', 'attempt', 'state', 'since', 'progress', 'last failure'], pendingRows),
    ...table(['child', 'type', 'doing'], children.map((one) => [one.workflowId, one.type, one.doing])), // prettier-ignore
    ...table(['queue', 'kind', 'pollers', 'last poll', 'backlog', ''], queueRows),
  ].join('\n')
}

function pollsOf({ name, pollers, lastPollSeconds = 0 }: Queue): string {
  if (pollers === 0) return `nobody polls queue ${name}: no worker is there, or all are at work for minutes`
  if (lastPollSeconds <= silentSeconds) return ''
  return `nobody has polled queue ${name} for ${lastPollSeconds} s: its workers were stopped, or are at work`
}

/** What stands still, in the workflow's words. */
function said({ doing, since, lastError, failing, notes }: NonNullable<Snapshot['progress']>): string[] {
  return [
    ...(doing === undefined ? [] : [`${doing}; no result since ${since}`]),
    ...(failing === undefined ? [] : [`${failing.activity} fails since ${failing.since}: ${lastError}`]),
    ...(Array.isArray(notes) ? notes.map(String) : []),
  ]
}

const table = (header: string[], rows: string[][]) =>
  rows.length === 0 ? [] : ['', ...columns([header, ...rows])]

async function main({ values, words: [workflowId = ''] }: Called<typeof program.options>): Promise<number> {
  const { client, close } = await connectClient(values.address)
  const told = values.address === undefined ? '' : ` --address ${values.address}`
  const where = { placed: await placesOf(values.address), told }
  try {
    for (;;) {
      const now = await snapshot(client, workflowId)
      if (values.watch && process.stdout.isTTY && !values.json) process.stdout.write('\x1b[2J\x1b[H')
      console.log(values.json ? JSON.stringify(now) : textOf(now, where))
      if (!values.watch || now.status !== 'RUNNING') return 0
      if (!values.json) console.log('')
      await sleep(2000)
    }
  } finally {
    await close()
  }
}

/** Objects of a stack that runs here are files here; of any other store, the key is all that is known. */
async function placesOf(address: string | undefined): Promise<(key: string) => string> {
  const stacks = await localStacks()
  const at = stacks.find(({ stack }) => address === undefined || stack.temporalAddress === address)
  return (key) => {
    const url = at?.stack.storeUrl ?? ''
    const root = url.startsWith('file://')
      ? new URL(url).pathname
      : join(at?.folder ?? '', url.replace(/^s3:\//, 's3'))
    const path = join(root, key)
    return at !== undefined && existsSync(path) ? relative(process.cwd(), path) : `${key} in the store`
  }
}

if (isProgram(import.meta.filename)) runProgram(program, main)
