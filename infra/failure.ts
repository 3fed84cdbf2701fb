/**
 * Why a workflow ended otherwise than it should: the fault that was named, and its sentence. What lies beneath a named fault
 * is the system's own word (ENOENT …); what lies above it only says which activity or child it was.
 */
import { WorkflowFailedError, type Client } from '@temporalio/client'
import { faults } from '../activities/contracts/faults.ts'

/** Of a result that is waited for; null where there is one after all. */
export async function failureOf(result: Promise<unknown>): Promise<string | null> {
  try {
    await result
    return null
  } catch (error) {
    let at: unknown = error instanceof WorkflowFailedError ? error.cause : error
    const types: string[] = []
    while (at instanceof Error) {
      if ('type' in at && typeof at.type === 'string' && at.type !== '') types.push(at.type)
      if (isNamed(at) || !(at.cause instanceof Error) || at.cause.message === '') break
      at = at.cause
    }
    const message = at instanceof Error ? at.message : String(at)
    return types.length > 0 ? `${types.at(-1)}: ${message}` : message
  }
}

/** A failure that has a name of the faults' table: whatever else has a cause is told by it. */
const isNamed = (error: Error) =>
  'type' in error && typeof error.type === 'string' && Object.hasOwn(faults, error.type)

/** Sentences that are said of several workflows, and characters of each. */
const [mostSentences, mostCharacters] = [3, 240]

/** What several closed workflows ended with: each sentence once. '' where none of them failed. */
export async function sentencesOf(client: Client, workflowIds: readonly string[]): Promise<string> {
  const sentences = new Set<string>()
  let others = 0
  for (const id of workflowIds) {
    if (sentences.size === mostSentences) {
      others += 1
      continue
    }
    const failure = await failureOf(client.workflow.getHandle(id).result())
    if (failure !== null) sentences.add(failure.replaceAll(/\s+/g, ' ').slice(0, mostCharacters))
  }
  return [...sentences, ...(others > 0 ? [`${others} more were not asked`] : [])].join('; ')
}
