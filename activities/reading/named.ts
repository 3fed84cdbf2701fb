/**
 * What goes wrong in a job goes wrong because of what it reads: an error that has no name of its own gets one, and the
 * place that was read. Errors of the disk stay what they are.
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
    throw as(`${place}: cannot be read: ${error.message}`, { cause })
  }
}
