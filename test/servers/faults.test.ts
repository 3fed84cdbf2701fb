/** Faults against a real server: what heartbeat details keep from one attempt to the next, and how activities end by it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Context } from '@temporalio/activity'
import { WorkflowFailedError } from '@temporalio/client'
import type { ActivityFailure, ApplicationFailure } from '@temporalio/common'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WrongStore } from '../../activities/checkpoint/faults.ts'
import { durable } from '../../activities/durable.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { train } from '../../workflows/train.ts'
import { Fleet, startGrounds, type Grounds } from './fleet.ts'
import type { tried } from './tried.ts'

const taskQueue = 'tried'
let grounds: Grounds
let worker: Worker
let running: Promise<void>
let connection: NativeConnection

/** What the attempts of each workflow do, the last one again and again. */
const plans: Record<string, readonly (() => unknown)[]> = {}

/** Killed: nothing is heard of it any more. */
const die = () => undefined

const activities = {
  tried: async (name: string): Promise<number> => {
    const { info, cancelled } = Context.current()
    const plan = plans[name] ?? []
    const act = plan[Math.min(info.attempt, plan.length) - 1]
    if (act === die) return cancelled // without one heartbeat, until it is no longer waited for
    return durable(async () => {
      act?.()
      return info.attempt
    })
  },
}
const broken = (): unknown => (undefined as unknown as { x: number }).x
const raise = (error: Error) => () => {
  throw error
}
const well = () => undefined

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  grounds = await startGrounds('faults')
  connection = await NativeConnection.connect({ address: grounds.stack.temporalAddress })
  worker = await Worker.create({
    connection,
    taskQueue,
    activities,
    workflowsPath: fileURLToPath(new URL('tried.ts', import.meta.url)),
  })
  running = worker.run()
})
afterAll(async () => {
  worker.shutdown()
  await running
  await connection.close()
  await grounds.close()
})

const run = (name: string, ...plan: readonly (() => unknown)[]) => {
  plans[name] = plan
  return grounds.client.workflow.execute<typeof tried>('tried', { taskQueue, workflowId: name, args: [name] })
}

/** What a run failed with, and at which attempt. */
async function endOf(workflowId: string, result: Promise<unknown>) {
  const error = await result.then(() => null, (error: unknown) => error) // prettier-ignore
  expect(error).toBeInstanceOf(WorkflowFailedError)
  const { cause } = error as WorkflowFailedError
  const fault = (cause as ActivityFailure).cause as ApplicationFailure
  const { events } = await grounds.client.workflow.getHandle(workflowId).fetchHistory()
  const attempts = events?.flatMap(
    ({ activityTaskStartedEventAttributes: started }) => started?.attempt ?? [],
  )
  return { type: fault.type, message: fault.message, attempts }
}

