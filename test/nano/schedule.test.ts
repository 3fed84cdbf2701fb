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
  it('warms up over 100 updates, peaks, and ends at 5% of the peak', () => {
    const rate = (update: number) => learningRate(phases.base, update)
    expect(rate(0)).toBeCloseTo(3e-5, 12) // 3e-3 / 100
    expect(rate(99)).toBeCloseTo(3e-3, 12)
    expect(rate(100)).toBeCloseTo(3e-3, 12) // the cosine begins at its top
    expect(rate(1350)).toBeCloseTo(3e-3 * (0.05 + 0.95 / 2), 5) // half way, 100 + 2500 / 2
    expect(rate(2599)).toBeCloseTo(1.5e-4, 12)
  })

  it('names the phases of a recipe with their updates', () => {
    expect(phasesOf('coder-87')).toEqual([
      { phase: 'base', updates: 2600 },
      { phase: 'coder-apart', updates: 1000 },
      { phase: 'coder', updates: 500 },
      { phase: 'coder-87', updates: 300 },
    ])
    expect([layoutOf('talker'), layoutOf('coder-llama')]).toEqual(['qwen2', 'llama'])
  })

  it('is the same data for two recipes that share a phase', () => {
    expect(scheduleOf('coder', 'base')).toEqual(scheduleOf('talker', 'base'))
    expect(pretrainingBatch('coder', 'base', 0, 5)).toEqual(pretrainingBatch('talker', 'base', 0, 5))
  })

  it('refuses a phase that a recipe does not have', () => {
    expect(() => scheduleOf('talker', 'coder')).toThrow('recipe talker: no phase coder, it has base, talker')
  })
})

describe('a pretraining batch', () => {
  const batch = pretrainingBatch('coder', 'coder', 0, 3)

  it('has 64 documents, learnt from the newline of the prompt on', () => {
    expect(batch.sequences).toHaveLength(64)
    for (const { group, prompt, completion } of batch.sequences) {
      expect(prompt).toEqual(encode(group.slice(0, 11)))
      expect(completion[0]).toBe(encode('\n')[0])
      expect(completion.at(-1)).toBe(encode('$')[0])
    }
  })

  it('differs from update to update and carries its learning rate', () => {
    expect(pretrainingBatch('coder', 'coder', 0, 4).sequences).not.toEqual(batch.sequences)
    expect(batch.learningRate).toBe(learningRate(phases.coder, 3))
  })
})
