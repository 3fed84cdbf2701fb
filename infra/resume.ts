/**
 * `npm run -s resume -- --query QUERY [--yes]`: starts closed workflows again that a visibility query finds, each with the
 * input of the first execution of its chain, never the state that continue-as-new carried, and with its task queue,
 * priority, search attributes and memo as they were. A child is its parent's business: the outermost parent is started
 * again, once for all of its children. What runs, and what has completed since, is left alone. Without `--yes` nothing
 * is started, and the table says what would be.
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { addressOption, addressUsage, columns, connectClient } from './connect.ts'
import { sentencesOf } from './failure.ts'
import { isProgram, runProgram, Usage, type Called } from './program.ts'

const program = {
  name: 'resume',
  usage: `npm run -s resume -- --query 'Sweep="x" AND ExecutionStatus="Failed"' [--yes]

Starts again what the query finds: each workflow with the input of its first execution, a child by its outermost parent.
  --query     a visibility query, as of \`temporal workflow list\`
  --yes       start them; without it nothing is started
${addressUsage}
  --help, -h  this text`,
  options: { query: { type: 'string' }, yes: { type: 'boolean' }, ...addressOption },
} as const

/** A workflow that the query found: how its id stands now, and its outermost parent's. */
export interface Found {
  readonly workflowId: string
  readonly status: string
  /** Null where it is its own. */
  readonly root: { readonly workflowId: string; readonly status: string } | null
}

export interface Choice {
  readonly workflowId: string
  readonly action: 'start' | 'skip'
  readonly why: string
}

/** What to do with each; one line an outermost parent, in the order in which they were found. */
export function choose(found: readonly Found[]): Choice[] {
  const choices = new Map<string, Choice>()
  const children = new Map<string, string[]>()
  const skip = (workflowId: string, why: string) =>
    choices.get(workflowId) ?? choices.set(workflowId, { workflowId, action: 'skip', why })
  for (const { workflowId, status, root } of found) {
    if (status === 'RUNNING') skip(workflowId, 'is running')
    else if (status === 'COMPLETED') skip(workflowId, 'has completed since')
    else if (root === null) choices.set(workflowId, { workflowId, action: 'start', why: worded(status) })
    else if (root.status === 'RUNNING') skip(workflowId, `its parent ${root.workflowId} is running`)
    else if (root.status === 'NOT_FOUND')
      skip(workflowId, `its parent ${root.workflowId} is not known any more`)
    else children.set(root.workflowId, [...(children.get(root.workflowId) ?? []), workflowId])
  }
  for (const [workflowId, own] of children)
    if (choices.get(workflowId)?.action !== 'start')
      choices.set(workflowId, { workflowId, action: 'start', why: `for ${named(own)}` })
  return [...choices.values()]
}

const worded = (status: string) => status.toLowerCase().replaceAll('_', ' ')

const named = (ids: readonly string[]) =>
  ids.length <= 3 ? ids.join(', ') : `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more`

/** Every workflow id that the query finds, once. */
export async function find(client: Client, query: string): Promise<Found[]> {
  const roots = new Map<string, string | null>()
  for await (const { workflowId, raw } of client.workflow.list({ query })) {
    const root = raw.rootExecution?.workflowId || raw.parentExecution?.workflowId || workflowId
    roots.set(workflowId, root === workflowId ? null : root)
  }
  const statuses = new Map<string, string>()
  const statusOf = async (workflowId: string) => {
    const known = statuses.get(workflowId) ?? (await statusNow(client, workflowId))
    statuses.set(workflowId, known)
    return known
  }
  const found: Found[] = []
  for (const [workflowId, root] of roots)
    found.push({
      workflowId,
      status: await statusOf(workflowId),
      root: root === null ? null : { workflowId: root, status: await statusOf(root) },
    })
  return found
}

/** Of the newest run of an id. */
async function statusNow(client: Client, workflowId: string): Promise<string> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'NOT_FOUND'
    throw error
  }
}

/** The first execution's beginning is not on the server any more. */
export class HistoryGone extends Error {
  override readonly name = 'HistoryGone'
}

/** The event that began the first execution of the newest chain of an id, with its type, input, queue and attributes. */
export async function firstStart(client: Client, workflowId: string) {
  const { raw, runId } = await client.workflow.getHandle(workflowId).describe()
  const first = raw.workflowExecutionInfo?.firstRunId || runId
  const { namespace } = client.options
  const execution = { workflowId, runId: first }
  const answer = await client.workflowService
    .getWorkflowExecutionHistory({ namespace, execution, maximumPageSize: 1 })
    .catch((error: Error & { code?: number }) => {
      if (error.code !== NOT_FOUND) throw error
      throw new HistoryGone(
        `the history of its first execution (run ${first}) is gone: past the namespace's retention`,
      )
    })
  const event = answer.history?.events?.[0]
  const started = event?.workflowExecutionStartedEventAttributes
  if (!event || !started) throw new HistoryGone(`its first execution (run ${first}) has no first event`)
  return { event, started }
}

