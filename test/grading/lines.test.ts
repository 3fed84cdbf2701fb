/** The grader as a filter of JSON lines. */
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { boxOnly, grade, GRADER_VERSION } from '../../activities/grading/index.ts'
import { graders } from '../../activities/grading/versions.ts'
import { groundTruth } from '../../activities/rewards/ground-truth.ts'
import { gradeLine, gradeStream, policyOf, program } from '../../infra/grade.ts'
import { calledWith } from '../../infra/program.ts'

describe('a line', () => {
  it.each<[line: string, result: object, why: string]>([
    ['{"gold":"1/2","answer":"0.5"}', { verdict: 'correct', route: 'whole' }, 'an answer is taken whole'],
    ['{"gold":["2",-2],"answer":"-2"}', { verdict: 'correct', gold: '-2' }, 'any of several golds counts'],
    ['{"gold":["2",-2],"answer":"3"}', { verdict: 'incorrect', gold: '2' }, 'none of several golds'],
    ['{"gold":"1/2","completion":"so $\\\\boxed{0.5}$"}', { verdict: 'correct', route: 'box' }, 'a box'],
    [
      '{"gold":5,"completion":"the answer is 5."}',
      { verdict: 'unparsed', route: 'none' },
      'a number as gold; outside of a box the reward sees no answer',
    ],
    [
      '{"gold":"5","completion":"the answer is 5.","policy":{"extract":"any"}}',
      { verdict: 'correct', route: 'stated' },
      'a flag of its own',
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
    ['{"completion":"5"}', /^line 7: gold: expected a string, a number or a list of them/, 'no gold answer'],
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

/** The values of flags, as the program's parser gives them. */
const valuesOf = (args: string[]) => calledWith(program, args)?.values ?? {}

describe('flags', () => {
  const completion = 'the answer is 5, or \\boxed{6} \\boxed{'
  const judged = (gold: string, ...args: string[]) =>
    gradeLine(JSON.stringify({ gold, completion }), 1, policyOf(valuesOf(args)))

  it('judge as the reward does while there is none, and otherwise as they say', () => {
    const at = { seed: 0, step: 1, problem: 'p', occurrence: 0, sample: 0 }
    const rewarded = groundTruth({ problem: { id: 'p', problem: '', answer: '6' }, completion, at })
    expect(judged('6')).toMatchObject({ verdict: rewarded.verdict, reason: rewarded.reason })
    expect(judged('6', '--cut-box', 'earlier')).toMatchObject({ verdict: 'correct', route: 'box' })
    const answered = gradeLine(
      '{"gold":"5","completion":"the answer is 5"}',
      1,
      policyOf(valuesOf(['--anywhere'])),
    )
    expect(answered).toMatchObject({ verdict: 'correct', route: 'stated' })
  })

  it('are one a convention, and a line goes before them', () => {
    const args = Object.entries(boxOnly).flatMap(([name, value]) => [
      `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      String(value),
    ])
    expect(args).toHaveLength(2 * 12)
    expect(policyOf(valuesOf(args))).toEqual(boxOnly)
    const line = '{"gold":"0.5","completion":"\\\\boxed{50\\\\%}","policy":{"percent":"loose"}}'
    expect(gradeLine(line, 1, policyOf(valuesOf(['--percent', 'strict'])))).toMatchObject({
      verdict: 'correct',
    })
  })

  it.each<[string[], RegExp]>([
    [['--units', 'maybe'], /^--units: expected ignored\|compared, found "maybe"$/],
    [['--rational-digits', 'ten'], /^--rational-digits: expected 10, or any number from 1 on/],
    [['--rational-digits', '0'], /^--rational-digits: /],
    [['--anywhere', '--extract', 'box'], /^--anywhere: /],
    [['--unit', 'ignored'], /unit/],
  ])('%j are refused', (args, message) => {
    expect(() => policyOf(valuesOf(args))).toThrow(message)
  })
})

it('a line that the grader itself fails on is named, and does not throw', () => {
  const broken = Object.defineProperty({ ...boxOnly }, 'extract', {
    enumerable: true,
    get: () => {
      throw new Error('out of order')
    },
  })
  const line = '{"gold":"1","completion":"\\\\boxed{1}"}'
  expect(gradeLine(line, 7, broken)).toMatchObject({
    verdict: null,
    error: 'line 7: not gradable (out of order)',
  })
})

it('the newest of the graders is the one that judges', () => {
  expect(graders.at(-1)).toBe(GRADER_VERSION)
  expect(grade({ gold: '1', completion: '\\boxed{1}' }).version).toBe(GRADER_VERSION)
})
