import { describe, expect, it } from 'vitest'
import { promptNames, renderPrompt } from '../../activities/benchmarks/prompts.ts'

const problem = { id: 'p', problem: 'What is $1+1$? Write $& as it is.', answer: '2' }

describe('a named prompt', () => {
  it.each(promptNames)('%s holds the problem, character for character', (name) => {
    for (const chat of [true, false]) {
      const rendered = renderPrompt(name, problem, { chat })
      const text = 'text' in rendered ? rendered.text : rendered.messages.at(-1)?.content
      expect(text).toContain(problem.problem)
    }
  })

  it('default leaves a chat model its own system prompt', () => {
    expect(renderPrompt('default', problem, { chat: true })).toMatchObject({
      messages: [{ role: 'user', content: problem.problem }],
      stop: [],
    })
  })

  it('default asks a base model in the R1 style and stops at the end of the answer', () => {
    const rendered = renderPrompt('default', problem, { chat: false })
    expect(rendered.stop).toEqual(['</answer>'])
    expect('text' in rendered && rendered.text).toMatch(/\n<\|assistant\|>\n<think>$/)
  })

  it('plain is the problem and nothing else, with a template or without', () => {
    for (const chat of [true, false])
      expect(renderPrompt('plain', problem, { chat })).toEqual({
        prefix: '',
        stop: [],
        text: problem.problem,
      })
  })

  it('python begins the answer itself', () => {
    expect(renderPrompt('python', problem, { chat: true }).prefix).toBe("Let's solve this using Python.")
  })

  it('may be a template of the caller', () => {
    expect(renderPrompt('Q: {problem} A:', { ...problem, problem: '1+1' }, { chat: false })).toMatchObject({
      text: 'Q: 1+1 A:',
    })
  })

  it('that nobody knows is refused with the names there are', () => {
    expect(() => renderPrompt('defualt', problem, { chat: true })).toThrow(
      /prompt defualt: expected default, .*plain/,
    )
  })
})
