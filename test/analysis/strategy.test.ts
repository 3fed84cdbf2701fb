import { describe, expect, it } from 'vitest'
import type { Switch, Switching } from '../../activities/analysis/strategy.ts'
import {
  contribute,
  meanContributions,
  strategyOf,
  switches,
  switching,
} from '../../activities/analysis/strategy.ts'

type Counts = readonly [problems: number, before: number, after: number]

/** Qwen2.5-Math-7B on MATH-500, step 150 (arXiv 2506.10947, Table 2 and its appendix), in the order of `switches`. */
const paper: Readonly<Record<string, { counts: readonly Counts[]; percent: readonly number[]; gain: number }>> = {
  'ground truth': {
    counts: [[165, 105, 119], [160, 93, 125], [72, 20, 56], [103, 29, 91]],
    percent: [9.7, 22.2, 25.0, 43.1],
    gain: 28.8,
  },
  majority: {
    counts: [[243, 148, 172], [82, 50, 64], [119, 28, 96], [56, 21, 50]],
    percent: [17.8, 10.4, 50.4, 21.5],
    gain: 27.0,
  },
  format: {
    counts: [[314, 191, 212], [11, 7, 5], [152, 36, 119], [23, 13, 21]],
    percent: [19.1, -1.8, 75.5, 7.3],
    gain: 22.0,
  },
  incorrect: {
    counts: [[301, 182, 210], [24, 16, 20], [129, 29, 100], [46, 20, 38]],
    percent: [23.1, 3.3, 58.7, 14.9],
    gain: 24.2,
  },
  random: {
    counts: [[268, 164, 155], [57, 34, 41], [142, 34, 98], [33, 15, 31]],
    percent: [-11.5, 9.0, 82.1, 20.5],
    gain: 15.6,
  },
} // prettier-ignore

const subsetsOf = (counts: readonly Counts[]) =>
  Object.fromEntries(
    switches.map((name, i) => {
      const [problems = 0, before = 0, after = 0] = counts[i] ?? []
      return [name, { problems, before, after }]
    }),
  ) as Switching['subsets']
const rounded = (ratios: Readonly<Record<Switch, number>> | null) =>
  switches.map((name) => Number((100 * (ratios?.[name] ?? NaN)).toFixed(1)))

describe('partial contributions', () => {
  it.each(Object.entries(paper))('of %s are the published ones', (_, { counts, percent, gain }) => {
    const result = contribute(subsetsOf(counts))
    expect(result.problems).toBe(500)
    expect(100 * result.gain).toBeCloseTo(gain, 9)
    expect(rounded(result.contributions)).toEqual(percent)
  })

  it('averaged without weights give the paper’s Table 2: 11.6 / 8.6 / 58.3 / 21.4 of a gain of 23.5', () => {
    const all = Object.values(paper).map(({ counts }) => contribute(subsetsOf(counts)))
    expect(rounded(meanContributions(all))).toEqual([11.6, 8.6, 58.3, 21.4])
    expect(all.reduce((sum, { gain }) => sum + 20 * gain, 0).toFixed(1)).toBe('23.5') // 100 / 5 rewards
  })

  it('do not exist where nothing was gained, and do not count in the average', () => {
    const flat = contribute(subsetsOf([[10, 5, 6], [10, 5, 4], [0, 0, 0], [0, 0, 0]])) // prettier-ignore
    expect(flat).toMatchObject({ gain: 0, contributions: null })
    expect(meanContributions([flat])).toBeNull()
  })
})

describe('splitting problems by strategy', () => {
  it('follows the problem, not the order, and the majority of its samples', () => {
    const before = [
      { problem: 'a', correct: 0, code: 1 },
      { problem: 'b', correct: 0.25, code: 0.25 },
      { problem: 'c', correct: 1, code: 0 },
    ]
    const after = [
      { problem: 'c', correct: 1, code: 0.5 }, // half is not most
      { problem: 'b', correct: 0.75, code: 1 },
      { problem: 'a', correct: 1, code: 0.75 },
    ]
    const { subsets, gain } = switching(before, after)
    expect(subsets['code→code']).toEqual({ problems: 1, before: 0, after: 1 })
    expect(subsets['language→code']).toEqual({ problems: 1, before: 0.25, after: 0.75 })
    expect(subsets['language→language']).toEqual({ problems: 1, before: 1, after: 1 })
    expect(gain).toBeCloseTo(1.5 / 3, 12)
  })

  it('refuses evaluations of different problems', () => {
    const one = [{ problem: 'a', correct: 1, code: 0 }]
    expect(() => switching(one, [{ problem: 'b', correct: 1, code: 0 }])).toThrow('the same problems twice')
  })
})

it.each([
  ['```Python\nprint(1)```', 'code'],
  ['python t=2*3#6', 'code'],
  ['```js\n1```', 'language'],
  ['', 'language'],
])('%j reasons in %s', (text, strategy) => {
  expect(strategyOf(text)).toBe(strategy)
})
