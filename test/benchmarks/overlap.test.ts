import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findingsOf } from '../../activities/benchmarks/findings.ts'
import { overlapsOf } from '../../activities/benchmarks/overlap.ts'
import type { Problem } from '../../activities/benchmarks/problem.ts'
import { gramsOf, normalised, wordsOf } from '../../activities/benchmarks/statement.ts'
import { isReadable } from '../../activities/grading/readable.ts'
import { load, loadProblems } from './loading.ts'

const never = new AbortController().signal
const problemsOf = (...statements: string[]): Problem[] =>
  statements.map((problem, i) => ({ id: String(i), problem, answer: '1' }))

describe('a statement', () => {
  it.each([
    ['Find $x$.', 'find x', true, 'case, dollars, full stop'],
    ['Find\n\n  \\( \\dfrac{1}{2} \\)', 'find $\\frac{1}{2}$', true, 'spaces, marks of a formula, the size of a fraction'],
    ['$\\left( 1,\\,2 \\right)$', '$(1,2)$', true, 'sizes of brackets, spacing commands'],
    ['Compute 2 + 3', 'Compute 2 - 3', false, 'a sign'],
    ['Find f(x).', 'Find f(y).', false, 'a letter'],
    ['Find \\leftarrow', 'Find arrow', false, 'a command that only begins like one'],
  ])('%j and %j: the same is %s (%s)', (a, b, same) => {
    expect(normalised(a) === normalised(b)).toBe(same)
  }) // prettier-ignore

  it('has words without signs, and runs of them', () => {
    expect(wordsOf('Let $x_1$ be Ångström; find it!')).toEqual([
      'let',
      'x',
      '1',
      'be',
      'ångström',
      'find',
      'it',
    ])
    expect([...gramsOf(['a', 'b', 'c'], 2)]).toEqual(['a b', 'b c'])
    expect([...gramsOf(['a'], 2)]).toEqual([])
  })
})

describe('training data and a benchmark', () => {
  const thirteen = 'one two three four five six seven eight nine ten eleven twelve thirteen'
  const overlapOf = async (training: Problem[], problems: Problem[]) =>
    (await overlapsOf(training, [{ benchmark: 'b', problems }], never))[0]

  it('share what is stated the same, counted on both sides', async () => {
    expect(await overlapOf(problemsOf('Find x.', 'find $x$', 'other'), problemsOf('Find x', 'else'))).toEqual(
      {
        benchmark: 'b',
        problems: 2,
        same: { benchmark: 1, training: 2 },
        words: { benchmark: 0, training: 0 }, // two words are no run of 13
        first: [
          { training: '0', benchmark: '0', how: 'same' },
          { training: '1', benchmark: '0', how: 'same' },
        ],
      },
    )
  })

  it('share a run of 13 words, and 12 are none', async () => {
    const twelve = thirteen.split(' ').slice(1).join(' ')
    const found = await overlapOf(
      problemsOf(`Well: ${thirteen}?`, `Well: ${twelve}?`),
      problemsOf(`${thirteen} fourteen`, 'else'),
    )
    expect(found?.words).toEqual({ benchmark: 1, training: 1 })
    expect(found?.first).toEqual([{ training: '0', benchmark: '0', how: 'words' }])
  })

  it('name the same statements first, five pairs at most, and count all', async () => {
    const words = Array.from({ length: 9 }, (_, i) => `${thirteen} ${i}`)
    const found = await overlapOf(
      problemsOf(...words, 'Find x'),
      problemsOf(`${thirteen} and more`, 'Find x'),
    )
    expect(found?.words).toEqual({ benchmark: 1, training: 9 })
    expect(found?.first.map(({ how }) => how)).toEqual(['same', 'words', 'words', 'words', 'words'])
  })

  it('stop when they are told to', async () => {
    const comparing = overlapsOf(problemsOf('a'), [], AbortSignal.abort(new Error('stopped')))
    await expect(comparing).rejects.toThrow('stopped')
  })
})

describe('findings', () => {
  it('are statements that come again and answers that are compared as text only, by place', () => {
    const problems = [
      ...problemsOf('Find x', 'Find $x$.', 'find x!', 'Find y'),
      { id: '9', problem: 'z', answer: '\\div' },
    ]
    const places = new Map([['0', 'f:1'], ['1', 'f:2'], ['9', 'f:9']]) // prettier-ignore
    const [first, second, ...rest] = problems
    expect(findingsOf([first!, second!, { ...rest[0]!, answer: '2' }, ...rest.slice(1)], places)).toEqual({
      duplicates: { count: 2, first: ['f:2: as f:1', 'problem 2: as f:1, with another answer'] },
      unreadable: { count: 1, first: ['f:9: "\\\\div"'] },
    })
  })

  it.each([
    ['\\frac{1}{2}', true, 'an expression'],
    ['(C)', true, 'a choice'],
    ['8:34 p.m.', true, 'a time'],
    ['no solution', true, 'words'],
    ['\\text{Evelyn}', true, 'words'],
    ['The answer is $\\boxed{5}$', true, 'an expression within'],
    ['\\div', false, 'a sign alone'],
    ['1:5 000 000', true, 'a scale with spaces'],
    ['N \\equiv 672 \\pmod{1000}', false, 'a congruence'],
    ['$$', false, 'nothing'],
  ])('the grader reads %j: %s (%s)', (gold, readable) => expect(isReadable(gold)).toBe(readable))

  it('say nothing of problems that are made here', async () => {
    const reach = { folder: null, fetch: () => Promise.reject(new Error('no network')) }
    for (const name of ['nano', 'arithmetic'] as const) {
      const { problems, places } = await load({ name }, reach)
      const { duplicates, unreadable } = findingsOf(problems, places)
      expect([duplicates.count, unreadable.count]).toEqual([0, 0])
    }
  })
})

const folder = process.env['PLACEBO_DATA_DIR'] ?? ''
describe.runIf(existsSync(join(folder, 'deepscaler-level-5.jsonl')))('DeepScaleR as published', () => {
  const reach = { folder, fetch: () => Promise.reject(new Error('no network')) }

  it('has five problems of MATH-500 in it, and shares phrases with more', async () => {
    const sets = ['math-500', 'amc', 'aime-2024', 'aime-2025'] as const
    const benchmarks = await Promise.all(
      sets.map(async (name) => ({ benchmark: name, problems: await loadProblems({ name }, reach) })),
    )
    const found = await overlapsOf(await loadProblems({ name: 'deepscaler' }, reach), benchmarks, never)
    expect(found.map(({ benchmark, same, words }) => [benchmark, same.benchmark, words.benchmark])).toEqual([
      ['math-500', 5, 59],
      ['amc', 0, 13],
      ['aime-2024', 0, 10],
      ['aime-2025', 0, 11],
    ])
  })

  it('states 1,399 problems again, and 29 of its answers are compared as text only', async () => {
    const { problems, places } = await load({ name: 'deepscaler' }, reach)
    const { duplicates, unreadable } = findingsOf(problems, places)
    expect([duplicates.count, unreadable.count]).toEqual([1399, 29])
    expect(duplicates.first[0]).toBe('deepscaler-level-1.jsonl:21: as deepscaler-level-1.jsonl:14')
  })
})
