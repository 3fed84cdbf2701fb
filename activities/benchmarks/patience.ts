/**
 * How long a server may take to begin its answer. Networks that drop what they do not let through are told from slow ones
 * by nothing but time: the first attempts give up soon, so that their reason is heard, and later ones wait longer.
 */

type Fetch<Init, Answer> = (url: string, init: Init & { readonly signal: AbortSignal }) => Promise<Answer>

/** What a request without a number of its attempt waits. */
const longestMs = 60_000
const shortestMs = 3000

/** The first two attempts of a task take 7 s with the pause between them. */
export const patienceMs = (attempt: number): number =>
  Math.min(longestMs, shortestMs * 2 ** Math.max(0, attempt - 2))

/** An answer that has begun has as long as it takes. Throws the signal's reason, or a TimeoutError. */
export async function begun<Init, Answer>(
  fetch: Fetch<Init, Answer>,
  url: string,
  init: Init,
  signal: AbortSignal,
  withinMs = longestMs,
): Promise<Answer> {
  const late = new AbortController()
  const said = `no answer within ${Number((withinMs / 1000).toFixed(1))} s`
  const timer = setTimeout(() => late.abort(new DOMException(said, 'TimeoutError')), withinMs)
  try {
    return await fetch(url, { ...init, signal: AbortSignal.any([signal, late.signal]) })
  } finally {
    clearTimeout(timer)
  }
}