const NOT_FOUND = 5 // gRPC

/** Written by the server and the SDK as a workflow goes on: not what somebody gave it. */
const theirs = ['TemporalChangeVersion', 'BuildIds', 'TemporalReportedProblems']

/** Starts an id again as it was first started. Resolves with the new run's id. */
export async function startAgain(client: Client, workflowId: string): Promise<string> {
  const { event, started } = await firstStart(client, workflowId)
  const indexedFields = Object.fromEntries(
    Object.entries(started.searchAttributes?.indexedFields ?? {}).filter(([name]) => !theirs.includes(name)),
  )
  const { runId } = await client.workflowService.startWorkflowExecution({
    namespace: client.options.namespace,
    workflowId,
    requestId: randomUUID(),
    identity: `resume@${hostname()}:${process.pid}`,
    workflowType: started.workflowType ?? null,
    taskQueue: { name: started.taskQueue?.name ?? '' },
    input: started.input ?? null,
    memo: started.memo ?? null,
    header: started.header ?? null,
    retryPolicy: started.retryPolicy ?? null,
    cronSchedule: started.cronSchedule ?? '',
    priority: started.priority ?? null,
    workflowExecutionTimeout: started.workflowExecutionTimeout ?? null,
    workflowRunTimeout: started.workflowRunTimeout ?? null,
    workflowTaskTimeout: started.workflowTaskTimeout ?? null,
    searchAttributes: { indexedFields },
    userMetadata: event.userMetadata ?? null,
    workflowIdReusePolicy: ALLOW_DUPLICATE,
    workflowIdConflictPolicy: FAIL,
  })
  return runId
}

const ALLOW_DUPLICATE = 1 // WorkflowIdReusePolicy: a closed one may be started again, however it ended
const FAIL = 1 // WorkflowIdConflictPolicy: what runs is left alone

export interface Outcome {
  readonly action: 'start' | 'started' | 'skip' | 'cannot start'
  readonly workflowId: string
  readonly type: string
  readonly taskQueue: string
  readonly why: string
}

/** The workflows for which an id is started: its own, or those of its children that did not complete. */
const endedOf = (found: readonly Found[], workflowId: string) =>
  found
    .filter(({ root, ...own }) => (root?.workflowId ?? own.workflowId) === workflowId)
    .filter(({ status }) => status !== 'COMPLETED' && status !== 'RUNNING')
    .map((one) => one.workflowId)

/** What was done with each that the query found, or what would be. */
export async function resume(client: Client, query: string, yes: boolean): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const found = await find(client, query)
  for (const { workflowId, action, why } of choose(found)) {
    const row = { workflowId, type: '', taskQueue: '', why }
    if (action === 'skip') {
      outcomes.push({ ...row, action })
      continue
    }
    try {
      row.why = [why, await sentencesOf(client, endedOf(found, workflowId))]
        .filter((text) => text !== '')
        .join(': ')
      const { started } = await firstStart(client, workflowId)
      const of = { type: started.workflowType?.name ?? '', taskQueue: started.taskQueue?.name ?? '' }
      if (yes) await startAgain(client, workflowId)
      outcomes.push({ ...row, ...of, action: yes ? 'started' : 'start' })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      outcomes.push({ ...row, action: 'cannot start', why: message })
    }
  }
  return outcomes
}

async function main({ values }: Called<typeof program.options>): Promise<number> {
  if (values.query === undefined) throw new Usage('--query: expected a visibility query, found nothing')
  const { client, close } = await connectClient(values.address)
  try {
    const outcomes = await resume(client, values.query, values.yes)
    if (outcomes.length === 0) console.log('The query finds nothing.')
    else {
      const header = ['', 'workflow id', 'type', 'task queue', '']
      const rows = outcomes.map((one) => [one.action, one.workflowId, one.type, one.taskQueue, one.why])
      console.log(columns([header, ...rows]).join('\n'))
    }
    if (outcomes.some(({ action }) => action === 'start'))
      console.log('\nNothing was started. --yes starts what says `start`.')
    return outcomes.some(({ action }) => action === 'cannot start') ? 1 : 0
  } finally {
    await close()
  }
}

if (isProgram(import.meta.filename)) runProgram(program, main)
