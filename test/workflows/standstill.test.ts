import { expect, test } from 'vitest'
import type { Pending } from '../../activities/pending.ts'
import { sentenceOf } from '../../workflows/standstill.ts'

const one = (given: Partial<Pending>): Pending => ({
  activity: 'sample',
  activityId: '1',
  queue: 'compute',
  state: 'scheduled',
  attempt: 1,
  sinceMs: 0,
  ...given,
})
const at = { phase: 'sample', done: 3, total: 16 } as const

test.each<[string | null, Pending[]]>([
  [null, []],
  ['waiting for a compute slot', [one({})]],
  ['computing', [one({ state: 'started' })]],
  ['computing: sample, 3 of 16', [one({ state: 'started', at })]],
  ['computing: sample, 3 of 16; 1 more waits for a compute slot', [one({}), one({ state: 'started', at })]],
  ['computing; 2 more wait for a compute slot', [one({}), one({}), one({ state: 'started' })]],
  ['waiting for a compute slot', [one({}), one({ queue: 'light', state: 'started' })]],
  ['working', [one({ queue: 'light', state: 'started' })]],
  ['waiting for a light worker', [one({ queue: 'light' })]],
  ['waiting for its next attempt', [one({ state: 'between attempts', attempt: 3 })]],
  [
    'waiting for its next attempt, since HubUnavailable: the Hub says 503, later',
    [
      one({
        state: 'between attempts',
        failure: { fault: 'HubUnavailable', message: 'the Hub says 503,\n later' },
      }),
    ],
  ],
  [
    'computing', // what an earlier attempt said is over
    [one({ state: 'started', failure: { fault: 'HubUnavailable', message: 'the Hub says 503' } })],
  ],
  ['waiting for somebody to unpause an activity', [one({ state: 'paused' })]],
])('%s', (sentence, pending) => {
  expect(sentenceOf(pending).sentence).toBe(sentence)
})
