import { describe, expect, it } from 'vitest'
import { defaultPolicy } from '../../activities/grading/policy.ts'
import { answerOfGold, answersOf, type Route } from '../../activities/grading/routes.ts'

describe('an answer without a box', () => {
  it.each<[completion: string, route: Route, answer: string, why: string]>([
    ['<think>hm</think><answer>42</answer>', 'tag', '42', 'tags'],
    ['$x < 5$', 'whole', '$x < 5$', 'nothing but a formula'],
    ['1,000.99', 'whole', '1,000.99', 'nothing but a number'],
    ['$\\frac{1}{3} \\text{meters}$', 'whole', '$\\frac{1}{3} \\text{meters}$', 'a formula with its unit'],
    ['Therefore the answer is +7', 'stated', '+7', 'a statement'],
    ['The answer is $28 \\%$. I hope it is correct.', 'stated', '28 \\%', 'a formula in a statement'],
    ['The answer is 3. No: the answer is 4.', 'stated', '4', 'the last statement'],
    ['**Final Answer:** 12,000,023. Done.', 'stated', '12,000,023', 'emphasis'],
    ['Final Answer: The volume of $ABCD$ is 120. I hope so.', 'stated', '120', 'after the last "is"'],
    ['Final Answer: Jane began 3 hours ago.', 'stated', '3', 'a number in a stated sentence'],
    ['The answer is:\n$$\n\\frac12\n$$', 'stated', '\n\\frac12\n', 'a formula on its own lines'],
    ['The answer is $12$ and $13$.', 'stated', '12, 13', 'two formulas'],
    ['So the final answer is Paris.', 'stated', 'Paris', 'words'],
    ['La réponse est 105.', 'stated', '105', 'another language'],
    ['所以答案是13。', 'stated', '13', 'and another'],
    ['Thus $q(x)$ lives on the interval $(0, 1)$, as shown.', 'formula', '(0, 1)', 'the last formula'],
    ['The angle of $x$ and $y$ grows by 100%.', 'number', '100%', 'formulas that are only names'],
    ['66公斤 + 126公斤 = 192公斤', 'number', '192', 'the last number'],
    ['Claire eats $7$ dozens in 4 weeks.', 'formula', '7', 'the formula of a sentence'],
    ['For $x=2$ the value becomes 7.', 'number', '7', 'unless it sets a name'],
    ['The result is the area. It measures \\(27\\).', 'formula', '27', 'a result without a value'],
    ['The point is (2, 3).', 'number', '(2, 3)', 'or tuple'],
    ['It costs 0,30 in all', 'number', '0,30', 'a decimal comma'],
    ['The answer is $5 and not $6.', 'stated', '$5', 'dollars that are money'],
    ['计划的比例为13/28', 'number', '13/28', 'a quotient'],
    ['A simple test.', 'words', 'A simple test.', 'a short text'],
    ['It is 2/3. <|im_end|>\n<|im_start|>user 9', 'number', '2/3', 'another turn does not count'],
  ])('in %j comes by %s: %j: %s', (completion, route, text) => {
    expect(answersOf(completion, '1', defaultPolicy)).toEqual([{ route, text }])
  })

  it.each<[completion: string, route: Route, answer: string]>([
    ['The answer is for sure D, it cannot be A or B', 'stated', 'D'],
    ['Because B is valid', 'choice', 'B'],
    ['A is right', 'choice', 'A'],
    ['A rises too fast. The right graph is \\(C\\).', 'choice', 'C'],
    ['所以选C', 'choice', 'C'],
    ['A careful look shows C', 'choice', 'C'],
  ])('in %j comes by %s as %j where the gold answer is a choice', (completion, route, text) => {
    expect(answersOf(completion, '(A)', defaultPolicy)).toEqual([{ route, text }])
  })

  it('is none in a long text without numbers or formulas, and in nothing', () => {
    expect(answersOf('word '.repeat(100), '1', defaultPolicy)).toEqual([])
    expect(answersOf('', '1', defaultPolicy)).toEqual([])
  })

  it('is never looked for where there is a box', () => {
    expect(answersOf('The answer is 8. \\boxed{4 + (}', '8', defaultPolicy)).toEqual([
      { route: 'box', text: '4 + (' },
    ])
  })
})

describe('the answer of a gold text', () => {
  it.each<[gold: string, answer: string, why: string]>([
    ['\\frac12', '\\frac12', 'it is the answer'],
    ['So the result: \\[ \\boxed{111} \\]', '111', 'its box'],
    ['\\(\\boxed{1}\\) and \\(\\boxed{-2}\\).', '1, -2', 'its boxes'],
    ['\\boxed{W(n) = 1', 'W(n) = 1', 'a box cut off'],
    ['We add. The final answer is $28$. I hope so.', '28', 'what it states'],
  ])('%j is %j: %s', (gold, answer) => {
    expect(answerOfGold(gold)).toBe(answer)
  })
})
