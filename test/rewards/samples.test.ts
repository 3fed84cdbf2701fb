import { describe, expect, it } from 'vitest'
import type { Rollout, Scored } from '../../activities/contracts.ts'
import { isWellFormed } from '../../activities/contracts/shape.ts'
import { cut, samplesOf } from '../../activities/rewards/samples.ts'

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))
const place = (problem: string, sample: number) => ({ problem, occurrence: 0, sample })
const rollout = (problem: string, sample: number, completion: string): Rollout => ({
  ...place(problem, sample), completion, prompt: '', promptTokens: [], tokens: [], logprobs: [], stop: 'end', policy: 'a'.repeat(64), strategy: 'language',
}) // prettier-ignore
const scored = (problem: string, sample: number, value: number): Scored => ({
  ...place(problem, sample), value, verdict: value === 1 ? 'correct' : 'incorrect', reason: '', components: {},
}) // prettier-ignore
const problem = (id: string, statement = `what is ${id}`) => ({ id, problem: statement, answer: '1' })

describe('three completions of a step', () => {
  it('are spread over its rows, with their statement, reward and verdict, matched by place', () => {
    // Three problems with two samples each: rows 0, 2 and 4 of 6.
    const rows = ['p', 'q', 'r'].flatMap((id) =>
      [0, 1].map((sample) => rollout(id, sample, `${id}${sample}`)),
    )
    const rewards = rows
      .map(({ problem, sample }) => scored(problem, sample, problem === 'q' ? 1 : 0))
      .reverse()
    const problems = new Map(['p', 'q', 'r'].map((id) => [id, problem(id)]))
    expect(samplesOf(rows, rewards, problems)).toEqual([
      { problem: 'p', statement: 'what is p', completion: 'p0', reward: 0, verdict: 'incorrect' },
      { problem: 'q', statement: 'what is q', completion: 'q0', reward: 1, verdict: 'correct' },
      { problem: 'r', statement: 'what is r', completion: 'r0', reward: 0, verdict: 'incorrect' },
    ])
  })

  it('are fewer where a step has fewer', () => {
    expect(samplesOf([rollout('p', 0, 'a')], [scored('p', 0, 1)], new Map())).toHaveLength(1)
    expect(samplesOf([], [], new Map())).toEqual([])
  })

  it.each([
    ['letters', 'x'],
    ['three bytes each', '数'],
    ['pairs', '😀'],
    ['quotes', '"'],
    ['control characters', '\u0001'],
    ['halves of a character', '\ud83d'],
  ])('of %s are whole characters, below 1,500 bytes together', (_, character) => {
    const long = character.repeat(50_000)
    const rows = [0, 1, 2].map((sample) => rollout(long, sample, long))
    const rewards = rows.map(({ sample }) => scored(long, sample, 0.123456789012345))
    const samples = samplesOf(rows, rewards, new Map([[long, problem(long, long)]]))
    expect(samples).toHaveLength(3)
    expect(bytesOf(samples)).toBeLessThan(1500)
    for (const { completion, statement, problem } of samples)
      for (const text of [completion, statement, problem]) expect(isWellFormed(text)).toBe(true)
  })
})

describe('a text that is cut', () => {
  it('keeps its beginning and twice as much of its end', () => {
    const text = `${'a'.repeat(100)}${'z'.repeat(100)}`
    // 35 bytes: 10 of the beginning, 5 of the gap, 20 of the end.
    expect(cut(text, 35)).toBe(`${'a'.repeat(10)} … ${'z'.repeat(20)}`)
  })

  it('is not cut where it fits to the byte', () => {
    expect(cut('a"b', 4)).toBe('a"b')
    expect(cut('a"b', 3)).not.toBe('a"b')
  })
})
