/** Every activity, by the queue it belongs to. A worker builds them from what it was given; nothing is global. */
import type { Client } from '@temporalio/client'
import type { Blobs, Store } from './checkpoint/store.ts'
import type { Engine } from './engine/port.ts'
import { admitActivities } from './admit.ts'
import { enrollActivities } from './enroll.ts'
import { evaluateActivities } from './evaluate.ts'
import { exportActivities } from './export.ts'
import { housekeepActivities } from './housekeep.ts'
import { intakeActivities } from './intake.ts'
import { pretrainActivities } from './pretrain.ts'
import { reportActivities } from './report.ts'
import { restoreActivities } from './restore.ts'
import { rewardActivities } from './reward.ts'
import { sampleActivities } from './sample.ts'
import { stepActivities } from './step.ts'

export interface Deps {
  readonly store: Store
  /** The id in its store.json. */
  readonly storeId: string
  readonly blobs: Blobs
  /** Null in a worker that serves the light queue only. */
  readonly engine: Engine | null
  readonly client: Client
  /** Where problem sets are read from before the Hub is asked. */
  readonly dataFolder: string | null
  /** Folders that a spec may name with file://; anything else is NotAllowed. */
  readonly allow: readonly string[]
  readonly hub: { readonly endpoint?: string; readonly token?: string }
  /** Names this worker in provenance. */
  readonly identity: string
  /** The task queue that only this worker polls, where it prefers to go on with what it holds; null without one. */
  readonly queue: string | null
  /** Milliseconds since the epoch: the clock of provenance, and of nothing else. */
  readonly now: () => number
}

export interface Activities {
  readonly light: ReturnType<typeof lightActivities>
  readonly compute: ReturnType<typeof computeActivities>
}

export function lightActivities(deps: Deps) {
  return {
    ...admitActivities(deps),
    ...intakeActivities(deps),
    ...enrollActivities(deps),
    ...rewardActivities(deps),
    ...evaluateActivities(deps).light,
    ...pretrainActivities(deps).light,
    ...exportActivities(deps),
    ...reportActivities(deps),
    ...housekeepActivities(deps),
  }
}

export function computeActivities(deps: Deps & { readonly engine: Engine }) {
  return {
    ...sampleActivities(deps),
    ...stepActivities(deps),
    ...restoreActivities(deps),
    ...evaluateActivities(deps).compute(deps.engine),
    ...pretrainActivities(deps).compute(deps.engine),
  }
}
