import { describe, expect, it } from 'vitest'
import { phases } from '../../activities/nano/recipes.ts'
import {
  layoutOf,
  learningRate,
  phasesOf,
  pretrainingBatch,
  scheduleOf,
} from '../../activities/nano/schedule.ts'
import { encode } from '../../activities/nano/tokenizer.ts'

describe('the pretraining schedule', () => {
  it('adds up to 2,600 + 1,000 + 500 updates for the coder, 300 more for coder-87', () => {
    const total = (recipe: 'coder' | 'coder-87' | 'talker') =>
      phasesOf(recipe).reduce((sum, { updates }) => sum + updates, 0)
    expect([total('coder'), total('coder-87'), total('talker')]).toEqual([4100, 4400, 3600])
  })

  it('lets recipes of one layout share the base: equal schedules whatever the recipe', () => {
    expect(scheduleOf('talker', 'base')).toEqual(scheduleOf('coder', 'base'))
    expect([layoutOf('coder'), layoutOf('coder-llama')]).toEqual(['qwen2', 'llama'])
  })

  it('warms up over 100 updates, peaks, and ends at 5% of the peak', () => {
    const rate = (update: number) => learningRate(phases.base, update)
    expect(rate(0)).toBeCloseTo(3e-3 / 100, 12)
    expect(rate(99)).toBeCloseTo(3e-3, 12)
    expect(rate(100)).toBeCloseTo(3e-3, 12)
    expect(rate(2599)).toBeCloseTo(0.05 * 3e-3, 12)
  })

  it('learns the newline of the prompt and the response, the end token with it', () => {
    const { sequences, learningRate: rate } = pretrainingBatch('coder', 'base', 0, 7)
    expect(sequences).toHaveLength(64)
    expect(rate).toBeCloseTo((3e-3 * 8) / 100, 12)
    const [newline, end] = [encode('\n')[0], encode('$')[0]]
    for (const { prompt, completion, group, logprobs } of sequences) {
      expect(prompt).toEqual(encode(group).slice(0, 11))
      expect([completion[0], completion.at(-1)]).toEqual([newline, end])
      expect(logprobs).toHaveLength(completion.length)
    }
  })

  it('gives every update its own documents, and the same ones again', () => {
    expect(pretrainingBatch('coder', 'coder', 1, 3)).toEqual(pretrainingBatch('coder', 'coder', 1, 3))
    expect(pretrainingBatch('coder', 'coder', 1, 4)).not.toEqual(pretrainingBatch('coder', 'coder', 1, 3))
  })

  it('refuses a phase that the recipe lacks, by name', () => {
    expect(() => scheduleOf('talker', 'coder')).toThrow('recipe talker: no phase coder, it has base, talker')
  })
})
