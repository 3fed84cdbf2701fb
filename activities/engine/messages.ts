/**
 * What the embedded engine's two sides say to each other: the adapter's side on the main thread (where heartbeats
 * must go on) and the compute side in a worker thread (where a session's run blocks). Structured clones only.
 */
import type { Objective, Optimizer } from '../contracts.ts'
import type { PlainFault } from '../faults/nature.ts'
import type { Completion, Decoding, Minibatch, MinibatchSums, Progress, Prompt, Sequence } from './port.ts'

/** A policy whose files lie on this machine, verified. */
export interface LocalPolicy {
  readonly digest: string
  readonly files: readonly { readonly name: string; readonly path: string; readonly sizeBytes: number }[]
}

export interface LocalCheckpoint {
  readonly policy: LocalPolicy
  readonly lineage: string
  readonly updates: number
  /** Paths of the optimizer's files; [] when it has none yet, null when they were not stored. */
  readonly state: readonly string[] | null
}

export type Call =
  | {
      readonly kind: 'sample'
      readonly policy: LocalPolicy
      readonly prompts: readonly Prompt[]
      readonly decoding: Decoding
    }
  | {
      readonly kind: 'update'
      readonly checkpoint: LocalCheckpoint
      readonly minibatches: readonly Minibatch[]
      readonly objective: Objective
      readonly optimizer: Optimizer
      readonly lineage: string
      readonly microbatchTokens: number
      /** Folder for the new weights' files, and the optimizer's where they are wanted. */
      readonly folder: string
      readonly saveOptimizer: boolean
    }
  | { readonly kind: 'score'; readonly policy: LocalPolicy; readonly sequences: readonly Sequence[] }

export interface Updated {
  readonly weights: readonly string[] // paths, in order of their names
  readonly state: readonly string[] | null
  readonly updates: number
  readonly sums: MinibatchSums[]
}

export type ToThread =
  { readonly id: number; readonly call: Call } | { readonly id: number; readonly abort: true }

export type FromThread =
  | { readonly id: number; readonly progress: Progress }
  | { readonly id: number; readonly completion: Completion }
  | { readonly id: number; readonly done: unknown }
  | { readonly id: number; readonly failed: PlainFault & { readonly minibatch?: number } }
