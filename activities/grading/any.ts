/** Several gold answers, any of which counts: the verdict by the one that a completion meets. */
import { grade, type Grade, type Policy } from './index.ts'

/** Of golds that all differ from the answer, the first one's verdict. */
export function gradeAny({
  golds,
  completion,
  policy,
}: {
  readonly golds: readonly string[]
  readonly completion: string
  readonly policy?: Partial<Policy>
}): Grade {
  let first: Grade | undefined
  for (const gold of golds) {
    const found = grade({ gold, completion, ...(policy && { policy }) })
    if (found.verdict === 'correct') return found
    first ??= found
  }
  return first ?? grade({ gold: '', completion, ...(policy && { policy }) })
}
