/** How long a request may take is said by what it was given. */
import { expect, it } from 'vitest'
import { limitsOf } from '../../activities/reading/limits.ts'

const problems = (count: number, characters: number) =>
  Array.from({ length: count }, (_, i) => ({ id: String(i), problem: 'x'.repeat(characters) }))

it('a model has 8 s, whatever it is; 100 problems of 990 characters have 100,000 / 50 ms more, 8 s of silence each', () => {
  expect(limitsOf('model', { files: [] }, 1)).toEqual({ totalMs: 8000, silenceMs: 8000 })
  const ask = { tokenizer: [], prompt: 'x{problem}', problems: problems(100, 990) }
  expect(limitsOf('prompts', ask, 1)).toEqual({ totalMs: 8000 + 2000, silenceMs: 8000 })
})

it('a file of 15 MB may be read for two minutes and 150 s more, as long as it is heard every 8 s', () => {
  const ask = { data: { split: 'train' as const }, files: [], sizeBytes: 15e6, to: '' }
  expect(limitsOf('data', ask, 1)).toEqual({ totalMs: 120_000 + 150_000, silenceMs: 8000 })
})
