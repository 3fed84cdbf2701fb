/**
 * A restart that is refused leaves its id failed, although an earlier run of the id has a result: Temporal shows an id by
 * its newest run, whatever that was, and has no way back to an older one. So the refusal says where the result stands.
 */
import { Context } from '@temporalio/activity'
import * as keys from './checkpoint/keys.ts'
import type { Deps } from './deps.ts'
import { permanenceOf } from './contracts/faults.ts'

/** Runs the body; an error that ends the workflow for good tells of its id's earlier result, where there is one. */
export async function orEarlier<T>(deps: Deps, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    if (error instanceof Error && permanenceOf(error.name) === 'permanent') {
      const { workflowId, runId } = Context.current().info.workflowExecution ?? { workflowId: '', runId: '' }
      const where = await earlierResult(deps, workflowId, runId)
      if (where !== null) error.message += `. ${where}`
    }
    throw error
  }
}

/** How to see what an earlier run of this id came to; null where nothing is known of one. */
async function earlierResult(deps: Deps, run: string, own: string): Promise<string | null> {
  const [runId, key] = await Promise.all([completedRun(deps, run, own), resultKey(deps, run)])
  const ways = [
    ...(runId === null ? [] : [`temporal workflow result --workflow-id ${run} --run-id ${runId}`]),
    ...(key === null ? [] : [`${key} in the store`]),
  ]
  return ways.length === 0 ? null : `The id's earlier result stands: ${ways.join(', and ')}`
}

/** The newest run of this id that completed, as visibility knows it: what is gone there is left out. */
async function completedRun({ client }: Deps, workflowId: string, own: string): Promise<string | null> {
  if (/["\\]/.test(workflowId)) return null // an id that no run can have
  const query = `WorkflowId = "${workflowId}" AND ExecutionStatus = "Completed"`
  try {
    let newest: { runId: string; startTime: Date } | null = null
    for await (const { runId, startTime } of client.workflow.list({ query }))
      if (runId !== own && (newest === null || startTime > newest.startTime)) newest = { runId, startTime }
    return newest?.runId ?? null
  } catch {
    return null // the refusal is what matters; without visibility it says less
  }
}

async function resultKey({ store }: Deps, run: string): Promise<string | null> {
  try {
    const key = keys.result(run)
    return (await store.head(key)) === null ? null : key
  } catch {
    return null
  }
}
