/** What a workflow says of a child that failed: the innermost cause, since the wrappers around it say only where. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import * as wf from '@temporalio/workflow'
import { wellFormed } from '../activities/contracts/shape.ts'

/** A parent's end ends its children a moment later: so often, and so far apart, their ids are tried again. */
const [tries, pauseMs] = [6, 5000]

/** What `begin` gives once no earlier child has the id any more; any other error is thrown as it is. */
export async function onceFree<T>(error: unknown, begin: () => Promise<T>): Promise<T> {
  let why = error
  for (let tried = 0; isTaken(why) && tried < tries && wf.patched('watch'); tried++) {
    await wf.sleep(pauseMs)
    try {
      return await begin()
    } catch (again) {
      why = again
    }
  }
  throw why
}

/** Whether a workflow of the child's id is running. */
export const isTaken = (error: unknown) => error instanceof WorkflowExecutionAlreadyStartedError

/** The innermost cause's sentence. */
export function rootOf(error: unknown): string {
  const at = innermost(error)
  return wellFormed(at instanceof Error ? at.message.slice(0, 500) : String(at))
}

/** The same where a person ended the child, which the cause says in a word. */
export function sentenceOf(error: unknown): string {
  const at = innermost(error)
  if (at instanceof wf.TerminatedFailure) return 'it was terminated'
  return at instanceof wf.CancelledFailure ? 'it was cancelled' : rootOf(error)
}

/** The innermost cause's type, as activities name their faults; '' where it has none. */
export function typeOf(error: unknown): string {
  const at = innermost(error)
  return at instanceof wf.ApplicationFailure ? (at.type ?? '') : ''
}

function innermost(error: unknown): unknown {
  let at = error
  while (at instanceof Error && at.cause instanceof Error && at.cause.message !== '') at = at.cause
  return at
}

/** The end of a run whose curve cannot have one of its points. */
export const evaluationFailed = (step: number, workflowId: string, error: unknown) =>
  failedChild('EvaluationFailed', `the evaluation at step ${step} (${workflowId})`, error)

/** The end of a run that cannot have the labels it learns from. */
export const labelFailed = (workflowId: string, error: unknown) =>
  failedChild('LabelFailed', `the labels of its problems (${workflowId})`, error)

function failedChild(type: string, what: string, error: unknown): wf.ApplicationFailure {
  const name = typeOf(error)
  return wf.ApplicationFailure.create({
    message: `${what} failed: ${name === '' ? '' : `${name}: `}${sentenceOf(error)}`,
    type,
    nonRetryable: true,
    ...(error instanceof Error && { cause: error }),
  })
}
