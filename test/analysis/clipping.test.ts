import { expect, it } from 'vitest'
import { clipByDecile, clipCounts } from '../../activities/analysis/clipping.ts'

const counts = (tokens: number, low: number, high: number) => ({
  tokensByDecile: [tokens, ...Array<number>(8).fill(0), 100],
  clipLowByDecile: [low, ...Array<number>(9).fill(0)],
  clipHighByDecile: [high, ...Array<number>(9).fill(0)],
})

it('adds updates into a step, and steps into a run, decile by decile', () => {
  const steps = [clipCounts([counts(10, 1, 2), counts(20, 3, 0)]), clipCounts([counts(5, 0, 1)])]
  const total = clipByDecile(steps)
  expect(total).toHaveLength(10)
  expect(total?.[0]).toEqual({ decile: 0, tokens: 35, low: 4, high: 3 }) // 10 + 20 + 5, 1 + 3, 2 + 1
  expect(total?.[9]).toEqual({ decile: 9, tokens: 300, low: 0, high: 0 })
})

it('is null where no step counted, which is not the same as nothing clipped', () => {
  expect(clipByDecile([{ reward: 1 }])).toBeNull()
  expect(clipByDecile([])).toBeNull()
})
