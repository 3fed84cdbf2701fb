/** One value and one verdict a rollout of one shard. Raw values are stored and never overwritten. */
import type { Problem } from './benchmarks/problem.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { readDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import type { Store } from './checkpoint/store.ts'
import {
  readTable,
  requireTable,
  rewardsTable,
  rolloutsTable,
  tableRef,
  writeTable,
} from './checkpoint/tables.ts'
import { CheckpointDocument, ShardTask, type Scored, type TableRef } from './contracts.ts'
import { durable } from './durable.ts'
import { GRADER_VERSION } from './grading/index.ts'
import type { Deps } from './deps.ts'
import { openSpec, requireStore } from './open.ts'
import { scoredOf } from './rewards/index.ts'

export function rewardActivities(deps: Deps) {
  return {
    reward: (input: ShardTask): Promise<TableRef> =>
      durable(async (control) => {
        const { run, spec: specKey, step, shard, store } = ShardTask.parse(input)
        requireStore(deps, store)
        const [{ document, problems }, { rows, digest }] = await Promise.all([
          openSpec(deps, specKey),
          requireTable(deps.store, keys.rollouts(run, step, shard), rolloutsTable),
        ])
        const key = keys.rewards(run, step, shard)
        const inputs = digestOf({ rollouts: digest, reward: document.spec.reward, grader: GRADER_VERSION })
        const stored =
          (await tableRef(deps.store, key, inputs)) ??
          (await learntFrom(deps.store, { run, step, shard, rollouts: digest }))
        if (stored !== null) return stored

        // A shard has a few of perhaps a million problems: only those are put in order.
        const wanted = new Set(rows.map(({ problem }) => problem))
        const byId = new Map<string, Problem>()
        for (const problem of problems) if (wanted.has(problem.id)) byId.set(problem.id, problem)
        const scored: Scored[] = rows.map((rollout, i) => {
          if (i % 64 === 0) control.signal.throwIfAborted()
          const problem = byId.get(rollout.problem)
          if (problem === undefined)
            throw new Error(`reward: rollouts name problem ${rollout.problem}, which the data set lacks`)
          return scoredOf(document.spec.reward, problem, rollout, { seed: document.spec.seed, step })
        })
        return writeTable(deps.store, key, rewardsTable, scored, inputs)
      }),
  }
}

interface Rewarded extends Pick<ShardTask, 'run' | 'step' | 'shard'> {
  readonly rollouts: string
}

/**
 * The rewards of these very rollouts that a committed step learnt from. Where a run was reset, or goes on, under another
 * grader, they stay what they were: otherwise nothing could be computed again from that step on.
 */
async function learntFrom(store: Store, { run, step, shard, rollouts }: Rewarded): Promise<TableRef | null> {
  const committed = await readDocument(store, keys.checkpoint(run, step), CheckpointDocument)
  const learnt = committed?.learntFrom[shard]
  if (learnt === undefined || learnt.rollouts !== rollouts) return null
  const key = keys.rewards(run, step, shard)
  const table = await readTable(store, key, rewardsTable)
  return table?.digest === learnt.rewards ? { key, digest: table.digest, rows: table.rows.length } : null
}
