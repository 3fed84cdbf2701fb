/**
 * What an error of the Hub means, for models and data sets alike: what it refuses (401, 403, 404 …) it will refuse again;
 * that it is asked too often, has a fault of its own, or cannot be reached, passes.
 */
import { isPassing, isPassingStatus, statusOf } from '../faults/nature.ts'

/** The Hub does not answer, or says that it cannot now. */
export class HubUnavailable extends Error {
  override readonly name = 'HubUnavailable'
}

type Refusal = new (message: string, options: ErrorOptions) => Error

/** For `.catch`: throws `Refused` for what the Hub refuses, HubUnavailable for what passes, and anything else as it is. */
export const hubFault =
  (what: string, Refused: Refusal) =>
  (cause: unknown): never => {
    const { message } = cause as Error
    const status = typeof cause === 'object' && cause !== null ? statusOf(cause) : null
    if (status !== null) {
      const said = `${what}: the Hub says ${message.includes(String(status)) ? '' : `${status}, `}${message}`
      throw new (isPassingStatus(status) ? HubUnavailable : Refused)(said, { cause })
    }
    // As fetch says it: a disk that is full meanwhile is not the Hub's.
    if (!(cause instanceof TypeError && isPassing(cause))) throw cause
    const why = cause.cause instanceof Error ? `${message}: ${cause.cause.message}` : message
    throw new HubUnavailable(`${what}: the Hub does not answer (${why})`, { cause })
  }
