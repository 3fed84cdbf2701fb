/**
 * Files on their way to their place: named after the process that writes them, so that what a killed one left behind
 * can be told from what a running one writes. Machines that share a folder leave each other's alone.
 */
import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { codeOf } from './faults.ts'

export const temporaryName = (name: string) => `${hostname()}~${process.pid}-${randomUUID()}-${name}`

/** Removes what processes of this machine that are gone left in a folder of temporary files. */
export async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, host, pid] = /^(.+)~(\d+)-/.exec(name) ?? []
    if (host === hostname() && !alive(Number(pid)))
      await rm(join(folder, name), { recursive: true, force: true })
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}
