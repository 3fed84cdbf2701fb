/** Cases written from published answer formats before the grader was read (README.md there): at most 3% may be wrong. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { grade } from '../../activities/grading/index.ts'

interface Case {
  readonly id: string
  readonly gold: string
  readonly answer?: string
  readonly completion?: string
  readonly expected: boolean
}

it('judges answers in published formats as their authors do: none of 570 is wrong, of which 194 are wrong answers', () => {
  const cases = readFileSync(join(import.meta.dirname, 'published.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Case)
  expect(cases).toHaveLength(570)
  expect(cases.filter(({ expected }) => !expected)).toHaveLength(194)
  const wrong = cases.filter(({ gold, answer, completion, expected }) => {
    const policy = { extract: answer === undefined ? 'any' : 'whole' } as const
    return (
      (grade({ gold, completion: answer ?? completion ?? '', policy }).verdict === 'correct') !== expected
    )
  })
  expect(wrong.map(({ id }) => id)).toEqual([])
})
