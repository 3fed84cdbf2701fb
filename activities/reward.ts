/** One value and one verdict a rollout of one shard. Raw values are stored and never overwritten. */
import { digestOf } from './checkpoint/canonical.ts'
import * as keys from './checkpoint/keys.ts'
import { requireTable, rewardsTable, rolloutsTable, tableRef, writeTable } from './checkpoint/tables.ts'
import { ShardTask, type Scored, type TableRef } from './contracts.ts'
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
        const stored = await tableRef(deps.store, key, inputs)
        if (stored !== null) return stored

        const byId = new Map(problems.map((problem) => [problem.id, problem]))
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
