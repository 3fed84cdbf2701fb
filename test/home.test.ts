/** A worker whose store is not its runs': what it hands back, and when it leaves. */
import type { Client } from '@temporalio/client'
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, it } from 'vitest'
import { homeOf } from '../activities/home.ts'

const ours = '00000000-0000-4000-8000-000000000001'
const theirs = '00000000-0000-4000-8000-000000000002'

/** A server whose histories name a store in the input of one activity. */
const serverOf = (store: string | null) =>
  ({
    options: { namespace: 'default' },
    withAbortSignal: (_signal: unknown, body: () => unknown) => body(),
    workflowService: {
      getWorkflowExecutionHistoryReverse: async () => {
        const payloads = [defaultPayloadConverter.toPayload(store === null ? {} : { task: { store } })]
        return {
          history: { events: [{}, { activityTaskScheduledEventAttributes: { input: { payloads } } }] },
        }
      },
    },
    workflow: { getHandle: () => ({ describe: async () => ({ raw: { workflowExecutionInfo: {} } }) }) },
  }) as unknown as Client

const refuse = async (): Promise<string> => {
  throw ApplicationFailure.nonRetryable('checkpoint healthy/5: run healthy has none', 'InvalidSpec')
}
const endOf = (verb: () => Promise<string>, store: string | null) =>
  new MockActivityEnvironment({}, { client: serverOf(store) })
    .run<[], string, () => Promise<string>>(verb)
    .catch((error: unknown) => error as ApplicationFailure)

it('what fails for a run of another store is handed back, for all that others stored is not there', async () => {
  const { verb } = homeOf({ storeId: ours, url: 'file:///x', leave: () => {} })({ verb: refuse })
  const failure = await endOf(verb, theirs)
  expect(failure).toMatchObject({ type: 'WrongStore', nonRetryable: false, nextRetryDelay: '1s' })
  expect((failure as Error).message).toBe(
    `file:///x: the run lies in store ${theirs}, this worker has store ${ours} (there: checkpoint healthy/5: run healthy has none)`,
  )
})

it.each([['its own', ours], ['none', null]])('a run that names %s fails as it did', async (_, store) => {
  const { verb } = homeOf({ storeId: ours, url: 'file:///x', leave: () => {} })({ verb: refuse })
  expect(await endOf(verb, store)).toMatchObject({ type: 'InvalidSpec', nonRetryable: true })
}) // prettier-ignore

it('the third such task in a row makes it leave, over all of its queues; one that it could do begins the count anew', async () => {
  const left: string[] = []
  const home = homeOf({ storeId: ours, url: 'file:///x', leave: ({ message }) => left.push(message) })
  const { common, well } = home({ common: refuse, well: async () => 'well' })
  const { near } = home({ near: refuse })
  for (const verb of [common, near, well, near, common]) await endOf(verb, theirs)
  expect(left).toEqual([])
  await endOf(near, theirs)
  expect(left).toHaveLength(1)
  expect(left[0]).toContain('3 tasks in a row were so: see PLACEBO_STORE of this worker')
})
