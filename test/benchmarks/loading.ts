/** Loads problems as an intake does, in a folder that is gone afterwards: what tests hand over is a file like any other. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bring, type Reach } from '../../activities/benchmarks/bring.ts'
import type { Checked } from '../../activities/benchmarks/check.ts'
import { loadLocal } from '../../activities/benchmarks/load.ts'
import type { LocalFile } from '../../activities/benchmarks/local.ts'
import type { Problem } from '../../activities/benchmarks/problem.ts'
import type { DataSpec } from '../../activities/contracts.ts'
import type { Control } from '../../activities/engine/port.ts'

export type { Reach }
type Within = Pick<Reach, 'folder' | 'fetch' | 'patienceMs'>

export const quiet: Control = { signal: new AbortController().signal, progress: () => {} }

export async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'placebo-load-'))
  try {
    return await body(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

export const load = (data: DataSpec, within: Within): Promise<Checked> =>
  inFolder(async (folder) => {
    const scratch = (name: string) => Promise.resolve(join(folder, name))
    const files = await bring(data, { allow: [], hub: {}, ...within }, scratch, quiet)
    return loadLocal(data, files, quiet)
  })

export const loadProblems = async (data: DataSpec, within: Within): Promise<Problem[]> =>
  (await load(data, within)).problems

/** `bytes` as the file that `data` names. */
export const loadBytes = (
  bytes: Uint8Array,
  data: DataSpec,
  file: Partial<LocalFile> = {},
  control: Control = quiet,
): Promise<Checked> =>
  inFolder(async (folder) => {
    const path = join(folder, 'data')
    await writeFile(path, bytes)
    return loadLocal(data, [{ path, name: data.source ?? 'f', ...file }], control)
  })
