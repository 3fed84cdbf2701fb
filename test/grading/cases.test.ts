/**
 * The graders' own test suites, real answers, rewrites of gold answers and the gold answers themselves, where
 * PLACEBO_GRADING_DIR has them: the rates this version reaches, so that a change that loses one shows. Cases whose label is
 * in doubt (`suspect`) or that stand in another suite (`duplicate_of`) are left out.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { grade } from '../../activities/grading/index.ts'

const folder = process.env['PLACEBO_GRADING_DIR'] ?? ''
const there = folder !== '' && existsSync(join(folder, 'metamorphic.jsonl'))

interface Case {
  readonly gold: string | null
  readonly prediction: string
  readonly expected: boolean
  readonly config: { readonly raw?: boolean }
  readonly suspect?: string
  readonly duplicate_of?: string
}

const suites =
  'math-verify lighteval hendrycks-math mario-eval nemo-skills olympiadbench simple-evals trl open-r1 open-instruct rllm'

// The most false rejects and false accepts there may be. Of the suites, four and two are policies that single cases set. They
// reject 1/3 for 0.333, and √3, π for 1.732, 3.1416 (a decimal of few digits is exact, rationalDigits), [1/3, 1/5] for
// [0.33, 0.2] (the same), and f(x) for f(y); they accept -2 ≤ x ≤ 7 for x ∈ [-2,7] (one set), and 9 over three lines.
const rows = [
  ['public suites', suites, 4, 2],
  ['real completions', 'qwen-cot-math100 tora-gsm8k zeroeval-math-l5 dsr-dup', 0, 0],
  ['rewrites and mutations', 'metamorphic', 2, 0],
] as const

describe.runIf(there)('cases of other graders', () => {
  it.each(rows)(
    '%s (%s): at most %i wrongly rejected and %i wrongly accepted',
    (_, names, rejects, accepts) => {
      const cases = names.split(' ').flatMap(read)
      expect(cases.length).toBeGreaterThan(100)
      const wrong = cases.filter(({ gold, prediction, expected, config }) => {
        const policy = { extract: config.raw === true ? 'whole' : 'any' } as const
        return (grade({ gold, completion: prediction, policy }).verdict === 'correct') !== expected
      })
      expect(wrong.filter(({ expected }) => expected).length).toBeLessThanOrEqual(rejects)
      expect(wrong.filter(({ expected }) => !expected).length).toBeLessThanOrEqual(accepts)
    },
  )

  it('gold answers: all but two in 40,451 are accepted against themselves in a box', () => {
    const answers = gunzipSync(readFileSync(join(folder, 'gold-answers.jsonl.gz')))
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { answer: string; n: number })
    const rejected = answers.filter(
      ({ answer }) => grade({ gold: answer, completion: `so \\boxed{${answer}}.` }).verdict !== 'correct',
    )
    expect(rejected.reduce((sum, { n }) => sum + n, 0)).toBeLessThanOrEqual(2) // their braces do not match
  })
})

function read(name: string): (Case & { gold: string })[] {
  return readFileSync(join(folder, `${name}.jsonl`), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Case)
    .filter((one): one is Case & { gold: string } => one.gold !== null && !one.suspect && !one.duplicate_of)
}
