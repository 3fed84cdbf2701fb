/** The rollouts of one shard of one step: policy and problems in, a stored table out. */
import * as keys from './checkpoint/keys.ts'
import { tableRef } from './checkpoint/tables.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { ShardTask, type Policy } from './contracts.ts'
import { durable } from './durable.ts'
import { NUMERICS_VERSION } from './engine/embedded.ts'
import { requireSampling } from './fit.ts'
import { openCheckpoint, openSpec, promptsOf, requireStore } from './open.ts'
import { requireNewest } from './replay.ts'
import { storeSamples, type Sampled } from './rollouts.ts'
import { batchOf, shardsOf } from './spec/batch.ts'
import type { ComputeDeps } from './update.ts'

export function sampleActivities(deps: ComputeDeps) {
  return {
    /** `replayed`: steps that were computed again for it; results of before it was noted lack it. */
    sample: (input: ShardTask): Promise<Sampled & { replayed?: readonly number[] }> =>
      durable(async (control) => {
        const { run, spec: specKey, step, shard, store } = ShardTask.parse(input)
        requireStore(deps, store)
        const opened = await openSpec(deps, specKey)
        const { document, problems } = opened
        const { spec, identity } = document
        const committed = await openCheckpoint(deps, run, step - 1, { identity })
        const key = keys.rollouts(run, step, shard)
        const inputsOf = ({ digest: policy }: Policy) =>
          digestOf({ policy, identity, step, shard, numerics: NUMERICS_VERSION })
        // A table is believed only if it was made from these very inputs.
        const stored = await tableRef(deps.store, key, inputsOf(committed.policy))
        if (stored !== null) return { ...stored, deviceSeconds: 0, replayed: [] }

        const busy = deps.engine.busySeconds
        const { policy, replayed } = await requireNewest(deps, opened, run, committed, control)
        const range = shardsOf(spec)[shard]
        if (range === undefined)
          throw new RangeError(`shard ${shard} of step ${step}: the spec has ${shardsOf(spec).length}`)
        const places = batchOf(problems, spec, step).slice(range.from, range.to)
        const problemsAsked = places.map(({ problem }) => problem)
        const prompts = await promptsOf(deps, policy, spec, problemsAsked, control)
        const unfinished = keys.unfinishedRollouts(run, step, shard)
        const sampled = await storeSamples(
          {
            engine: deps.engine,
            store: deps.store,
            key,
            unfinished,
            inputs: inputsOf(policy),
            fits: (drawn) => requireSampling(deps, policy, drawn, control),
          },
          policy,
          places.map(({ problem, occurrence }, i) => ({
            problem,
            prompt: prompts[i]!,
            occurrence,
            at: { seed: spec.seed, purpose: 'sample', step, problem: problem.id, occurrence },
          })),
          spec.batch.group,
          spec.sampling,
          control,
        )
        return { ...sampled, deviceSeconds: deps.engine.busySeconds - busy, replayed }
      }),
  }
}
