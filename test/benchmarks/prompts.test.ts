import { describe, expect, it } from 'vitest'
import { isPrompt, promptKey, promptNames, renderPrompt } from '../../activities/benchmarks/prompts.ts'

const problem = { id: 'p', problem: 'What is $1+1$? $& $1', answer: '2' }
const chat = (name: string) => renderPrompt(name, problem, { chat: true })
const bare = (name: string) => renderPrompt(name, problem, { chat: false })

describe('a prompt', () => {
  it('by default is the user’s message alone: the template brings its own system prompt', () => {
    expect(chat('default')).toEqual({
      messages: [{ role: 'user', content: problem.problem }],
      prefix: '',
      stop: [],
    })
  })

  it('by default is in the R1 style for a policy without a template, and stops at the answer’s end', () => {
    const rendered = bare('default')
    expect(rendered).toEqual(bare('r1'))
    expect(rendered.stop).toEqual(['</answer>'])
    const text = 'text' in rendered ? rendered.text : ''
    expect(text.startsWith('A conversation between User and Assistant.')).toBe(true)
    expect(text.endsWith(`\n\n<|user|>\n${problem.problem}\n<|assistant|>\n<think>`)).toBe(true)
  })

  it('plain is the problem and nothing else, with or without a template', () => {
    for (const rendered of [chat('plain'), bare('plain')])
      expect(rendered).toEqual({ text: problem.problem, prefix: '', stop: [] })
  })

  it('python makes the answer begin with its sentence', () => {
    expect(chat('python').prefix).toBe("Let's solve this using Python.")
  })

  it.each(promptNames)('%s holds the problem once, dollars and all', (name) => {
    for (const rendered of [chat(name), bare(name)]) {
      const text = 'text' in rendered ? rendered.text : rendered.messages.map(({ content }) => content).join()
      expect(text.split(problem.problem)).toHaveLength(2)
    }
  })

  it('sober and simplerl are word for word as published, the two blanks of sober included', () => {
    expect(bare('sober')).toMatchObject({
      text:
        'Solve the following math problem efficiently and clearly.  The last line of your response should be of the ' +
        "following format: 'Therefore, the final answer is: $\\boxed{ANSWER}$. I hope it is correct' (without quotes) " +
        'where ANSWER is just the final number or expression that solves the problem. Think step by step before ' +
        `answering.\n\n${problem.problem}`,
    })
    expect(chat('simplerl')).toMatchObject({
      messages: [
        { role: 'system', content: 'You are a helpful assistant.' },
        {
          role: 'user',
          content: `${problem.problem}\nPlease reason step by step, and put your final answer within \\boxed{}.`,
        },
      ],
    })
  })

  it('is known by its name, and by its revision once its wording has changed', () => {
    expect(['default', 'sober', 'Q: {problem}', 'toString'].map(promptKey)).toEqual([
      'default',
      'sober@2',
      'Q: {problem}',
      'toString',
    ])
  })

  it('may be a template of one’s own', () => {
    expect(isPrompt('Q: {problem}\nA:')).toBe(true)
    expect(bare('Q: {problem}\nA:')).toEqual({ text: `Q: ${problem.problem}\nA:`, prefix: '', stop: [] })
  })

  it('with an unknown name is refused, naming the known ones', () => {
    expect(isPrompt('toString')).toBe(false)
    expect(() => chat('defalt')).toThrow('prompt defalt: expected default, r1, plain,')
  })
})
