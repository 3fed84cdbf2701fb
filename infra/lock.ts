/** Locks among processes of one machine: a file that names its holder, taken over when the holder is gone. */
import { open, readFile, rm, stat } from 'node:fs/promises'

/** Longer than any install; after it even a lock whose process number lives again is taken over. */
const staleAfterMs = 24 * 3600_000

export type Lock = { readonly release: () => Promise<void> } | { readonly heldBy: number }

export async function tryLock(path: string): Promise<Lock> {
  for (;;) {
    try {
      const file = await open(path, 'wx')
      await file.writeFile(String(process.pid)).finally(() => file.close())
      return { release: () => rm(path, { force: true }) }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => '0'))
    const written = await stat(path).catch(() => null)
    if (written === null) continue // released meanwhile
    const ageMs = Date.now() - written.mtimeMs
    // An empty file is a lock that is being written. Two that take over at once are a rare, harmless double.
    const gone = holder === 0 ? ageMs > 1000 : !alive(holder) || ageMs > staleAfterMs
    if (!gone) return { heldBy: holder }
    await rm(path, { force: true })
  }
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
