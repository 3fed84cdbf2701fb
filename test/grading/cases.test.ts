/**
 * The graders' own test suites, real answers and rewrites of gold answers, where PLACEBO_GRADING_DIR has them: the rates
 * this version reaches, so that a change that loses one shows.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { grade } from '../../activities/grading/index.ts'

const folder = process.env['PLACEBO_GRADING_DIR'] ?? ''

interface Case {
  readonly kind: string
  readonly gold: string
  readonly prediction: string
  readonly expected: boolean
  readonly config?: { readonly raw?: boolean }
}

// Most false rejects and false accepts there may be. Cases without a box and without a raw answer are left out: other
// graders look for answers anywhere, this one does not.
const rows = [
  ['qwen-cot-math100', 351, 0, 0],
  ['tora-gsm8k', 1383, 0, 0],
  ['zeroeval-math-l5', 5753, 8, 0],
  ['metamorphic', 11641, 21, 0],
  ['dsr-dup', 220, 1, 0],
  ['olympiadbench', 14, 0, 0],
  ['hendrycks-math', 8, 0, 1],
  ['mario-eval', 34, 6, 0],
  ['nemo-skills', 43, 3, 0],
] as const

describe.runIf(existsSync(join(folder, 'metamorphic.jsonl')) && folder !== '')(
  'cases of other graders',
  () => {
    it.each(rows)(
      '%s: of %i, at most %i wrongly rejected and %i wrongly accepted',
      (name, count, rejects, accepts) => {
        const cases = readFileSync(join(folder, `${name}.jsonl`), 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Case)
          .filter(({ kind }) => kind === 'grade')
        expect(cases.length).toBeLessThanOrEqual(count)
        const wrong = cases.filter(({ gold, prediction, expected, config }) => {
          const extract = config?.raw === true ? 'whole' : 'box'
          return (
            (grade({ gold, completion: prediction, policy: { extract } }).verdict === 'correct') !== expected
          )
        })
        expect(wrong.filter(({ expected }) => expected).length).toBeLessThanOrEqual(rejects)
        expect(wrong.filter(({ expected }) => !expected).length).toBeLessThanOrEqual(accepts)
      },
    )
  },
)
