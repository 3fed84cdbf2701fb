import { describe, expect, it } from 'vitest'
import { isRestored, remembered, rougeL, split } from '../../activities/analysis/memory.ts'

describe('a statement', () => {
  it.each([
    ['What is 1 + 1 in base two?', 0.6, 'What is 1 + 1', ' in base two?'], // 26 characters, 15: inside "in"
    ['What is 1 + 1 in base two?', 0.4, 'What is 1', ' + 1 in base two?'], // 10: after the blank
    ['calc 17+3*4\n', 0.6, 'calc 17', '+3*4\n'], // 7: between a number and a sign
    ['calc 17+3*4\n', 0.8, 'calc 17+3', '*4\n'],
    ['Compute 123456.', 0.8, 'Compute', ' 123456.'], // 12: inside the number
    ['ünïcode 𝒳𝒴 end', 0.7, 'ünïcode', ' 𝒳𝒴 end'], // characters, not UTF-16 units: 14, 9
    ['abcdefghij', 0.4, 'abcd', 'efghij'], // one word: cut where it was asked to be
  ])('%j is cut at %d into %j and %j', (text, share, head, rest) => {
    expect(split(text, share)).toEqual({ head, rest })
    expect(head + rest).toBe(text)
  })

  it.each(['', 'x', '   x', ' \n'])('%j is too short to be cut at 0.4', (text) => {
    expect(split(text, 0.4)).toBeNull()
  })
})

describe('the rest of a statement', () => {
  it.each([
    [' in base two?', ' in base two?', true, 'the very text'],
    [' in base two?', 'in  base\ntwo? Let us see: 10.', true, 'white space aside, and it may go on'],
    [' in base two?', ' in base ten?', false, 'another word'],
    [' in base two?', ' in base', false, 'not all of it'],
    [' equals 4', ' equals 42', false, 'a longer number'],
    [' equals 4', ' equals 4. So', true, 'its end'],
    [' + 4', ' + 4 + 5', true, 'begins with it'],
    ['*4\n', '', false, 'nothing'],
  ])('%j is restored by %j: %j, %s', (rest, continuation, expected) => {
    expect(isRestored(rest, continuation)).toBe(expected)
  })

  it.each([
    ['a b c d', 'a b c d', 1],
    ['a b c d', 'a b c d and much more', 1], // as many words as were cut off
    ['a b c d', 'x a b y', 0.5], // a b: 2 · 2 / (4 + 4)
    ['a b c d', 'a c', 2 / 3], // 2 · 2 / (4 + 2)
    ['a b c d', 'd c b a', 0.25], // one of them in order
    ['x+1', 'X + 2', 2 / 3], // x, + of x, +, 1
    ['a', '', 0],
    ['', 'a', 0],
  ])('%j against %j overlaps by %d', (rest, continuation, expected) => {
    expect(rougeL(rest, continuation)).toBeCloseTo(expected, 12)
  })
})

it('sums up statements, with intervals', () => {
  const one = (exact: boolean, rougeL: number, correct: boolean) => ({ exact, rougeL, correct })
  const sum = remembered([
    one(true, 1, true),
    one(false, 0.5, true),
    one(false, 0, false),
    one(false, 0.5, true),
  ])
  expect(sum).toMatchObject({ exact: { value: 0.25 }, rougeL: { value: 0.5 }, correct: { value: 0.75 } })
  expect(sum.exact.low).toBeCloseTo(0.0456, 3) // Wilson, 1 of 4
  expect(sum.exact.high).toBeCloseTo(0.6994, 3)
  // deviation sqrt(.5 / 3) = .4082, error .2041, t of 3 degrees 3.182: .5 ± .6496, cut to 0..1
  expect(sum.rougeL).toEqual({ value: 0.5, low: 0, high: 1 })
  expect(() => remembered([])).toThrow('remembered: expected at least one statement, found none')
})
