/**
 * What goes wrong in a job goes wrong because of what it reads: an error that has no name of its own gets one, and the
 * place that was read. Errors of the disk stay what they are. What libraries say of a text is left out: it may quote it.
 */
import { codeOf } from '../checkpoint/faults.ts'
import type { At } from '../policy/open.ts'
import type { Steps } from './jobs.ts'

const nameless = /^(Error|TypeError|RangeError|ReferenceError|SyntaxError|URIError|EvalError)$/

export async function named<T>(
  steps: Steps,
  as: (message: string, options: ErrorOptions) => Error,
  body: (at: At) => Promise<T>,
): Promise<T> {
  let place = ''
  const at = (step: string) => {
    place = step
    steps.at(step)
  }
  try {
    return await body(at)
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    if (!nameless.test(error.name) || codeOf(error) !== null) throw error
    throw as(`${place}: cannot be read: ${sentenceOf(error)}`, {})
  }
}

/** What V8 says of its own limits quotes no data; the rest of what is said of a text may quote it. */
function sentenceOf({ message }: Error): string {
  const own =
    /^(Maximum call stack size exceeded|Invalid (string|array|typed array) length|Array buffer allocation failed)/
  return own.exec(message)?.[0] ?? 'it has another form than expected'
}
