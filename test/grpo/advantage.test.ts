import { expect, test } from 'vitest'
import { advantages, spread } from '../../activities/grpo/advantage.ts'

const table = (rows: readonly [group: string, reward: number, tokens: number][]) =>
  rows.map(([group, reward, tokens]) => ({ group, reward, tokens }))
const group = { scale: 'group', whiten: false } as const

test('two groups of two by hand: each reward against its own group', () => {
  // a: mean 0.5, deviation √(2·0.25 / 1) = 0.70711, so ±0.5 / 0.70711 = ±0.70711; b: mean 2, deviation √2, ±1 / √2
  const found = advantages(
    table([
      ['a', 1, 3],
      ['b', 1, 3],
      ['a', 0, 3],
      ['b', 3, 3],
    ]),
    group,
  )
  const expected = [Math.SQRT1_2, -Math.SQRT1_2, -Math.SQRT1_2, Math.SQRT1_2]
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5)
})

test('scale batch divides by the deviation of all rewards, none by nothing', () => {
  const rows = table([
    ['a', 1, 1],
    ['a', 0, 1],
    ['b', 1, 1],
    ['b', 0, 1],
  ])
  // rewards 1 0 1 0: mean 0.5, deviation √(4·0.25 / 3) = 0.57735, 0.5 / 0.57735 = 0.86603
  const batch = advantages(rows, { scale: 'batch', whiten: false })
  expect(batch[0]).toBeCloseTo(0.86603, 4)
  expect(advantages(rows, { scale: 'none', whiten: false })).toEqual([0.5, -0.5, 0.5, -0.5])
})

test('a group without variance gets exactly 0, whatever the scale', () => {
  const rows = table([
    ['a', 0.1, 1],
    ['a', 0.1, 1],
    ['a', 0.1, 1],
    ['b', 1, 1],
    ['b', 0, 1],
  ])
  for (const scale of ['group', 'batch', 'none'] as const)
    expect(advantages(rows, { scale, whiten: false }).slice(0, 3)).toEqual([0, 0, 0])
})

test('a group of one has nothing to compare with', () => {
  expect(advantages(table([['a', 1, 1]]), group)).toEqual([0])
})

test('whitening is weighted by tokens, so a group without variance can get an advantage', () => {
  // after the group: a ±1/√2 (3 and 1 tokens), b 0 0 (2 and 2). mean (3·.70711 - .70711) / 8 = .17678,
  // variance (3·.28125 + .78125 + 4·.03125) / 8 = .21875, root .46771; b: -.17678 / .46771 = -.37796
  const found = advantages(
    table([
      ['a', 1, 3],
      ['a', 0, 1],
      ['b', 1, 2],
      ['b', 1, 2],
    ]),
    { scale: 'group', whiten: true },
  )
  expect(found[2]).toBeCloseTo(-0.37796, 4)
  expect(found[3]).toBe(found[2])
})

test('all advantages zero stay zero under whitening', () => {
  const rows = table([
    ['a', 1, 3],
    ['a', 1, 5],
  ])
  expect(advantages(rows, { scale: 'group', whiten: true })).toEqual([0, 0])
})

test('spread: mean deviation of the groups and the share without any', () => {
  const rows = table([
    ['a', 1, 1],
    ['a', 0, 1],
    ['b', 1, 1],
    ['b', 1, 1],
  ])
  expect(spread(rows).deviation).toBeCloseTo(Math.SQRT1_2 / 2, 12)
  expect(spread(rows).shareZero).toBe(0.5)
})
