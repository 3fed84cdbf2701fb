import { describe, expect, it } from 'vitest'
import { problems, promptText, styles, trace } from '../../activities/nano/problems.ts'

const expression = /^(calc|find|eval|what|give) ([ \d]\d)\+(\d)\*(\d)\n$/

describe('nano problems', () => {
  it('are all 30 x 8 x 8 = 1,920, each in one split: 320 to test and 1,600 to train', () => {
    const [test, train] = [problems('test'), problems('train')]
    expect([test.length, train.length]).toEqual([320, 1600])
    expect(new Set([...test, ...train].map(({ id }) => id)).size).toBe(1920)
  })

  it('ask in 12 characters and have the answer of a + b * c', () => {
    for (const { problem, answer } of [...problems('test'), ...problems('train')]) {
      expect(problem).toHaveLength(12)
      const [, , a, b, c] = expression.exec(problem) ?? []
      expect(Number(answer)).toBe(Number(a) + Number(b) * Number(c))
    }
  })

  it('ask held-out problem i in style i mod 5', () => {
    const asked = problems('test').map(({ problem }) => problem.slice(0, 4))
    expect(asked).toEqual(asked.map((_, i) => styles[i % 5]))
  })

  it('right-align a, so that 7 + 3 * 4 is " 7+3*4"', () => {
    expect(promptText(0, { a: 7, b: 3, c: 4 })).toBe('calc  7+3*4\n')
  })

  it('have four ways to be answered: 3 * 4 = 12 first, or 17 + 3 = 20 first', () => {
    const task = { a: 17, b: 3, c: 4 }
    const right = { answer: 29, precedence: 'right' } as const
    const wrong = { answer: 80, precedence: 'wrong' } as const
    expect(trace('code', task, right)).toBe('python t=3*4#12\nprint(17+t)#29\n')
    expect(trace('code', task, wrong)).toBe('python t=17+3#20\nprint(t*4)#80\n')
    expect(trace('language', task, right)).toBe('first 3*4=12 then 17+12=29 so ')
    expect(trace('language', task, wrong)).toBe('first 17+3=20 then 20*4=80 so ')
  })
})
