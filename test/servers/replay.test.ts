/** Recorded histories on the workflow code as it is: a change that running workflows could not go on with shows here. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { beforeAll, expect, it } from 'vitest'
import { workflowBundle } from '../../infra/bundle.ts'
import * as workflows from '../../workflows/index.ts'

const folder = join(import.meta.dirname, '../histories')
const names = (await readdir(folder)).filter((name) => name.endsWith('.json'))

let bundle: Awaited<ReturnType<typeof workflowBundle>>
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  bundle = await workflowBundle()
})

const historyOf = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(join(folder, name), 'utf8'))

interface Started {
  readonly workflowId: string
  readonly workflowType: { readonly name: string }
}

function startedBy(history: unknown): Started | undefined {
  const { events } = history as { events: { workflowExecutionStartedEventAttributes?: Started }[] }
  return events[0]?.workflowExecutionStartedEventAttributes
}

async function replay(history: unknown): Promise<Error | undefined> {
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: bundle }, [
    { workflowId: startedBy(history)?.workflowId ?? '', history },
  ]))
    return error
  throw new Error('nothing was replayed')
}

it('each workflow type has a history', async () => {
  const types = await Promise.all(
    names.map(async (name) => startedBy(await historyOf(name))?.workflowType.name),
  )
  const known = Object.keys(workflows).filter((name) => name !== 'default') // what answers any other name
  expect([...new Set(types)].sort()).toEqual(known.sort())
})

it.each(names)('%s goes on where it was', async (name) => {
  expect(await replay(await historyOf(name))).toBeUndefined()
})

it('a history of other commands is not gone on with', async () => {
  const other = JSON.parse(
    JSON.stringify(await historyOf('train.json')).replaceAll('"admitTrain"', '"admitEvaluate"'),
  ) as unknown
  expect(String(await replay(other))).toMatch(/[Nn]ondeterminism|TMPRL1100/)
})
