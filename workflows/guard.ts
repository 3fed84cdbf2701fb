/**
 * What a workflow is started with, looked at before anything else: a type that is none, and an input that is too deep or
 * too large to be handed on, would fail the workflow's task, which is tried for ever, where a failure of the workflow is
 * an answer.
 */
import {
  ApplicationFailure,
  workflowInfo,
  type WorkflowInfo,
  type WorkflowInterceptors,
} from '@temporalio/workflow'
import { most } from '../activities/contracts/limits.ts'
import { shapeFault, utf8Bytes, wellFormed } from '../activities/contracts/shape.ts'
import { requireKnown } from './unknown.ts'

export const interceptors = (): WorkflowInterceptors => ({
  inbound: [
    {
      execute: async (input, next) => {
        requireKnown(workflowInfo().workflowType)
        const fault = startFault(input.args, workflowInfo()) ?? faultOf(input.args[0])
        if (fault !== null)
          throw ApplicationFailure.nonRetryable(wellFormed(`input: ${fault}`), 'InvalidSpec')
        return next(input)
      },
    },
  ],
})

/**
 * A workflow's further arguments are its own words: what its parent or its earlier history hands on. From anybody else
 * they are refused, for nothing looks at them.
 */
export function startFault(
  args: readonly unknown[],
  { parent, continuedFromExecutionRunId }: Pick<WorkflowInfo, 'parent' | 'continuedFromExecutionRunId'>,
): string | null {
  if (args.length <= 1 || parent !== undefined || continuedFromExecutionRunId !== undefined) return null
  return `expected one argument, the spec, found ${args.length}`
}

/** What is wrong with an input's shape, or null. */
export function faultOf(input: unknown): string | null {
  const fault = shapeFault(input, most)
  if (fault !== null) return fault
  const bytes = utf8Bytes(JSON.stringify(input) ?? '')
  return bytes <= most.specBytes ? null : `expected at most ${most.specBytes} bytes as JSON, found ${bytes}`
}
