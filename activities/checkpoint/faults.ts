/** Errors of the store other than an absent or a corrupt object, in words that lead to what has to be changed. */

/** A call to the store failed. Worth a retry. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}

/** Another store than the one a run's history refers to. No retry mends that. */
export class WrongStore extends Error {
  override readonly name = 'WrongStore'
}

/** Which call failed, why, and where, with the settings to look at. */
export function faultOf(call: string, cause: unknown, place: string): StoreError {
  const name = nameOf(cause)
  const { message = '', $metadata = {} } = cause as Partial<ServiceError>
  const reason = [name, message].filter((text) => text !== '' && text !== 'Error').join(': ')
  const tries = ($metadata.attempts ?? 1) > 1 ? ` after ${$metadata.attempts} attempts` : ''
  const advice = adviceOn(name, $metadata.httpStatusCode)
  return new StoreError(`${call}: ${reason}${advice}${tries} ${place}`, { cause })
}

interface ServiceError {
  readonly message: string
  readonly $metadata: { readonly attempts?: number; readonly httpStatusCode?: number }
}

const refused = [
  'InvalidAccessKeyId',
  'XAdminUserNotFound', // versitygw's name for it
  'SignatureDoesNotMatch',
  'AccessDenied',
  'CredentialsProviderError',
  'ExpiredToken',
]
const unreachable = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ETIMEDOUT', 'TimeoutError']

function adviceOn(name: string, status: number | undefined): string {
  if (name === 'NoSuchBucket') return ' (the bucket must exist)'
  if (refused.includes(name) || status === 403)
    return ' (see AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE)'
  if (unreachable.includes(name)) return ' (see AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION)'
  return ''
}

/** A service's name for its error, or the errno name; of a StoreError, its cause's. */
export function nameOf(error: unknown): string {
  const cause = error instanceof StoreError ? error.cause : error
  return codeOf(cause) ?? (cause instanceof Error ? cause.name : String(cause))
}

/** Refusals that end: a slow connection, credentials that are renewed, a clock, another writer. */
const endingRefusals = /^(RequestTimeout|ExpiredToken|RequestTimeTooSkewed|OperationAborted|\w*Conflict)$/

/**
 * Whether what a user's address names is refused for good: no store can hold such a name, or the server answers 3xx or
 * 4xx. Of the project's own store the same passes: people mend its settings while runs wait.
 */
export function isRefused(error: unknown): boolean {
  if (error instanceof RangeError || error instanceof TypeError) return codeOf(error) === null
  if (!(error instanceof StoreError)) return false
  if (error.cause instanceof URIError) return true
  const { $metadata } = (error.cause ?? {}) as Partial<ServiceError>
  const status = $metadata?.httpStatusCode ?? 0
  const isClients = status >= 300 && status < 500 && ![408, 425, 429].includes(status)
  return isClients && !endingRefusals.test(nameOf(error))
}

/** The errno name of a system call's error, else null. */
export function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^E[A-Z0-9_]+$/.test(code) ? code : null
}
