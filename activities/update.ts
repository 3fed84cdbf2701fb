/** What a step learns from, and its update: the same whether a step does it or a replay. */
import { requireTable, rewardsTable, rolloutsTable } from './checkpoint/tables.ts'
import * as keys from './checkpoint/keys.ts'
import { joined } from './checkpoint/join.ts'
import { CorruptObject } from './checkpoint/store.ts'
import type { Checkpoint, CheckpointDocument } from './contracts.ts'
import type { Control, Engine, MinibatchSums, Stored } from './engine/port.ts'
import { requireUpdate } from './fit.ts'
import { learn } from './grpo/learn.ts'
import type { Deps } from './deps.ts'
import { openCheckpoint, type OpenSpec } from './open.ts'
import { shardsOf } from './spec/batch.ts'

export type ComputeDeps = Deps & { readonly engine: Engine }

/** `learntFrom`: what its step learnt from, nothing of step 0. */
export type Committed = Checkpoint & Pick<CheckpointDocument, 'learntFrom'>

export async function checkpointOf(
  deps: Deps,
  { document: { identity } }: OpenSpec,
  run: string,
  step: number,
): Promise<Committed> {
  const { policy, checkpoint, learntFrom } = await openCheckpoint(deps, run, step, { identity })
  return { policy, ...checkpoint, learntFrom }
}

/**
 * All that a step learns from, read back from the store, each rollout with its own reward. `expected`: the digests of
 * the tables, by shard, where they have been written down. Throws CorruptObject for others.
 */
export async function readStep(
  { store }: Deps,
  { document }: OpenSpec,
  run: string,
  step: number,
  expected?: CheckpointDocument['learntFrom'],
) {
  const planned = shardsOf(document.spec)
  if (expected !== undefined && expected.length !== planned.length)
    throw new CorruptObject(
      `run ${run}, step ${step}: expected tables of ${expected.length} shards, found a spec of ${planned.length}`,
    )
  const shards = await Promise.all(
    planned.map(async (_, shard) => {
      const { rollouts: ofRollouts, rewards: ofRewards } = expected?.[shard] ?? {}
      const [rollouts, rewards] = await Promise.all([
        requireTable(store, keys.rollouts(run, step, shard), rolloutsTable, { digest: ofRollouts }),
        requireTable(store, keys.rewards(run, step, shard), rewardsTable, { digest: ofRewards }),
      ])
      const place = `run ${run}, step ${step}, shard ${shard}`
      const pairs = joined(rollouts.rows, rewards.rows, { place, rows: ['rollout', 'reward'] })
      return { rollouts, rewards, pairs }
    }),
  )
  return {
    step,
    table: shards.flatMap(({ pairs }) => pairs.map(([rollout, reward]) => ({ rollout, reward }))),
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
