/** What goes wrong between the program and its store, other than an absent or a corrupt object. Worth a retry. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError'
}

/** Another store than the one a run's history refers to. No retry mends that. */
export class WrongStore extends Error {
  override readonly name = 'WrongStore'
}

/** The errno name of a system call's error, else null. */
export function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : null
}
