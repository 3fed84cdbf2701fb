/**
 * What another attempt can do about an error: by its name where the table of faults has it, else by what it is.
 *
 * Classes say too little: a closed socket is a TypeError ("fetch failed") and a full disk an Error. What is known to pass
 * is recognised by the errno name, HTTP status or gRPC status that it, or what caused it, carries. Everything else is
 * `limited`. Leaves out: certificates and addresses that cannot be right, which no waiting mends.
 */
import { faults, permanenceOf, type Permanence } from '../contracts/faults.ts'

export function permanenceOfError(error: Error): Permanence {
  if (Object.hasOwn(faults, error.name)) return permanenceOf(error.name)
  return isPassing(error) ? 'passing' : 'limited'
}

/** Errno names: of networks, of disks that are full or do not answer, of a machine that is short of something. */
const passingCodes = new Set(
  [
    'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT ESOCKETTIMEDOUT EPROTO ENOTFOUND EAI_AGAIN EAI_FAIL',
    'EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN ENETRESET EADDRNOTAVAIL ENOTCONN',
    'ENOSPC EDQUOT EIO EBUSY ESTALE ENOLCK ETXTBSY EINTR',
    'EMFILE ENFILE EAGAIN ENOMEM ENOBUFS',
    'ERR_STREAM_PREMATURE_CLOSE',
  ].flatMap((line) => line.split(' ')),
)

/** Faults of whoever calls, among the codes of fetch that begin with UND_ERR_. */
const callersFault = /^UND_ERR_(INVALID_ARG|INVALID_RETURN_VALUE|NOT_SUPPORTED|REQ_CONTENT_LENGTH_MISMATCH)$/

/** gRPC: CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const passingGrpc = new Set([1, 2, 4, 8, 10, 13, 14, 15])

/** Causes of causes; more than this many are a circle. */
const deepest = 8

/** Whether an error, or what caused it, is of a kind that passes by itself. */
export function isPassing(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > deepest) return false
  const { name, message, code, cause, errors } = error as Loose
  if (name === 'AbortError' || name === 'TimeoutError') return true
  if (typeof code === 'string') {
    if (passingCodes.has(code) || code.startsWith('HPE_')) return true
    if (code.startsWith('UND_ERR_')) return !callersFault.test(code)
  }
  if (typeof code === 'number' && isGrpc(error) && passingGrpc.has(code)) return true
  const status = statusOf(error)
  if (status !== null) return isPassingStatus(status)
  if (Array.isArray(errors) && errors.some((one) => isPassing(one, depth + 1))) return true
  if (cause !== undefined && cause !== null) return isPassing(cause, depth + 1)
  // As fetch says it, where the cause was lost on the way.
  return /^(fetch failed|terminated|other side closed)$/.test(String(message))
}

/** HTTP: too slow, too early, too many, or a fault of the server's own. */
export const isPassingStatus = (status: number): boolean => [408, 425, 429].includes(status) || status >= 500

/** The HTTP status that an error says it comes from, else null. */
export function statusOf(error: unknown): number | null {
  const { $metadata, statusCode, status, response } = error as Loose
  const found = [$metadata?.httpStatusCode, statusCode, status, response?.status]
  return (
    found.find((one): one is number => Number.isInteger(one) && Number(one) >= 400 && Number(one) < 600) ??
    null
  )
}

/** A status of gRPC, not the number of something else. */
const isGrpc = (error: object) => 'details' in error && 'metadata' in error

interface Loose {
  readonly name?: unknown
  readonly message?: unknown
  readonly code?: unknown
  readonly cause?: unknown
  readonly errors?: unknown
  readonly $metadata?: { readonly httpStatusCode?: unknown }
  readonly statusCode?: unknown
  readonly status?: unknown
  readonly response?: { readonly status?: unknown }
}

/** An error in plain words, for a way on which only data crosses: a worker thread, a child process, a signal. */
export interface PlainFault {
  readonly name: string
  readonly message: string
  readonly stack: string
  /** What it would be recognised by, where its name does not say it. */
  readonly code?: string
}

/** Whatever was thrown, in plain words; what passes by its nature still does on the other side. */
export function plainOf(thrown: unknown): PlainFault {
  const { name, message, stack = '' } = errorOf(thrown)
  return { name, message, stack, ...(isPassing(thrown) && { code: codeOf(thrown) ?? 'EAGAIN' }) }
}

/** The error that `plainOf` wrote down. */
export function revived({ name, message, stack, code }: PlainFault): Error {
  const error = new Error(message)
  error.name = name
  error.stack = stack
  return code === undefined ? error : Object.assign(error, { code })
}

/** Whatever was thrown, as an Error: JavaScript can throw anything. */
export function errorOf(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  const { name, message } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Loose
  const error = new Error(typeof message === 'string' ? message : said(thrown))
  if (typeof name === 'string' && name !== '') error.name = name
  return error
}

function said(thrown: unknown): string {
  try {
    return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown))
  } catch {
    return 'something that cannot be written down was thrown'
  }
}

/** The first passing code along the causes. */
function codeOf(error: unknown, depth = 0): string | null {
  if (typeof error !== 'object' || error === null || depth > deepest) return null
  const { code, cause } = error as Loose
  return typeof code === 'string' && passingCodes.has(code) ? code : codeOf(cause, depth + 1)
}
