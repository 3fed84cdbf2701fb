/** Answers that are wrong by construction (wrong.ts): of over 10,000, none may be accepted. */
import { expect, it } from 'vitest'
import { grade } from '../../activities/grading/index.ts'
import { wrongAnswers } from './wrong.ts'

it('rejects over 12,000 generated wrong answers of 39 kinds', () => {
  const all = wrongAnswers(1, 12_000)
  expect(all.length).toBeGreaterThanOrEqual(12_000)
  const kinds = new Set(all.map(({ kind }) => kind))
  expect(kinds.size).toBe(39)
  for (const kind of kinds) expect(all.filter((one) => one.kind === kind).length).toBeGreaterThan(50)
  const accepted = all.filter(
    ({ gold, answer, policy }) =>
      grade({ gold, completion: answer, policy: { extract: 'whole', ...policy } }).verdict === 'correct',
  )
  expect(accepted).toEqual([])
})

it('accepts each of their gold answers against itself', () => {
  const rejected = wrongAnswers(1, 2_000).filter(
    ({ gold }) => grade({ gold, completion: `\\boxed{${gold} }` }).verdict !== 'correct',
  )
  expect(rejected).toEqual([])
})

it('makes the same pairs from the same seed', () => {
  expect(wrongAnswers(3, 200)).toEqual(wrongAnswers(3, 200))
  expect(wrongAnswers(3, 200)).not.toEqual(wrongAnswers(4, 200))
})
