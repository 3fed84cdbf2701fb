import { describe, expect, it } from 'vitest'
import { costsOf } from '../../infra/chaos/cost.ts'
import type { Strike } from '../../infra/chaos/faults.ts'
import type { Activity } from '../../infra/chaos/histories.ts'
import type { Note } from '../../infra/chaos/notes.ts'

const id = { workflow: 'w', run: 'r', activity: '1' }
const activity = (attempts: number, scheduledMs: number, startedMs: number): Activity => ({
  ...id,
  type: 'sample',
  attempts,
  scheduledMs,
  startedMs,
  input: 'same',
  completed: true,
  busy: false,
  failure: attempts === 1 ? null : 'heartbeat timeout',
})
const begin = (attempt: number, worker: string, atMs: number): Note => ({
  ...id,
  what: 'begin',
  attempt,
  worker,
  atMs,
})
const sample = (attempt: number, table: string, lookedMs: number): Note => ({
  ...begin(attempt, 'c', lookedMs),
  ...{ what: 'sample', table, lookedMs, rollouts: 16 },
})
const strike = (
  kind: Strike['kind'],
  atMs: number,
  worker: string | null = null,
  endMs: number | null = null,
) => ({ kind, atMs, endMs, worker })
const none = () => undefined

describe('an activity that was begun again', () => {
  it('is charged to the strike on its own worker, from its beginning to the next', () => {
    // Attempt 1 began at 1 s on worker a, which was killed at 2 s; attempt 2 began at 17 s. Worker b's death is not its.
    const { byKind } = costsOf(
      [activity(2, 0, 17_000)],
      [begin(1, 'a', 1000), begin(2, 'b', 17_000)],
      [strike('worker SIGKILL', 2000, 'a'), strike('worker SIGTERM', 3000, 'b')],
      none,
    )
    expect(byKind['worker SIGKILL']).toEqual({ activities: 1, rollouts: 0, seconds: 16 })
    expect(byKind['worker SIGTERM'].activities).toBe(0)
  })

  it('is charged to a server where its worker was left alone, and to nobody where nothing struck', () => {
    const struck = (strikes: Strike[]) =>
      costsOf([activity(2, 0, 9000)], [begin(1, 'a', 1000), begin(2, 'a', 9000)], strikes, none).byKind
    const s3 = strike('S3 server kill -9', 2000, null, 2500)
    expect(struck([s3, strike('S3 answers 500', 3000)])['S3 server kill -9'].activities).toBe(1)
    expect(struck([strike('S3 answers 500', 3000)])['S3 answers 500'].activities).toBe(1)
    expect(struck([strike('S3 answers 500', 9500)]).other.activities).toBe(1)
    expect(struck([]).other).toEqual({ activities: 1, rollouts: 0, seconds: 8 })
    const { unexplained } = costsOf([activity(2, 0, 9000)], [], [], none)
    expect(unexplained).toEqual(['sample: heartbeat timeout'])
  })

  it('is charged to a server that died before it began and was still away', () => {
    const away = strike('S3 server kill -9', 500, null, 2000)
    const { byKind } = costsOf([activity(2, 0, 9000)], [begin(1, 'a', 1000)], [away], none)
    expect(byKind['S3 server kill -9'].activities).toBe(1)
  })

  it('is not charged to a clock that has been wrong for long, unless nothing else struck', () => {
    const strikes = [strike('clock jumps', 2000, 'a'), strike('S3 stalls', 3000)]
    const { byKind } = costsOf([activity(2, 0, 9000)], [begin(1, 'a', 1000)], strikes, none)
    expect(byKind['S3 stalls'].activities).toBe(1)
    expect(byKind['clock jumps'].activities).toBe(0)
  })

  it('is not charged to the death of its worker where it said what it failed with before', () => {
    const full = { ...activity(2, 0, 3000), failure: 'the cache is full' }
    const strikes = [strike('cache disk full', 1500, 'a', 2500), strike('worker SIGKILL', 2500, 'a')]
    const { byKind } = costsOf([full], [begin(1, 'a', 1000), begin(2, 'b', 3000)], strikes, none)
    expect(byKind['cache disk full'].activities).toBe(1)
    expect(byKind['worker SIGKILL'].activities).toBe(0)
  })

  it('is charged to the first death of its worker: a later one killed another process of that name', () => {
    const { byKind, waits } = costsOf(
      [activity(2, 0, 17_000)],
      [begin(1, 'compute-3', 1000), begin(2, 'compute-4', 17_000)],
      [strike('worker SIGTERM', 9000, 'compute-3'), strike('worker SIGKILL', 2000, 'compute-3')],
      none,
    )
    expect([byKind['worker SIGKILL'].activities, byKind['worker SIGTERM'].activities]).toEqual([1, 0])
    expect(waits.afterKill).toEqual([15])
  })

  it('counts each attempt, also those that died before their first note', () => {
    const { byKind } = costsOf(
      [activity(3, 1000, 31_000)],
      [begin(2, 'a', 16_000)],
      [strike('worker SIGKILL', 1500, 'b'), strike('worker SIGKILL', 17_000, 'a')],
      none,
    )
    // 1 s to 16 s by b's death, 16 s to 31 s by a's.
    expect(byKind['worker SIGKILL']).toEqual({ activities: 2, rollouts: 0, seconds: 30 })
  })
})

describe('a strike that cut nothing off', () => {
  it('costs the time until the same request was answered, or nothing that is known', () => {
    const { byKind } = costsOf(
      [activity(1, 0, 1000)],
      [],
      [strike('S3 answers 500', 1000, null, 1250), strike('body cut short', 1000)],
      none,
    )
    expect(byKind['S3 answers 500'].seconds).toBe(0.25)
    expect(byKind['body cut short'].seconds).toBe(0)
  })
})

describe('rollouts sampled again', () => {
  const stored = (table: string) => (table === 't' ? 5000 : undefined)

  it('are those of a drawing whose attempt looked for its table after the store had it', () => {
    const notes = [begin(1, 'a', 1000), sample(1, 't', 1000), begin(2, 'b', 6000), sample(2, 't', 6000)]
    const { byKind, begun } = costsOf(
      [activity(2, 0, 6000)],
      notes,
      [strike('worker SIGKILL', 5500, 'a')],
      stored,
    )
    expect(byKind['worker SIGKILL'].rollouts).toBe(16)
    expect(begun).toBe(0)
  })

  it('are not those of an attempt that died before its table was stored', () => {
    const notes = [sample(1, 't', 1000), sample(2, 't', 4000), sample(1, 'never stored', 9000)]
    const { byKind, begun } = costsOf([activity(2, 0, 4000)], notes, [], stored)
    expect(Object.values(byKind).reduce((sum, { rollouts }) => sum + rollouts, 0)).toBe(0)
    expect(begun).toBe(1)
  })
})
