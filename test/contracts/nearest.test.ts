import { expect, it } from 'vitest'
import { didYouMean, distanceOf, nearest } from '../../activities/contracts/nearest.ts'

const rewards = ['ground-truth', 'majority', 'incorrect', 'format', 'python', 'no-repetition']

it.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['steps', 'step', 1], // one left out
  ['step', 'steps', 1], // one put in
  ['seed', 'sead', 1], // one exchanged
  ['train', 'trian', 1], // two neighbours swapped, not two exchanged
  ['ca', 'abc', 3], // swapped letters stay together, so this is one out and two in
  ['', 'abc', 3],
])('from %j to %j it is %i letters', (a, b, distance) => {
  expect(distanceOf(a, b)).toBe(distance)
  expect(distanceOf(b, a)).toBe(distance)
})

it.each([
  ['grund-truth', rewards, 'ground-truth'],
  ['groundtruth', rewards, 'ground-truth'],
  ['Format', rewards, 'format'],
  ['pyhton', rewards, 'python'],
  ['norepetition', rewards, 'no-repetition'],
  ['learning_rate', ['learningRate', 'eps'], 'learningRate'],
  ['max_tokens', ['maxTokens', 'topP'], 'maxTokens'],
  ['math500', ['math-500', 'amc'], 'math-500'],
  ['nano-coder', ['nano/coder', 'nano/talker'], 'nano/coder'],
  ['aime-2026', ['aime-2024', 'aime-2025'], 'aime-2024'], // of two that are as near, the first
  ['accuracy', rewards, null],
  ['x', ['seed', 'y'], 'y'], // one letter may be wrong in any name
  ['', rewards, null],
  ['format', rewards, null], // it is one
  ['-', rewards, null],
  ['g'.repeat(1e6), rewards, null],
  ['__proto__', rewards, null],
  ['constructor', rewards, null],
  ['toString', ['to'], null],
])('%.20s of %j is %j', (found, known, name) => {
  expect(nearest(found, known)).toBe(name)
  expect(didYouMean(found, known)).toBe(name === null ? '' : ` (did you mean "${name}"?)`)
})

it('what is no text means nothing', () => {
  for (const found of [3, null, undefined, ['format'], {}]) expect(didYouMean(found, rewards)).toBe('')
})
