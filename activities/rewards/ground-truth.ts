/** 1 where the last box holds a gold answer. The grader looks nowhere else; what it cannot read is `unparsed`, 0. */
import { goldsOf } from '../benchmarks/problem.ts'
import { gradeAny } from '../grading/any.ts'
import { boxOnly } from '../grading/index.ts'
import type { Signal } from './signal.ts'

export const groundTruth: Signal = ({ problem, completion }) => {
  const { verdict, reason } = gradeAny({ golds: goldsOf(problem), completion, policy: boxOnly })
  return { value: verdict === 'correct' ? 1 : 0, verdict, reason }
}
