/** One reader for all unit tests of a process: its children start once, and end with it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Control } from '../../activities/engine/port.ts'
import type { Bring } from '../../activities/models/source.ts'
import { openReader } from '../../activities/reading/pool.ts'

export const reader = openReader()

export const control: Control = { signal: new AbortController().signal, progress: () => {} }

/** An index read as intake reads it. */
export async function readIndex(bring: Bring): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'placebo-index-'))
  try {
    await bring(join(folder, 'index'), control.signal)
    return await reader.ask('index', 'model m', { path: join(folder, 'index') }, control)
  } finally {
    await rm(folder, { recursive: true })
  }
}
