import { describe, expect, it } from 'vitest'
import { boxes, closingBoxes, lastBox } from '../../activities/grading/extract.ts'
import { operations } from '../../activities/grading/budget.ts'

describe('the last box of a completion', () => {
  it.each<[completion: string, answer: string | null, why: string]>([
    ['so \\boxed{47}$', '47', 'text after the box does not matter'],
    ['\\boxed{1} then \\boxed{2}', '2', 'the last box'],
    ['\\boxed{\\frac{1}{2}}', '\\frac{1}{2}', 'braces inside'],
    ['\\boxed{\\{1, 2\\}}', '\\{1, 2\\}', 'escaped braces are no braces'],
    ['\\boxed {7}', '7', 'a space before the brace'],
    ['\\fbox{7}', '7', 'the other command'],
    ['\\\\boxed{-3}', '-3', 'a completion that was escaped twice'],
    ['\\boxed{5} and \\boxed{6', '6', 'the last box decides, as far as it goes'],
    ['\\boxed{ \\boxed{5}', '5', 'an unclosed box around one'],
    ['\\boxed{\\boxed{3}}', '3', 'nested: the innermost'],
    ['<think>\\boxed{1}</think> it is \\boxed{2}', '2', 'after thinking'],
    ['<think>\\boxed{1}</think> it is 2', null, 'a box inside the thinking is not the answer'],
    ['ans 47', null, 'no box, no answer'],
    ['\\boxed 47', null, 'no braces'],
    ['', null, 'nothing'],
  ])('of %j is %j: %s', (completion, answer) => {
    expect(lastBox(completion)).toBe(answer)
  })

  it('costs one step a brace however many boxes stay open', () => {
    // A search for the matching brace from each box would look at 20,000 x 140,000 characters.
    expect(boxes('\\boxed{'.repeat(20_000))).toEqual([])
    expect(operations(() => boxes('\\boxed{'.repeat(20_000)))).toBe(20_000)
    expect(boxes(`${'\\boxed{'.repeat(20_000)}1${'}'.repeat(20_000)}`)).toHaveLength(20_000)
  })
})

describe('conventions on boxes', () => {
  const [cut, open] = ['\\boxed{5} and \\boxed{6', 'so <think> it is \\boxed{5} then']

  it('a last box that is cut off is read, no answer, or passed over', () => {
    const answer = (cutBox: 'read' | 'unanswered' | 'earlier') =>
      lastBox(cut, { cutBox, unclosedThinking: 'searched' })
    expect([answer('read'), answer('unanswered'), answer('earlier')]).toEqual(['6', null, '5'])
  })

  it('a box in thinking that does not end is the answer or none', () => {
    const answer = (unclosedThinking: 'searched' | 'ignored') =>
      lastBox(open, { cutBox: 'read', unclosedThinking })
    expect([answer('searched'), answer('ignored')]).toEqual(['5', null])
    const closed = '<think>\\boxed{4}</think> \\boxed{5} <think> or \\boxed{6}'
    expect(lastBox(closed, { cutBox: 'read', unclosedThinking: 'ignored' })).toBe('5')
  })
})

describe('the boxes that end an answer', () => {
  it.each<[completion: string, run: string[], why: string]>([
    ['\\boxed{7}', ['7'], 'one'],
    ['\\boxed{(98, 2)} \\quad \\text{and} \\quad \\boxed{(99, 503)}', ['(98, 2)', '(99, 503)'], 'and'],
    ['$\\boxed{1}$, $\\boxed{2}$, or $\\boxed{3}$.', ['1', '2', '3'], 'commas and or'],
    ['$y_1 = \\boxed{a}$ and $y_2 = \\boxed{b}$', ['a', 'b'], 'names between'],
    ['\\boxed{1} no, rather \\boxed{2}', ['2'], 'words between'],
    ['first \\boxed{1}. Then \\boxed{2}, \\boxed{3}', ['2', '3'], 'only the run that ends it'],
    ['none', [], 'no box'],
  ])('of %j are %j: %s', (completion, run) => {
    expect(closingBoxes(completion)).toEqual(run)
  })
})
