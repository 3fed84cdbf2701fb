/** The grader as a filter of JSON lines. */
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { gradeLine, gradeStream } from '../../infra/grade.ts'

describe('a line', () => {
  it.each<[line: string, result: object, why: string]>([
    ['{"gold":"1/2","answer":"0.5"}', { verdict: 'correct', route: 'whole' }, 'an answer is taken whole'],
    ['{"gold":"1/2","completion":"so $\\\\boxed{0.5}$"}', { verdict: 'correct', route: 'box' }, 'a box'],
    [
      '{"gold":5,"completion":"the answer is 5."}',
      { verdict: 'correct', route: 'stated' },
      'a number as gold',
    ],
    [
      '{"gold":"5","completion":"5","policy":{"extract":"box"}}',
      { verdict: 'unparsed', route: 'none' },
      'a flag',
    ],
    [
      '{"gold":"5","completion":"\\\\boxed{5} \\\\boxed{","policy":{"cutBox":"earlier"}}',
      { verdict: 'correct' },
      'another flag',
    ],
    ['{"gold":"5","answer":"6","id":"a","expected":false}', { verdict: 'incorrect' }, 'further fields'],
  ])('%s gives %o: %s', (line, result) => {
    expect(gradeLine(line, 1)).toMatchObject(result)
  })

  it.each<[line: string, error: RegExp, why: string]>([
    ['', /^line 7: empty$/, 'nothing'],
    ['{"gold":', /^line 7: not JSON/, 'no JSON'],
    ['[]', /^line 7: the line: expected an object .*, found \[\]$/, 'no object'],
    ['{"completion":"5"}', /^line 7: gold: expected a string or a number/, 'no gold answer'],
    [
      '{"gold":"5"}',
      /^line 7: the line: expected either completion or answer, found neither$/,
      'nothing to grade',
    ],
    [
      '{"gold":"5","answer":"5","completion":"5"}',
      /^line 7: the line: expected either completion or answer, found both$/,
      'both',
    ],
    [
      '{"gold":"5","answer":"5","policy":{"units":"maybe"}}',
      /^line 7: policy.units: expected "ignored" or "compared", found "maybe"/,
      'no such value',
    ],
    [
      '{"gold":"5","answer":"5","policy":{"unit":"ignored"}}',
      /^line 7: policy.unit: expected one of .* \(did you mean "units"\?\)$/,
      'no such flag',
    ],
  ])('%s is named as bad by %s: %s', (line, error) => {
    const result = gradeLine(line, 7)
    expect(result).toMatchObject({
      verdict: null,
      route: 'none',
      reason: expect.stringMatching(error) as string,
    })
    expect('error' in result && result.error).toBe(result.reason)
  })
})

it('keeps the order of lines and goes on after a bad one', async () => {
  const output = new PassThrough({ highWaterMark: 64 }) // smaller than a result, so that writing has to wait
  const written = text(output)
  const lines = ['{"gold":"1","answer":"1"}', 'what?', '{"gold":"3","answer":"1"}']
  const faults = await gradeStream(Readable.from([lines.join('\n') + '\n']), output)
  output.end()
  const results = (await written).trim().split('\n')
  expect(results.map((line) => (JSON.parse(line) as { verdict: string | null }).verdict)).toEqual([
    'correct',
    null,
    'incorrect',
  ])
  expect(faults).toBe(1)
})
