/** A restart that is refused shadows the id's result in Temporal: its message says where the result stands. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { admitActivities } from '../activities/admit.ts'
import { replaceDocument } from '../activities/checkpoint/documents.ts'
import * as keys from '../activities/checkpoint/keys.ts'
import { openStore } from '../activities/checkpoint/open.ts'
import type { Store } from '../activities/checkpoint/store.ts'
import { ResultDocument } from '../activities/contracts.ts'
import type { Deps } from '../activities/deps.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-refused-'))
  store = await openStore(pathToFileURL(join(folder, 'store')).href)
})
afterEach(() => rm(folder, { recursive: true }))

const runs = [
  { runId: 'newest', startTime: new Date(3) },
  { runId: 'older', startTime: new Date(1) },
  { runId: 'own', startTime: new Date(4) },
]

/** The refusal of a spec under id `first`, when visibility has these completed runs of it. */
async function refusal(completed: typeof runs): Promise<string> {
  const asked: string[] = []
  const workflow = {
    async *list({ query }: { query: string }) {
      asked.push(query)
      yield* completed
    },
  }
  const deps = { store, client: { options: { namespace: 'one' }, workflow } } as unknown as Deps
  const environment = new MockActivityEnvironment({
    workflowExecution: { workflowId: 'first', runId: 'own' },
  })
  const error: unknown = await environment
    .run(admitActivities(deps).admitTrain, { spec: { step: 3 }, run: 'first' })
    .catch((error: unknown) => error)
  expect(error).toMatchObject({ type: 'InvalidSpec', nonRetryable: true })
  expect(asked).toEqual(['WorkflowId = "first" AND ExecutionStatus = "Completed"'])
  return (error as Error).message
}

test('it names the newest completed run, and the key of its result in the store', async () => {
  const spec = keys.spec('0'.repeat(64))
  await replaceDocument(store, keys.result('first'), ResultDocument, { format: 1, spec, step: 5 })
  const message = await refusal(runs)
  expect(message).toContain('found an unknown key (did you mean "steps"?)')
  expect(message).toContain(
    "The id's earlier result stands: temporal workflow result --workflow-id first --run-id newest, and runs/first/result.json in the store",
  )
})

test('without an earlier result it says nothing of one', async () => {
  expect(await refusal([])).not.toContain('earlier result')
})

test('past retention the store’s is left', async () => {
  const spec = keys.spec('0'.repeat(64))
  await replaceDocument(store, keys.result('first'), ResultDocument, { format: 1, spec, step: 5 })
  expect(await refusal([])).toContain("The id's earlier result stands: runs/first/result.json in the store")
})
