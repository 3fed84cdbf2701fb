/** Which steps of a run another reward is computed for. */
import { expect, it } from 'vitest'
import { stepsToScore } from '../activities/score.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

it('the steps asked for are scored, or all of a run whose results one payload carries', () => {
  expect(stepsToScore('r', [1, 2, 3])).toEqual([1, 2, 3])
  expect(stepsToScore('r', [1, 2, 3], [3, 1])).toEqual([3, 1])
  expect(stepsToScore('r', upTo(5000))).toHaveLength(5000)
})

it('a longer run is scored by the steps that are given', () => {
  expect(stepsToScore('r', upTo(5001), [5001])).toEqual([5001])
  expect(() => stepsToScore('r', upTo(5001))).toThrow(
    'steps: expected at most 5000 at once, found 5001 in run r: give those to score in `steps`',
  )
})

it('a step that is not there is refused, with the first of those that are', () => {
  expect(() => stepsToScore('r', [1, 2], [3])).toThrow('steps: run r has no step 3, there are 1, 2')
  expect(() => stepsToScore('r', [])).toThrow('steps: run r has no step 1, there are none')
  expect(() => stepsToScore('r', upTo(5001), [6000])).toThrow(
    /no step 6000, there are 1, 2, .*, 100 and 4901 more$/,
  )
})
