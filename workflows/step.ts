/** One step of a run: its shards sampled and rewarded, then learnt from. */
import * as wf from '@temporalio/workflow'
import type { Rewarded, StepTask, Stopped } from '../activities/contracts.ts'
import type { Stepped } from '../activities/step.ts'
import { lightAs, near, type Moved } from './proxies.ts'

/**
 * The update, and the first shard, prefer the worker behind `queue`, which holds the run's state, until it is gone; the
 * other shards go to whoever is free. `deviceSeconds` of the result covers all of it.
 */
export async function stepOn(
  queue: string | null,
  task: StepTask,
): Promise<Stepped & { readonly rewarded: Rewarded | undefined }> {
  const { run, spec, step, shards, store } = task
  const name = `step ${step}`
  let holder = queue
  const moved = (why: Moved, message: string) => {
    if (why !== 'busy') holder = null
    // `temporal workflow describe` shows it when the attempt that says so is over.
    if (why === 'preempted') wf.upsertMemo({ preempted: `${name}: ${message}` })
  }
  const sampleAndReward = async (shard: number) => {
    const sample = { run, spec, step, shard, store }
    const itsName = shards > 1 ? `${name}, shard ${shard + 1} of ${shards}` : name
    const at = shard === 0 ? holder : null
    const sampled = await near(at, itsName, (compute) => compute.sample(sample), moved)
    const rewarded = await lightAs(itsName).reward(sample)
    return { ...sampled, rewarded, tables: { rollouts: sampled.digest, rewards: rewarded.digest } }
  }
  const sampled = await Promise.all(Array.from({ length: shards }, (_, shard) => sampleAndReward(shard)))
  const sampledSeconds = sampled.reduce((sum, { deviceSeconds }) => sum + deviceSeconds, 0)
  const replayed = [...(sampled[0]?.replayed ?? [])]
  const tables = sampled.map((shard) => shard.tables)
  const learn = { ...task, replayed, sampledSeconds, tables }
  const stepped = await near(holder, name, (compute) => compute.step(learn), moved)
  return { ...stepped, rewarded: sampled[0]?.rewarded, deviceSeconds: sampledSeconds + stepped.deviceSeconds }
}

/**
 * The end of a run whose numbers are none behind step `last`, where its spec takes that as one: at that step where the
 * next update is not finite, and one before where its own policy has logits that are not. Throws anything else, and
 * where there is no step before: the initial model is nothing to keep.
 */
export function nonFinite(error: unknown, last: number): Stopped {
  const cause = error instanceof wf.ActivityFailure ? error.cause : null
  if (!(cause instanceof wf.ApplicationFailure)) throw error
  const step = cause.type === 'NonFiniteLoss' ? last : cause.type === 'NonFiniteLogits' ? last - 1 : -1
  if (step < 0) throw error
  return { rule: 'non-finite', step, message: cause.message }
}
