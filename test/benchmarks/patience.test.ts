/** Networks that answer nothing: what waits for them gives up, with a reason. */
import { expect, it } from 'vitest'
import { begun, patienceMs } from '../../activities/benchmarks/patience.ts'
import { isPassing } from '../../activities/faults/nature.ts'
import { load } from './loading.ts'

/** Never answers; ends with its signal, as fetch does. */
const silent = (_: string, { signal }: { readonly signal: AbortSignal }) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })

it('a set whose home does not answer says so, and what to do without it; another attempt may mend it', async () => {
  const loading = load({ name: 'amc' }, { folder: null, fetch: silent, patienceMs: 20 })
  const error = await loading.catch((error: unknown) => error as Error)
  expect(error).toMatchObject({
    message: expect.stringMatching(
      /^https:.*: no answer within 0 s; without network access, set PLACEBO_DATA_DIR to a folder with amc.jsonl$/,
    ) as string,
  })
  expect(isPassing(error)).toBe(true)
})

it('who is told to stop does not wait', async () => {
  const stopping = new AbortController()
  const asking = begun(silent, '', {}, stopping.signal)
  stopping.abort(new Error('stopped'))
  await expect(asking).rejects.toThrow('stopped')
})

it('the first two attempts are short, later ones wait longer, to a minute', () => {
  expect([1, 2, 3, 4, 20].map(patienceMs)).toEqual([3000, 3000, 6000, 12_000, 60_000])
})