describe('an activity', () => {
  it('that fails in the same way each time ends its run at the third, with message, place and build', async () => {
    const end = await endOf('always', run('always', broken))
    expect(end).toMatchObject({ type: 'TypeError', attempts: [3] })
    expect(end.message).toMatch(
      /^Cannot read properties of undefined \(reading 'x'\) \[3 attempts in a row ended in this; activity tried of always, test\/servers\/faults\.test\.ts:\d+; placebo \d/,
    )
  })

  it('that fails twice and then works goes on, and its workflow heard of the second', async () => {
    const { attempt, heard } = await run('twice', broken, broken, well)
    expect(attempt).toBe(3)
    const message = "Cannot read properties of undefined (reading 'x')"
    expect(heard).toMatchObject([{ activity: 'tried', attempt: 2, fault: 'TypeError', message }])
  })

  it('whose worker dies between its faults has the count of them still', async () => {
    expect(await endOf('dies', run('dies', broken, die, broken, die, broken))).toMatchObject({
      type: 'TypeError',
      attempts: [5],
    })
  })

  it('that is handed back waits longer each time, and is told of at 2, 4, 8 …', async () => {
    const begun = Date.now()
    const elsewhere = raise(new WrongStore('file:///other'))
    const { attempt, heard } = await run('back', elsewhere, elsewhere, broken, broken, well)
    expect(attempt).toBe(5)
    expect(Date.now() - begun).toBeGreaterThan(3000) // 1 s and 2 s
    expect(heard.map(({ attempt, fault }) => [attempt, fault])).toEqual([[2, 'WrongStore'], [4, 'TypeError']]) // prettier-ignore
  })

  it('that passes is tried as often as it takes', async () => {
    const closed = raise(
      new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }),
    )
    const { attempt, heard } = await run('passes', ...Array<() => unknown>(16).fill(closed), well)
    expect(attempt).toBe(17)
    expect(heard.map(({ attempt }) => attempt)).toEqual([2, 4, 8, 16])
  })

  it('whose workers die six times ends its run by the name of that', async () => {
    const end = await endOf('deadly', run('deadly', ...Array<() => unknown>(6).fill(die), well))
    expect(end).toMatchObject({ type: 'WorkersDied', attempts: [7] })
    expect(end.message).toContain(
      'activity tried of deadly: 6 attempts in a row died, before their first word',
    )
  })

  it('that failed where nobody counted, in workers of another version, did not kill any', async () => {
    const uncounted = () => {
      throw new Error('not durable')
    }
    plans['uncounted'] = []
    const old = {
      tried: async (): Promise<number> =>
        Context.current().info.attempt < 9 ? uncounted() : activities.tried('uncounted'),
    }
    const other = await Worker.create({ connection, taskQueue: 'old', activities: old })
    const result = other.runUntil(
      grounds.client.workflow.execute('tried', {
        taskQueue,
        workflowId: 'uncounted',
        args: ['uncounted', 'old'],
      }),
    )
    await expect(result).resolves.toMatchObject({ attempt: 9 })
  })
})

describe('a worker of another store', () => {
  const spec = {
    preset: 'demo',
    model: 'nano/coder',
    reward: 'format',
    steps: 2,
    batch: { problems: 2, group: 4, minibatch: 8 },
    evaluate: { benchmarks: [] },
  }

  it('hands the tasks of a healthy run back, and exits naming both stores', async () => {
    const fleet = new Fleet(grounds, 'home')
    const other = await mkdtemp(join(tmpdir(), 'placebo-other-'))
    try {
      await fleet.add('light')
      const store = pathToFileURL(other).href
      // Alone at first, so that the tasks are sure to come to it.
      const wrong = (await fleet.add('compute', [], 'wrong', { PLACEBO_STORE: store })).last()
      const handle = await grounds.client.workflow.start<typeof train>('train', {
        taskQueue: taskQueues.light,
        workflowId: 'healthy',
        args: [spec],
      })
      expect(await fleet.orBroken(wrong)).toBe(1)
      const log = await readFile(join(fleet.home, 'compute-wrong.log'), 'utf8')
      const [ours, theirs] = await Promise.all([
        fleet.json('store.json'),
        readFile(join(other, 'store.json'), 'utf8'),
      ])
      const ids = [ours as { id: string }, JSON.parse(theirs) as { id: string }].map(({ id }) => id)
      expect(log).toContain(`the run lies in store ${ids[0]}, this worker has store ${ids[1]}`)
      expect(log).toContain('3 tasks in a row were so: see PLACEBO_STORE of this worker')
      // Another like it says at its start what the open runs name; a right one does their work.
      const another = await fleet.add('compute', [], 'another', { PLACEBO_STORE: store })
      const warned = `open runs on this queue lie in another store: healthy in ${ids[0]}`
      const itsLog = () => readFile(join(fleet.home, 'compute-another.log'), 'utf8').catch(() => '')
      await expect.poll(itsLog, { timeout: 30_000, interval: 100 }).toContain(warned)
      const gone = another.last()
      await fleet.add('compute')
      await expect(fleet.orBroken(handle.result())).resolves.toMatchObject({ steps: 2 })
      await another.stop()
      await gone
    } finally {
      await fleet.stop()
      await rm(other, { recursive: true, force: true })
    }
  })
})
