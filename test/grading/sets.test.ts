/** Unions and intersections as the sets they are. */
import { expect, it } from 'vitest'
import { equivalent } from '../../activities/grading/index.ts'

it.each<[gold: string, given: string, same: boolean, why: string]>([
  ['[2,9]', '[2,5]\\cup[5,9]', true, 'intervals that touch'],
  ['(2,9)', '(2,5]\\cup(5,9)', true, 'with the point between in one of them'],
  ['(2,9)', '(2,5)\\cup(5,9)', false, 'or in none'],
  ['[2,9]', '(2,5]\\cup[5,9]', false, 'another end'],
  ['(-\\infty,8)', '(-\\infty,3]\\cup(-5,8)', true, 'intervals that overlap'],
  ['(-\\infty,\\infty)', '(-\\infty,3)\\cup(-5,\\infty)', true, 'to all numbers'],
  ['(2,9]', '(2,9)\\cup\\{9\\}', true, 'an end as a point'],
  ['(2,9)', '(2,9)\\cup\\{9\\}', false, 'which belongs to it'],
  ['(2,9)', '(2,9)\\cup\\{4\\}', true, 'a point within'],
  ['(2,3)\\cup(7,9)', '(7,9)\\cup(2,3)', true, 'apart, in any order'],
  ['(2,9)', '(2,3)\\cup(7,9)', false, 'apart'],
  ['(0,a)\\cup(b,1)', '(b,1)\\cup(0,a)', true, 'with ends that are not known'],
  ['(0,b)', '(0,a)\\cup(a,b)', false, 'which are not put together'],
  ['(3,5]', '(1,5]\\cap(3,9)', true, 'what two intervals have in common'],
  ['[3,5]', '(1,5]\\cap(3,9)', false, 'with its ends'],
  ['\\{5\\}', '(1,5]\\cap[5,9)', true, 'one point'],
  ['\\emptyset', '(1,5)\\cap[5,9)', true, 'or none'],
  ['\\{4,6\\}', '\\{2,4,6\\}\\cap\\{4,6,8\\}', true, 'finite sets'],
  ['\\{2,4,6,8\\}', '\\{2,4,6\\}\\cap\\{4,6,8\\}', false, 'which is not their union'],
  ['A \\cap B', 'A \\cup B', false, 'sets by their names'],
  ['\\mathbb{R} \\setminus \\{2\\}', '(-\\infty,2)\\cup(2,\\infty)', true, 'without a point'],
])('%j and %j: %s (%s)', (gold, given, same) => {
  expect(equivalent(gold, given)).toBe(same)
  expect(equivalent(given, gold)).toBe(same)
})
