/**
 * Completions of a problem set by one policy under one prompt: what evaluations, labels and probes are made of.
 *
 * They lie under the digest of all that they depend on (policy, problems, prompt, sampling, seed, what they are for),
 * never of a step, run or arm, so equal work is done once, whoever asks. A shard is whole problems; its table holds all
 * of their samples.
 */
import type { Problem } from './benchmarks/problem.ts'
import { promptKey } from './benchmarks/prompts.ts'
import { digestOf } from './checkpoint/canonical.ts'
import * as keys from './checkpoint/keys.ts'
import { requireTable, rolloutsTable, tableRef } from './checkpoint/tables.ts'
import type { Policy, Rollout, Sampling } from './contracts.ts'
import { NUMERICS_VERSION } from './engine/embedded.ts'
import type { Control } from './engine/port.ts'
import { requireSampling } from './fit.ts'
import { promptsOf } from './open.ts'
import { requirePolicy } from './replay.ts'
import { storeSamples, type Sampled } from './rollouts.ts'
import type { Purpose } from './seed.ts'
import { cut } from './spec/batch.ts'
import type { Drawn } from './spec/memory.ts'
import type { ComputeDeps } from './update.ts'
import type { Store } from './checkpoint/store.ts'

export interface Wanted {
  /** Key of the policy's manifest. */
  readonly source: string
  readonly policy: Policy
  readonly problems: readonly Problem[]
  /** Digest of the problem set's blob, of which `problems` are the first. */
  readonly data: string
  readonly prompt: string
  /** What the chat template is told when it asks for today. */
  readonly date?: string | undefined
  readonly samples: number
  readonly sampling: Sampling
  readonly seed: number
  readonly purpose: Extract<Purpose, 'evaluate' | 'label'>
  /** How much of each statement the policy is given, if not all. */
  readonly share?: number
}

/** Their key: all that they depend on. */
export function completionsOf(wanted: Wanted): string {
  const { policy, problems, data, prompt, date, sampling, samples, seed, purpose, share } = wanted
  return digestOf({
    policy: policy.digest,
    data,
    problems: problems.length,
    prompt: promptKey(prompt),
    ...(date !== undefined && { date }),
    sampling,
    samples,
    seed,
    numerics: NUMERICS_VERSION,
    ...(purpose !== 'evaluate' && { purpose }),
    ...(share !== undefined && { share }),
  })
}

export const shardsOfWanted = ({ problems, samples }: Wanted) => cut(problems.length, samples)

/** One shard, sampled unless it is stored. */
export async function complete(
  deps: ComputeDeps,
  wanted: Wanted,
  shard: number,
  control: Control,
): Promise<Sampled> {
  const { source, policy, seed, purpose } = wanted
  const completions = completionsOf(wanted)
  const key = keys.completions(completions, shard)
  const inputs = digestOf({ completions, shard })
  const stored = await tableRef(deps.store, key, inputs)
  if (stored !== null) return { ...stored, deviceSeconds: 0 }

  await requirePolicy(deps, source, policy, control)
  const shards = shardsOfWanted(wanted)
  const range = shards[shard]
  if (range === undefined) throw new RangeError(`shard ${shard} of completions: there are ${shards.length}`)
  const unfinished = keys.unfinishedCompletions(completions, shard)
  const fits = (drawn: Drawn) => requireSampling(deps, policy, drawn, control)
  const problems = wanted.problems.slice(range.from, range.to)
  const prompts = await promptsOf(deps, policy, wanted, problems, control)
  return storeSamples(
    { engine: deps.engine, store: deps.store, key, unfinished, inputs, fits },
    policy,
    problems.map((problem, i) => ({
      problem,
      prompt: prompts[i]!,
      occurrence: 0,
      at: { seed, purpose, problem: problem.id },
    })),
    wanted.samples,
    wanted.sampling,
    control,
  )
}

/** The rows of some stored shards, a shard at a time. Throws NotFound. */
export async function* storedShards(
  store: Store,
  completions: string,
  { from, to }: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): AsyncIterable<Rollout[]> {
  for (let shard = from; shard < to; shard++) {
    signal.throwIfAborted()
    const key = keys.completions(completions, shard)
    const inputs = digestOf({ completions, shard })
    yield (await requireTable(store, key, rolloutsTable, { inputs })).rows
  }
}
