import { expect, test } from 'vitest'
import { Pace } from '../../workflows/pace.ts'

test('the end is the last mark and so many mean times more', () => {
  const pace = new Pace()
  expect(pace.of(3)).toBeNull()
  pace.mark(0)
  expect(pace.of(3)).toBeNull() // a beginning says nothing of a pace
  pace.mark(2000)
  pace.mark(6000)
  // (6 s - 0 s) / 2 = 3 s each; 6 s + 3 x 3 s = 15 s
  expect(pace.of(3)).toEqual({ seconds: 3, endsAt: '1970-01-01T00:00:15.000Z' })
  expect(pace.of(0)?.endsAt).toBe('1970-01-01T00:00:06.000Z')
})

test('only the last ten count, and after a pause none of those before it', () => {
  // one of 100 s, then ten of 1 s
  const pace = new Pace([-100_000, ...Array.from({ length: 10 }, (_, i) => i * 1000)])
  pace.mark(10_000)
  expect(pace.of(1)?.seconds).toBe(1)
  pace.again(3_600_000)
  expect(pace.of(1)).toBeNull()
  pace.mark(3_605_000)
  expect(pace.of(2)).toEqual({ seconds: 5, endsAt: new Date(3_615_000).toISOString() })
})

test('a pace goes on with the times that an earlier history carried', () => {
  const pace = new Pace(new Pace([0, 4000]).times())
  pace.mark(10_000)
  expect(pace.of(1)?.seconds).toBe(5) // (10 - 0) / 2
})
