/** What a step learns from, and its update: the same whether a step does it or a replay. */
import { requireTable, rewardsTable, rolloutsTable } from './checkpoint/tables.ts'
import * as keys from './checkpoint/keys.ts'
import type { Checkpoint } from './contracts.ts'
import type { Control, Engine, MinibatchSums, Stored } from './engine/port.ts'
import { requireUpdate } from './fit.ts'
import { learn } from './grpo/learn.ts'
import type { Deps } from './deps.ts'
import { openCheckpoint, type OpenSpec } from './open.ts'
import { shardsOf } from './spec/batch.ts'

export type ComputeDeps = Deps & { readonly engine: Engine }

export async function checkpointOf(deps: Deps, run: string, step: number): Promise<Checkpoint> {
  const { policy, checkpoint } = await openCheckpoint(deps, run, step)
  return { policy, ...checkpoint }
}

/** All that a step learns from, read back from the store. */
export async function readStep({ store }: Deps, { document }: OpenSpec, run: string, step: number) {
  const shards = await Promise.all(
    shardsOf(document.spec).map(async (_, shard) => {
      const [rollouts, rewards] = await Promise.all([
        requireTable(store, keys.rollouts(run, step, shard), rolloutsTable),
        requireTable(store, keys.rewards(run, step, shard), rewardsTable),
      ])
      return { rollouts, rewards }
    }),
  )
  return {
    step,
    table: shards.flatMap(({ rollouts, rewards }) =>
      rollouts.rows.map((rollout, i) => ({ rollout, reward: rewards.rows[i]! })),
    ),
    learntFrom: shards.map(({ rollouts, rewards }) => ({
      rollouts: rollouts.digest,
      rewards: rewards.digest,
    })),
  }
}
export type StepInputs = Awaited<ReturnType<typeof readStep>>

/** The checkpoint after `before`, named `lineage`; `store` says what of it leaves this worker. */
export async function update(
  deps: ComputeDeps,
  { document: { spec } }: OpenSpec,
  before: Checkpoint,
  { step, table }: StepInputs,
  { lineage, store }: { readonly lineage: string; readonly store: Stored },
  control: Control,
): Promise<{ checkpoint: Checkpoint; sums: MinibatchSums[] }> {
  const minibatches = learn(table, spec, step)
  const { microbatchTokens } = spec.batch
  await requireUpdate(
    deps,
    before.policy,
    { minibatches, microbatchTokens, optimizer: spec.optimizer.name },
    control,
  )
  const plan = { lineage, microbatchTokens, store }
  return deps.engine.update(before, minibatches, spec.objective, spec.optimizer, plan, control)
}
