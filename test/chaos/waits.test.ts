import { describe, expect, it } from 'vitest'
import { cutOffs } from '../../infra/chaos/attempts.ts'
import { costsOf } from '../../infra/chaos/cost.ts'
import type { Strike } from '../../infra/chaos/faults.ts'
import type { Activity } from '../../infra/chaos/histories.ts'
import type { Note } from '../../infra/chaos/notes.ts'

const at = { workflow: 'w', run: 'r' }
const activity = (id: string, given: Partial<Activity>): Activity => ({
  ...at,
  ...{ activity: id, type: 'step', attempts: 1, scheduledMs: 0, startedMs: 0, input: 'same' },
  ...{ completed: true, busy: false, failure: null },
  ...given,
})
const note = (
  what: 'begin' | 'progress' | 'told',
  id: string,
  attempt: number,
  worker: string,
  atMs: number,
) => ({ ...at, what, activity: id, attempt, worker, atMs }) satisfies Note
const strike = (kind: Strike['kind'], worker: string, atMs: number, goneMs: number): Strike => ({
  ...{ kind, worker, atMs, goneMs, endMs: null },
})
const waits = (activities: Activity[], notes: Note[], strikes: Strike[]) =>
  costsOf(activities, notes, strikes, () => undefined).waits

describe('an activity that may be tried once only', () => {
  const lost = activity('1', { completed: false, failure: 'heartbeat timeout', startedMs: 900 })

  it('was begun again by the next one with its input', () => {
    const other = activity('2', { input: 'other', scheduledMs: 16_500, startedMs: 16_600 })
    const next = activity('3', { scheduledMs: 17_000, startedMs: 17_100 })
    const [cut, ...more] = cutOffs([lost, other, next], [note('begin', '1', 1, 'compute-3', 1000)])
    expect(more).toEqual([])
    expect(cut).toMatchObject({ failure: 'heartbeat timeout', worker: 'compute-3', next: 'w r 3 1' })
    expect([cut?.fromMs, cut?.toMs]).toEqual([1000, 17_100])
  })

  it('was not where its worker had no slot for it, or nothing followed', () => {
    const next = activity('3', { scheduledMs: 17_000 })
    expect(cutOffs([{ ...lost, busy: true }, next], [])).toEqual([])
    expect(cutOffs([lost], [])).toEqual([])
  })
})

describe('the wait after a worker is gone', () => {
  const twice = activity('1', { attempts: 2, startedMs: 18_000 })

  it('ends with the first word of the engine: killed at 2 s, computing again at 19 s', () => {
    const notes = [
      note('begin', '1', 1, 'compute-3', 1000),
      note('begin', '1', 2, 'compute-4', 18_000),
      note('progress', '1', 2, 'compute-4', 19_000),
    ]
    const kill = strike('worker SIGKILL', 'compute-3', 2000, 2010)
    expect(waits([twice], notes, [kill])).toMatchObject({ afterKill: [17], afterStop: [] })
  })

  it('begins, for one that was told to stop, when its process is gone: 2.5 s to 4 s', () => {
    const notes = [note('begin', '1', 1, 'compute-3', 1000), note('begin', '1', 2, 'compute-4', 4000)]
    const stop = strike('worker SIGTERM', 'compute-3', 2000, 2500)
    expect(waits([twice], notes, [stop])).toMatchObject({ afterKill: [], afterStop: [1.5] })
  })

  it('is not known where what followed was cut off before it computed, and not of light workers', () => {
    const thrice = activity('1', { attempts: 3, startedMs: 40_000 })
    const notes = [note('begin', '1', 1, 'compute-3', 1000), note('begin', '1', 2, 'compute-4', 18_000)]
    const strikes = [
      strike('worker SIGKILL', 'compute-3', 2000, 2010),
      strike('worker SIGKILL', 'compute-4', 18_500, 18_510),
    ]
    // The second death's wait ends with the third attempt, which completed: at 40 s.
    expect(waits([thrice], notes, strikes).afterKill).toEqual([21.5])
    const light = [note('begin', '1', 1, 'light-1', 1000), note('begin', '1', 2, 'light-2', 18_000)]
    expect(waits([twice], light, [strike('worker SIGKILL', 'light-1', 2000, 2010)]).afterKill).toEqual([])
  })
})

it('SIGTERM met what was running when the worker was told, whether or not it ended in time', () => {
  const cut = activity('1', { attempts: 2, startedMs: 5000 })
  const inTime = activity('2', { type: 'sample', input: 'b' })
  const notes = [
    note('begin', '1', 1, 'compute-3', 1000),
    note('told', '1', 1, 'compute-3', 2001),
    note('begin', '1', 2, 'compute-4', 5000),
    note('told', '2', 1, 'compute-4', 8001),
    note('told', '2', 1, 'compute-4', 99_000), // the harness is over
  ]
  const strikes = [
    strike('worker SIGTERM', 'compute-3', 2000, 2500),
    strike('worker SIGTERM', 'compute-4', 8000, 8300),
    strike('worker SIGTERM', 'light-1', 9000, 9100),
  ]
  const { met } = waits([cut, inTime], notes, strikes)
  expect(met).toEqual({ strikes: 2, running: { step: 1, sample: 1 }, again: 1, seconds: 4 })
})
