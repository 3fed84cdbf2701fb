/** Relations that have a direction, sets by their names, and what "and" and "or" say between statements: asked both ways. */
import { describe, expect, it } from 'vitest'
import { equivalent } from '../../activities/grading/index.ts'

type Row = readonly [gold: string, given: string, equal: boolean, why: string]

const rows: Readonly<Record<string, readonly Row[]>> = {
  'sets by their names': [
    ['x\\in\\mathbb{Z}', 'x\\in\\mathbb{N}', false, 'another set'],
    ['x\\in\\mathbb{Z}', '$x \\in Z$', true, 'the same set'],
    ['x\\in A', 'x\\in B', false, 'another set'],
    ['x\\in A', 'y\\in A', false, 'another element'],
    ['x\\in\\mathbb{Z}', 'x\\in[0,1]', false, 'a set by its name beside an interval'],
    ['k\\pi, k\\in\\mathbb{Z}', 'k\\pi, k\\in\\mathbb{N}', false, 'another set of k'],
    ['k\\pi, k\\in\\mathbb{Z}', 'n\\pi, n\\in\\mathbb{Z}', true, 'another name for k'],
    ['x=2k\\pi, k\\in\\mathbb{Z}', 'x=2k\\pi, k\\in\\mathbb{N}', false, 'another set of k'],
    ['x=2k\\pi, k\\in\\mathbb{Z}', 'x=2n\\pi, n\\in\\mathbb{Z}', true, 'another name for k'],
  ],
  direction: [
    ['x\\to 2', '2\\to x', false, 'the other way round'],
    ['x\\to 2', '2\\leftarrow x', true, 'an arrow read from its end'],
    ['x\\to 2', 'x → 2', true, 'a sign of typography'],
    ['A\\to B', 'B\\to A', false, 'the other way round'],
    ['A\\Rightarrow B', 'B\\Rightarrow A', false, 'the converse'],
    ['A\\Rightarrow B', 'B\\Leftarrow A', true, 'the same, read from its end'],
    ['A\\Rightarrow B', 'A\\implies B', true, 'another command'],
    ['A\\Rightarrow B', 'A\\Leftrightarrow B', false, 'one direction of two'],
    ['p\\implies q', 'q\\implies p', false, 'the converse'],
    ['p\\iff q', 'q\\Leftrightarrow p', true, 'both directions'],
    ['a\\mapsto b', 'b\\mapsto a', false, 'the inverse'],
    ['x\\mapsto x^2-1', 'x\\mapsto (x-1)(x+1)', true, 'the same rule'],
    ['a\\in B', 'B\\in a', false, 'element and set'],
    ['a\\in B', 'B\\ni a', true, 'the set first'],
    ['x\\notin A', 'A\\notin x', false, 'element and set'],
    ['x\\not\\in[0,1]', '[0,1]', false, 'outside of it'],
    ['x\\not\\in[0,1]', 'x\\notin [0, 1]', true, 'two spellings'],
    ['A\\subset B', 'B\\subset A', false, 'part and whole'],
    ['A\\subset B', 'B\\supset A', true, 'the whole first'],
    ['a\\ll b', 'b\\ll a', false, 'small and large'],
    ['A\\hookrightarrow B', 'B\\hookrightarrow A', false, 'an arrow that is no relation here'],
    ['A\\subseteq B', 'A \\subseteq B ', true, 'spaces'],
    ['5=x', 'x=5', true, 'an equation has no direction'],
    ['x\\ne y', 'y\\ne x', true, 'nor has its opposite'],
    ['x<5', '5>x', true, 'an inequality mirrored'],
  ],
  'and, or': [
    ['x<1 \\text{ or } x>5', 'x<1 \\text{ and } x>5', false, 'nothing is both'],
    ['x<1 \\text{ or } x>5', 'x<1 and x>5', false, 'the same in plain text'],
    ['x<1 \\text{ or } x>5', 'x>5 or x<1', true, 'the order'],
    ['x<1 \\text{ or } x>5', 'x<1, x>5', true, 'a comma'],
    ['x<1 \\text{ or } x>5', '(-\\infty,1)\\cup(5,\\infty)', true, 'a union'],
    ['(-\\infty,1)\\cup(5,\\infty)', 'x<1 \\text{ and } x>5', false, 'nothing is both'],
    ['x>1 \\text{ and } x<5', '(1,5)', true, 'what both say'],
    ['x>1 \\text{ and } x<5', 'x<5 and x>1', true, 'the order'],
    ['x>1 \\text{ and } x<5', 'x>1 or x<5', false, 'either'],
    ['x>1, y>2', 'x>1 or y>2', false, 'one of two'],
    ['1 \\text{ and } 2', '1, 2', true, 'values'],
    ['1 \\text{ and } 2', '2 or 1', true, 'values joined by or'],
    ['x=1 \\text{ or } x=2', 'x=1 and x=2', true, 'values of one name'],
    ['x=1 \\text{ or } x=2', 'x = 1, 2', true, 'values of one name'],
    ['x=1, y=2', 'x=1 or y=2', false, 'one of two'],
    ['x=1, y=2', 'x=1 and y=2', true, 'both'],
    ['x=1 \\text{ and } y=2', 'x=1 \\text{ or } y=2', false, 'one of two'],
    ['(1,2)', 'x=1 or y=2', false, 'one of two'],
    ['x=1, y=2 \\text{ or } x=3, y=4', '(1,2),(3,4)', true, 'pairs joined by or'],
    ['x=1, y=2 \\text{ or } x=3, y=4', 'x=1 and y=2, x=3 and y=4', true, 'pairs joined by and'],
  ],
}

describe.each(Object.entries(rows))('%s', (_, all) => {
  it.each(all)('%j and %j: %j, %s', (gold, given, equal) => {
    expect(equivalent(gold, given)).toBe(equal)
    expect(equivalent(given, gold)).toBe(equal)
  })
})
