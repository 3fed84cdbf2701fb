/** The rollouts of one shard of one step: policy and problems in, a stored table out. */
import { strategyOf } from './analysis/strategy.ts'
import * as keys from './checkpoint/keys.ts'
import { rolloutsTable, tableRef, writeTable } from './checkpoint/tables.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { ShardTask, type Rollout, type TableRef } from './contracts.ts'
import { durable } from './durable.ts'
import { NUMERICS_VERSION } from './engine/embedded.ts'
import type { Engine } from './engine/port.ts'
import type { Deps } from './index.ts'
import { openCheckpoint, openSpec, openTokenizerOf } from './open.ts'
import { requirePolicy } from './restore.ts'
import { batchOf, shardsOf } from './spec/batch.ts'
import { promptOf } from './spec/prompt.ts'

export function sampleActivities(deps: Deps & { readonly engine: Engine }) {
  return {
    sample: (input: ShardTask): Promise<TableRef> =>
      durable(async (control) => {
        const { run, spec: specKey, step, shard } = ShardTask.parse(input)
        const { document, problems } = await openSpec(deps, specKey)
        const { spec } = document
        const { policy } = await openCheckpoint(deps, run, step - 1)
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
        if (stored !== null) return stored

        await requirePolicy(deps, keys.checkpoint(run, step - 1), policy, control)
        const tokenizer = await openTokenizerOf(deps, policy, control)
        const range = shardsOf(spec)[shard]
        if (range === undefined)
          throw new RangeError(`shard ${shard} of step ${step}: the spec has ${shardsOf(spec).length}`)
        const places = batchOf(problems, spec, step).slice(range.from, range.to)
        const asked = places.map(({ problem, occurrence }) => ({
          ...promptOf(tokenizer, spec.prompt, problem),
          at: { seed: spec.seed, purpose: 'sample' as const, step, problem: problem.id, occurrence },
          samples: Array.from({ length: spec.batch.group }, (_, sample) => sample),
        }))
        const rollouts: Rollout[] = []
        const decoding = { ...spec.sampling, stop: asked[0]?.stop ?? [] }
        for await (const { prompt, ...completion } of deps.engine.sample(policy, asked, decoding, control)) {
          const { problem, occurrence } = places[prompt]!
          rollouts.push({
            problem: problem.id,
            occurrence,
            sample: completion.sample,
            prompt: asked[prompt]!.text,
            completion: completion.text,
            promptTokens: [...asked[prompt]!.tokens],
            tokens: [...completion.tokens],
            logprobs: [...completion.logprobs],
            stop: completion.stop,
            policy: policy.digest,
            strategy: strategyOf(completion.text),
          })
        }
        return writeTable(deps.store, key, rolloutsTable, rollouts, inputs)
      }),
  }
}
