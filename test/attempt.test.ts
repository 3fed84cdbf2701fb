/** What one attempt of an activity leaves the next, and what ends it for good. Numbers of attempts are Temporal's own. */
import type { ApplicationFailure } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { progressOf } from '../activities/contracts/heartbeat.ts'
import { durable, resumable } from '../activities/durable.ts'
import type { Progress } from '../activities/engine/port.ts'
import { Busy, inSlot, Slot } from '../activities/slot.ts'
import { WrongStore } from '../activities/checkpoint/faults.ts'

type Body = (say: (at: Progress) => void, stop: () => void) => unknown

interface Left {
  readonly details: unknown
  readonly failure: ApplicationFailure | null
}

/** One attempt: what it throws, and the last of its heartbeats, which the next one finds. */
async function attempt(number: number, heartbeatDetails: unknown, body: Body): Promise<Left> {
  const environment = new MockActivityEnvironment({ attempt: number, heartbeatDetails, activityType: 'step' })
  let details = heartbeatDetails
  environment.on('heartbeat', (given: unknown) => (details = JSON.parse(JSON.stringify(given)) as unknown))
  const stop = () => environment.cancel('WORKER_SHUTDOWN')
  const verb = () => durable(async (control) => body((at) => control.progress(at), stop))
  try {
    await environment.run(verb)
    return { details, failure: null }
  } catch (error) {
    return { details, failure: error as ApplicationFailure }
  }
}

/** Attempts one after another, each with what those before left; a `null` is one that was killed at once. */
async function attempts(...bodies: readonly (Body | null)[]): Promise<Left[]> {
  const all: Left[] = []
  for (const [i, body] of bodies.entries()) {
    const before = all.at(-1)?.details
    all.push(body === null ? { details: before, failure: null } : await attempt(i + 1, before, body))
  }
  return all
}

const broken = (): unknown => {
  const nothing = undefined as unknown as { x: number }
  return nothing.x
}
const refuse = (error: Error) => () => {
  throw error
}
const kinds = (all: readonly Left[]) => all.map(({ failure }) => failure?.nonRetryable ?? null)

describe('a fault of the program or of its input', () => {
  it('is final at the third attempt in a row, with its message, its place and the build', async () => {
    const all = await attempts(broken, broken, broken)
    expect(kinds(all)).toEqual([false, false, true])
    const last = all[2]?.failure
    expect(last?.type).toBe('TypeError')
    expect(last?.message).toMatch(
      /^Cannot read properties of undefined \(reading 'x'\) \[3 attempts in a row ended in this; activity step of test, test\/attempt\.test\.ts:\d+; placebo \d+\.\d+\.\d+\]$/,
    )
    expect(all[0]?.failure?.message).toBe("Cannot read properties of undefined (reading 'x')")
  })

  it('names the phase in which it came', async () => {
    const all = await attempts(...[1, 2, 3].map((): Body => (say) => {
      say({ phase: 'update', done: 3, total: 16 })
      broken()
    })) // prettier-ignore
    expect(all[2]?.failure?.message).toContain('activity step of test, phase update, 3 of 16,')
  })

  it('is forgotten when another comes between, or a store that answers wrongly', async () => {
    const other = refuse(new RangeError('too far'))
    expect(kinds(await attempts(broken, broken, other, broken, broken, broken))).toEqual(
      [false, false, false, false, false, true], // prettier-ignore
    )
    const store = refuse(Object.assign(new Error('put'), { name: 'StoreError' }))
    expect(kinds(await attempts(broken, broken, store, broken, broken))).toEqual(
      Array<boolean>(5).fill(false),
    )
  })

  it('is counted on by attempts that were killed or told to stop, and not counted by them', async () => {
    const preempted: Body = (_say, stop) => (stop(), broken())
    const all = await attempts(broken, null, preempted, null, broken, preempted, broken)
    expect(kinds(all)).toEqual([false, null, false, null, false, false, true])
    expect(all[2]?.failure?.type).toBe('WorkerShutdown')
  })

  it('that says something else each time is final at the tenth', async () => {
    const bodies = Array.from({ length: 10 }, (_, i) => refuse(new Error(`no /tmp/${i}`)))
    const all = await attempts(...bodies)
    expect(kinds(all)).toEqual([...Array<boolean>(9).fill(false), true])
    expect(all[9]?.failure?.message).toContain('no /tmp/9 [10 attempts in a row failed, the last in this;')
  })

  it.each([
    ['a text', 'just words', 'just words'],
    ['an object', { reason: 7 }, '{"reason":7}'],
    ['nothing', undefined, 'undefined'],
  ])('may be %s that was thrown, which is no Error', async (_, thrown, message) => {
    const body = (): never => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw thrown
    }
    const all = await attempts(body, body, body)
    expect(kinds(all)).toEqual([false, false, true])
    expect(all[2]?.failure).toMatchObject({ type: 'Error' })
    expect(all[2]?.failure?.message).toContain(`${message} [3 attempts`)
  })
})

