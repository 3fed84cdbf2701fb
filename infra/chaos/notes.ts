/**
 * What a disturbed worker writes down, one JSON object a line, and what reaches it: files in a folder of its own. A
 * line is appended in one call before the work that it tells of, so a hard kill loses none.
 */
import { appendFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One attempt of an activity, by the names that Temporal's history has for it. */
export interface Attempt {
  readonly workflow: string
  readonly run: string
  readonly activity: string
  readonly attempt: number
}

export type Note = Attempt & { readonly worker: string; readonly atMs: number } & (
    | { readonly what: 'begin' } // the attempt asks the store for something, for the first time
    | {
        readonly what: 'sample' // the engine begins to draw rollouts
        /** The key of the table that they are for, and when the attempt looked for it and did not find it. */
        readonly table: string
        readonly lookedMs: number
        readonly rollouts: number
      }
    | { readonly what: 'progress' } // the engine computes, for the first time in the attempt
    | { readonly what: 'told' } // the worker is told to stop while the attempt runs
  )

/** How a worker is told: files that the harness writes; beside each, what the worker writes when it took effect. */
export const files = {
  notes: 'notes.jsonl',
  /** While it is there, the cache's disk is full. */
  full: 'full',
  fullStruck: 'full.struck',
  /** Milliseconds by which the clock is wrong. */
  clock: 'clock',
  clockStruck: 'clock.struck',
} as const

export function write(folder: string, note: Note): void {
  appendFileSync(join(folder, files.notes), `${JSON.stringify(note)}\n`)
}

export async function read(folder: string): Promise<Note[]> {
  const text = await readFile(join(folder, files.notes), 'utf8').catch(() => '')
  return text
    .split('\n')
    .slice(0, -1) // after the last line, or half of one
    .map((line) => JSON.parse(line) as Note)
}
