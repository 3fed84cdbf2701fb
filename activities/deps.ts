/** What a worker gives its activities. */
import type { Client } from '@temporalio/client'
import type { Blobs, Store } from './checkpoint/store.ts'
import type { Engine } from './engine/port.ts'
import type { Reader } from './reading/reader.ts'

export interface Deps {
  readonly store: Store
  /** The id in its store.json. */
  readonly storeId: string
  readonly blobs: Blobs
  /** Null in a worker that serves the light queue only. */
  readonly engine: Engine | null
  readonly client: Client
  /** Reads what users and repositories provide, where it can be stopped. */
  readonly reader: Reader
  /** Where problem sets are read from before the Hub is asked. */
  readonly dataFolder: string | null
  /** Folders that a spec may name with file://; anything else is NotAllowed. */
  readonly allow: readonly string[]
  readonly hub: { readonly endpoint?: string; readonly token?: string }
  /** Names this worker in provenance. */
  readonly identity: string
  /** The task queue that only this worker polls, where it prefers to go on with what it holds; null without one. */
  readonly queue: string | null
  /** What it computes with, and in; what it says of itself where it is asked whether something fits. */
  readonly machine?: { readonly threads: number; readonly memoryBytes: number }
  /** Milliseconds since the epoch: the clock of provenance, and of nothing else. */
  readonly now: () => number
}