describe('other faults', () => {
  it('are said in whole characters, with all of their causes: half of one would end the worker', async () => {
    const cause = new Error('b\ud800', { cause: 'c\udc00' })
    const error = Object.assign(new Error('a\ud800 😀', { cause }), { name: 'InvalidData' })
    const [only] = await attempts(refuse(error))
    expect(only?.failure).toMatchObject({ message: 'a\ufffd 😀', type: 'InvalidData', nonRetryable: true })
    // The cause of a failure is the error itself.
    const { cause: first } = only?.failure as { cause: Error }
    expect(first).toMatchObject({ message: 'a\ufffd 😀', cause: { message: 'b\ufffd', cause: 'c\ufffd' } })
    expect(`${first.stack}${(first.cause as Error).stack}`).not.toMatch(/\p{Surrogate}/u)
  })

  it('are final at once where no attempt can mend them, and never where they pass', async () => {
    const invalid = refuse(Object.assign(new Error('x:1: not JSON'), { name: 'InvalidData' }))
    const [first] = await attempts(invalid)
    expect(first?.failure).toMatchObject({
      type: 'InvalidData',
      nonRetryable: true,
      message: 'x:1: not JSON',
    })
    const closed = refuse(new TypeError('fetch failed', { cause: { code: 'UND_ERR_SOCKET' } }))
    expect(kinds(await attempts(...Array<Body>(12).fill(closed)))).toEqual(Array<boolean>(12).fill(false))
  })

  it('hand a task of another store back, after pauses of 1, 2, 4 … 60 s, and the counts with it', async () => {
    const elsewhere = refuse(new WrongStore('other'))
    const all = await attempts(broken, broken, ...Array<Body>(8).fill(elsewhere), broken)
    const pauses = all.slice(2, 10).map(({ failure }) => String(failure?.nextRetryDelay))
    expect(pauses).toEqual(['1s', '2s', '4s', '8s', '16s', '32s', '60s', '60s'])
    expect(all[10]?.failure?.nonRetryable).toBe(true) // two before, one after
  })

  it('give a task back where the slot is taken, after pauses of 1, 2, 4, 8, 15 s, and the counts with it', async () => {
    const slot = new Slot()
    let free = () => {}
    const taken = slot.hold(() => new Promise<void>((resolve) => (free = resolve)), 1, never)
    const { step } = inSlot({ step: () => durable(async () => broken()) }, slot, 1)
    let details: unknown
    const run = async (number: number): Promise<ApplicationFailure> => {
      const environment = new MockActivityEnvironment({ attempt: number, heartbeatDetails: details })
      environment.on('heartbeat', (given: unknown) => (details = given))
      return environment
        .run<[], unknown, () => Promise<unknown>>(step)
        .then(broken, (error: unknown) => error) as Promise<ApplicationFailure>
    }
    const ends: ApplicationFailure[] = []
    for (const number of [1, 2, 3, 4, 5, 6]) ends.push(await run(number))
    free()
    await taken
    for (const number of [7, 8, 9]) ends.push(await run(number))
    expect(ends.map(({ type }) => type)).toEqual([
      ...Array<string>(6).fill('Busy'),
      ...Array<string>(3).fill('TypeError'),
    ])
    expect(ends.slice(0, 6).map(({ nextRetryDelay }) => String(nextRetryDelay))).toEqual([
      '1s',
      '2s',
      '4s',
      '4s',
      '4s',
      '4s',
    ])
    expect(ends.map(({ nonRetryable }) => nonRetryable)).toEqual([...Array<boolean>(8).fill(false), true])
    expect(new Busy('x').name).toBe('Busy')
  })
})
const never = new AbortController().signal

