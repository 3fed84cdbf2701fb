/** What the runs of a sweep share, computed once before any of them could compute it at the same time as another. */
import * as wf from '@temporalio/workflow'
import { isOwnCancellation } from './cell.ts'
import { evaluate } from './evaluate.ts'
import { label } from './label.ts'
import { tagged } from './tags.ts'

/** Evaluations and labels of the initial models. */
export interface Shared {
  readonly initial: readonly unknown[]
  readonly labels: readonly unknown[]
}

export async function computeShared(sweep: string, { initial, labels }: Shared): Promise<void> {
  await Promise.all([
    ...initial.map(sharedOf(evaluate, `${sweep}:initial`)),
    ...labels.map(sharedOf(label, `${sweep}:label`)),
  ])
}

/** What fails here says nothing yet: the runs that need it fail by themselves, each in its row. */
const sharedOf =
  (type: typeof evaluate | typeof label, prefix: string) => async (spec: unknown, i: number) => {
    try {
      await wf.executeChild<typeof evaluate | typeof label>(type, {
        args: [spec],
        workflowId: `${prefix}:${i}`,
        ...tagged(),
      })
    } catch (error) {
      if (isOwnCancellation(error)) throw error
    }
  }
