/**
 * A workflow of a type that this build does not have: misspelt, or of a newer build. Without an answer its first task fails,
 * again and again, and who started it waits.
 */
import { ApplicationFailure, workflowInfo } from '@temporalio/workflow'
import { didYouMean } from '../activities/contracts/nearest.ts'
import { wellFormed } from '../activities/contracts/shape.ts'
import * as types from './index.ts'

/** The workflow of every such type: what the bundle exports as its default. */
export async function unknown(): Promise<never> {
  throw unknownWorkflow(workflowInfo().workflowType)
}

/** Of a name that every object has, such as `toString`, the bundle gives that function. */
export function requireKnown(workflowType: string): void {
  if (!Object.hasOwn(types, workflowType)) throw unknownWorkflow(workflowType)
}

function unknownWorkflow(workflowType: string): ApplicationFailure {
  const known = Object.keys(types).filter((name) => name !== 'default')
  const found = JSON.stringify(wellFormed(workflowType.slice(0, 80)))
  const message = `--type: expected ${known.join(', ')}, found ${found}${didYouMean(workflowType, known)}`
  return ApplicationFailure.nonRetryable(message, 'UnknownWorkflow')
}
