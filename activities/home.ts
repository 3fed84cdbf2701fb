/**
 * A worker whose store is not that of the runs whose tasks it takes: it hands them back, and after three in a row it is
 * of no use here. Where a task does not name its run's store, what failed is held against what the run's history names,
 * before it may end a healthy run: to such a worker all that others stored is not there.
 */
import { cancellationSignal, Context } from '@temporalio/activity'
import { defaultPayloadConverter, ApplicationFailure } from '@temporalio/common'
import type { Client } from '@temporalio/client'
import { thisAttempt } from './attempt.ts'
import { WrongStore } from './checkpoint/faults.ts'
import { permanenceOf } from './contracts/faults.ts'

/** Tasks of another store in a row, none of its own between them, after which a worker stops. */
const most = 3

export interface Home {
  readonly storeId: string
  readonly url: string
  /** Called with the words of the last straw. */
  readonly leave: (error: WrongStore) => void
}

type Verbs = Readonly<Record<string, (input: never) => Promise<unknown>>>

/** Counts over all that it is given to wrap, so that the queues of one process share the count. */
export function homeOf(home: Home): <A extends Verbs>(activities: A) => A {
  let inARow = 0
  const kept = (verb: (input: never) => Promise<unknown>) => async (input: never) => {
    try {
      const result = await verb(input)
      inARow = 0
      return result
    } catch (error) {
      const failure = await handedBack(error, home)
      if (failure instanceof ApplicationFailure && failure.type === 'WrongStore' && ++inARow >= most)
        home.leave(
          new WrongStore(
            `${failure.message}. ${inARow} tasks in a row were so: see PLACEBO_STORE of this worker`,
          ),
        )
      throw failure
    }
  }
  return <A extends Verbs>(activities: A) =>
    Object.fromEntries(Object.entries(activities).map(([name, verb]) => [name, kept(verb)])) as unknown as A
}

/** The failure, or, where it can only come from looking in the wrong store, WrongStore. */
async function handedBack(error: unknown, { storeId, url }: Home): Promise<unknown> {
  const signal = cancellationSignal()
  if (signal.aborted || !(error instanceof ApplicationFailure)) return error
  const passes = ['passing', 'handed-back'].includes(permanenceOf(error.type ?? ''))
  const { workflowExecution } = Context.current().info
  if (passes || workflowExecution === undefined) return error
  const theirs = await storeOf(() => Context.current().client, workflowExecution)
  if (theirs === null || theirs === storeId) return error
  const wrong = new WrongStore(
    `${url}: the run lies in store ${theirs}, this worker has store ${storeId} (there: ${error.message})`,
  )
  const attempt = thisAttempt()
  return thisAttempt(attempt.from).end(wrong, signal)
}

interface Execution {
  readonly workflowId?: string | null
  readonly runId?: string | null
}

/** Newest events of a history among which a task or a result that names its store is looked for. */
const looked = 60

/** The id of the store that a run or its parent names in its newest events; null where none does, or nobody can say. */
export async function storeOf(clientOf: () => Client, execution: Execution): Promise<string | null> {
  try {
    const client = clientOf()
    const own = await namedIn(client, execution)
    if (own !== null) return own
    const { raw } = await client.workflow
      .getHandle(execution.workflowId ?? '', execution.runId ?? undefined)
      .describe()
    const parent = raw.workflowExecutionInfo?.parentExecution
    return parent ? await namedIn(client, parent) : null
  } catch {
    return null
  }
}

async function namedIn(client: Client, { workflowId, runId }: Execution): Promise<string | null> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId: workflowId ?? '', runId: runId ?? '' },
    maximumPageSize: looked,
  })
  for (const {
    activityTaskScheduledEventAttributes: asked,
    activityTaskCompletedEventAttributes: done,
  } of history?.events ?? []) {
    for (const payload of [...(asked?.input?.payloads ?? []), ...(done?.result?.payloads ?? [])]) {
      const store = storeIn(defaultPayloadConverter.fromPayload(payload))
      if (store !== null) return store
    }
  }
  return null
}

/** Of a task, a result, or a list of tasks. */
function storeIn(value: unknown): string | null {
  const first: unknown = Array.isArray(value) ? value[0] : value
  const store = (first as { store?: unknown; task?: unknown } | null)?.store
  if (typeof store === 'string' && /^[0-9a-f-]{36}$/.test(store)) return store
  const task = (first as { task?: unknown } | null)?.task
  return task === undefined ? null : storeIn(task)
}

/** Open runs of this queue that are looked at when a worker starts. */
const runsLooked = 20

/** The other stores that open runs on a task queue name, each with one of those runs. */
export async function otherStores(
  client: Client,
  taskQueue: string,
  storeId: string,
): Promise<ReadonlyMap<string, string>> {
  const others = new Map<string, string>()
  const query = `ExecutionStatus = "Running" AND TaskQueue = "${taskQueue}"`
  let seen = 0
  for await (const { workflowId, runId } of client.workflow.list({ query, pageSize: runsLooked })) {
    const store = await storeOf(() => client, { workflowId, runId })
    if (store !== null && store !== storeId && !others.has(store)) others.set(store, workflowId)
    if (++seen === runsLooked) break
  }
  return others
}
