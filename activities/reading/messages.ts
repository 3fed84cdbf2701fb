/** What the pool and a reading process say to each other. One request at a time, so none has a number. */
import type { Progress } from '../engine/port.ts'
import type { PlainFault } from '../faults/nature.ts'
import type { JobName } from './reader.ts'

export interface ToChild {
  readonly job: JobName
  readonly ask: unknown
}

export type FromChild =
  | { readonly ready: true }
  /** What is being read from now on: said before it is begun, so that it is known of what never ends. */
  | { readonly step: string }
  | { readonly progress: Progress }
  | { readonly done: unknown; readonly restBytes: number }
  | { readonly failed: PlainFault; readonly restBytes: number }
