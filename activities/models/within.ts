/**
 * Which files of this machine a spec may reach: those whose real path lies beneath the real path of a folder that the
 * worker allows. Links within such a folder are followed (a Hub cache's snapshots are links to its blobs); one that leads
 * out of it is refused, whatever it is called. What was opened is asked for its own path, so that a link that is
 * exchanged between a check and its use is of no use. Messages never say where a link leads.
 */
import { readlink, realpath, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeOf } from '../checkpoint/faults.ts'

export class NotAllowed extends Error {
  override readonly name = 'NotAllowed'
}

/** Real paths of the folders that are allowed. */
export type Roots = readonly string[]

/** Of the worker's prefixes those that are folders it can reach; one that is not there yet has a path, too. */
export async function rootsOf(allow: readonly string[]): Promise<Roots> {
  const folders = allow.filter((prefix) => /^file:\/\/(?:localhost)?\//.test(prefix))
  const real = folders.map(async (prefix) => realOf(fileURLToPath(prefix)))
  return (await Promise.allSettled(real)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}

/** Where a path leads, links followed; of what is not there, the real path of the folder that is, and the rest. */
export async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error
    return join(await realOf(dirname(path)), basename(path))
  }
}

/** Throws NotAllowed where a path leads out of the roots. What is wrong with the path itself is left to who opens it. */
export async function requirePath(what: string, path: string, roots: Roots): Promise<void> {
  const real = await realOf(path).catch(() => null)
  if (real !== null) requireBeneath(what, real, roots)
}

/** Throws NotAllowed where what was opened at a path lies outside of the roots. */
export async function requireOpened(
  what: string,
  handle: FileHandle,
  path: string,
  roots: Roots,
): Promise<void> {
  requireBeneath(what, await openedPath(handle, path), roots)
}

export function requireBeneath(what: string, real: string | null, roots: Roots): void {
  if (real !== null && roots.some((root) => isBeneath(real, root))) return
  throw new NotAllowed(`${what}: a link leads out of what this worker allows (PLACEBO_ALLOW)`)
}

const isBeneath = (path: string, root: string) =>
  path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)

/** Linux says what a descriptor stands for; elsewhere the path's file must be the one that was opened. */
async function openedPath(handle: FileHandle, path: string): Promise<string | null> {
  try {
    return await readlink(`/proc/self/fd/${handle.fd}`)
  } catch {
    const real = await realpath(path)
    const [opened, named] = await Promise.all([handle.stat(), stat(real)])
    return opened.dev === named.dev && opened.ino === named.ino ? real : null
  }
}