describe('attempts that die without a word', () => {
  const dying = (at: Progress) => ({ at, attempt: 1, furthest: { load: 9, [at.phase]: at.done } })
  const stuck = { phase: 'update', done: 3, total: 16 } as const

  it('end the activity after the sixth, saying what was computed, how far it was, and where to look', async () => {
    const found = dying(stuck)
    const seventh = await attempt(7, found, () => 'well')
    expect(seventh.failure).toMatchObject({ type: 'WorkersDied', nonRetryable: true })
    expect(seventh.failure?.message).toMatch(
      /^activity step of test, phase update, 3 of 16: 6 attempts in a row died, no further than load 9, update 3\. .*memory/,
    )
    expect((await attempt(6, found, () => 'well')).failure).toBeNull() // five
    expect((await attempt(7, { ...found, ended: true }, () => 'well')).failure).toBeNull() // five
    expect((await attempt(7, undefined, () => 'well')).failure?.message).toContain('before their first word')
  })

  it('are counted anew when one gets further, or to another phase', async () => {
    const found = { ...dying(stuck), attempt: 5, deaths: 4 }
    const here = await attempt(6, found, (say) => say(stuck))
    expect(here.details).toMatchObject({ attempt: 6, deaths: 5 })
    for (const further of [
      { ...stuck, done: 4 },
      { ...stuck, phase: 'save' as const, done: 0 },
    ]) {
      const { details } = await attempt(6, found, (say) => say(further))
      expect(details).not.toHaveProperty('deaths')
      expect(details).toMatchObject({ attempt: 6, furthest: { update: further.phase === 'save' ? 3 : 4 } })
    }
  })

  it('are no deaths where a worker was told to stop, or a person began the activity anew', async () => {
    const found = { ...dying(stuck), attempt: 5, deaths: 4 }
    const told = await attempt(6, found, (_say, stop) => (stop(), broken()))
    expect(told.details).toMatchObject({ attempt: 6, ended: true })
    expect(told.details).not.toHaveProperty('deaths')
    expect(
      (await attempt(1, { ...found, attempt: 9, deaths: 5 }, (say) => say(stuck))).details,
    ).not.toHaveProperty('deaths')
  })
})

describe('details of heartbeats', () => {
  const State = z.strictObject({ after: z.string() })
  const run = async (heartbeatDetails: unknown, number = 2) => {
    const environment = new MockActivityEnvironment({ attempt: number, heartbeatDetails })
    return environment.run(() => resumable(State, async (from) => from))
  }

  it('of the form that they had before are a place to go on from, and so are those of today', async () => {
    expect(await run({ after: 'a' })).toEqual({ after: 'a' })
    expect(await run({ at: { after: 'b' }, attempt: 1, later: 'word' })).toEqual({ after: 'b' })
    expect(await run(null)).toBeNull()
    expect(await run({ at: null, attempt: 1 })).toBeNull()
  })

  it('say how far an attempt is in either form', () => {
    const at = { phase: 'load', done: 1, total: 2 }
    expect(progressOf(at)).toEqual(at)
    expect(progressOf({ at, attempt: 3, ended: true })).toEqual(at)
    for (const other of [null, undefined, 7, { at: null, attempt: 1 }, { after: 'a' }])
      expect(progressOf(other)).toBeNull()
  })

  it('hold the state where a resumed attempt stopped, even one that got no further', async () => {
    const environment = new MockActivityEnvironment({ attempt: 2, heartbeatDetails: { after: 'a' } })
    let details: unknown
    environment.on('heartbeat', (given: unknown) => (details = given))
    const failing = environment.run(() => resumable(State, async () => broken()))
    await expect(failing).rejects.toMatchObject({ type: 'TypeError' })
    expect(details).toMatchObject({
      at: { after: 'a' },
      attempt: 2,
      ended: true,
      faults: { count: 1, row: 1 },
    })
  })
})
