/** 1 where the last box holds the gold answer. The grader looks nowhere else; what it cannot read is `unparsed`, 0. */
import { boxOnly, grade } from '../grading/index.ts'
import type { Signal } from './signal.ts'

export const groundTruth: Signal = ({ problem, completion }) => {
  const { verdict, reason } = grade({ gold: problem.answer, completion, policy: boxOnly })
  return { value: verdict === 'correct' ? 1 : 0, verdict, reason }
}
