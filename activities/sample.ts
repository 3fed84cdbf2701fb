/** The rollouts of one shard of one step: policy and problems in, a stored table out. */
import * as keys from './checkpoint/keys.ts'
import { tableRef } from './checkpoint/tables.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { ShardTask } from './contracts.ts'
import { durable } from './durable.ts'
import { NUMERICS_VERSION } from './engine/embedded.ts'
import type { Engine } from './engine/port.ts'
import type { Deps } from './deps.ts'
import { openCheckpoint, openSpec, openTokenizerOf, requireStore } from './open.ts'
import { requirePolicy } from './restore.ts'
import { storeSamples, type Sampled } from './rollouts.ts'
import { batchOf, shardsOf } from './spec/batch.ts'

export function sampleActivities(deps: Deps & { readonly engine: Engine }) {
  return {
    sample: (input: ShardTask): Promise<Sampled> =>
      durable(async (control) => {
        const { run, spec: specKey, step, shard, store } = ShardTask.parse(input)
        requireStore(deps, store)
        const [{ document, problems }, { policy }] = await Promise.all([
          openSpec(deps, specKey),
          openCheckpoint(deps, run, step - 1),
        ])
        const { spec } = document
        const key = keys.rollouts(run, step, shard)
        // A table is believed only if it was made from these very inputs.
        const inputs = digestOf({
          policy: policy.digest,
          identity: document.identity,
          step,
          shard,
          numerics: NUMERICS_VERSION,
        })
        const stored = await tableRef(deps.store, key, inputs)
        if (stored !== null) return { ...stored, deviceSeconds: 0 }

        await requirePolicy(deps, keys.checkpoint(run, step - 1), policy, control)
        const tokenizer = await openTokenizerOf(deps, policy, control)
        const range = shardsOf(spec)[shard]
        if (range === undefined)
          throw new RangeError(`shard ${shard} of step ${step}: the spec has ${shardsOf(spec).length}`)
        const places = batchOf(problems, spec, step).slice(range.from, range.to)
        const unfinished = keys.unfinishedRollouts(run, step, shard)
        return storeSamples(
          { engine: deps.engine, tokenizer, store: deps.store, key, unfinished, inputs },
          policy,
          places.map(({ problem, occurrence }) => ({
            problem,
            occurrence,
            at: { seed: spec.seed, purpose: 'sample', step, problem: problem.id, occurrence },
          })),
          spec.prompt,
          spec.batch.group,
          spec.sampling,
          control,
        )
      }),
  }
}
