/**
 * Samples of problems, as the rows of a rollout table, in the order in which they finish.
 *
 * A finished completion is the safe point of sampling: what is finished when the worker is told to stop goes to the
 * store under a name of its own, and the next attempt samples only what is missing. That gives the same rows, since a
 * sample depends on its policy, prompt and stream, never on what shares its batch.
 */
import { strategyOf } from './analysis/strategy.ts'
import type { Problem } from './benchmarks/problem.ts'
import { placeOf } from './checkpoint/join.ts'
import type { Store } from './checkpoint/store.ts'
import { CorruptObject } from './checkpoint/store.ts'
import { readTable, rolloutsTable, writeTable } from './checkpoint/tables.ts'
import type { Policy, Rollout, TableRef } from './contracts.ts'
import type { Control, Decoding, Engine, Prompt } from './engine/port.ts'
import type { Drawn } from './spec/memory.ts'
import type { PromptText } from './spec/prompt.ts'

/** Samples wanted of one problem; `occurrence` counts its places in a batch. */
export interface Asked {
  readonly problem: Problem
  /** What the policy reads for it. */
  readonly prompt: PromptText
  readonly occurrence: number
  readonly at: Prompt['at']
}

/** Who samples, where the table of rows made from `inputs` goes, and where they wait when it has to stop. */
export interface Sampling {
  readonly engine: Engine
  readonly store: Store
  readonly key: string
  readonly unfinished: string
  readonly inputs: string
  /** Refuses what this worker's memory cannot hold. */
  readonly fits: (drawn: Drawn) => Promise<void>
}

/** A stored table, and the seconds of computing that this attempt spent on it. */
export type Sampled = TableRef & { readonly deviceSeconds: number }

/** Stores `samples` completions of each problem; those of an earlier attempt are not sampled. */
export async function storeSamples(
  { engine, store, key, unfinished, inputs, fits }: Sampling,
  policy: Policy,
  asked: readonly Asked[],
  samples: number,
  sampling: Omit<Decoding, 'stop' | 'ignoreEnd'>,
  control: Control,
): Promise<Sampled> {
  const busy = engine.busySeconds
  const before = await finishedBefore(store, unfinished, inputs)
  const rollouts = [...before.rows]
  const known = rollouts.length
  const done = new Set(rollouts.map(placeOf))
  const prompts = asked.map(({ problem, prompt, occurrence, at }) => ({
    ...prompt,
    at,
    samples: Array.from({ length: samples }, (_, sample) => sample).filter(
      (sample) => !done.has(placeOf({ problem: problem.id, occurrence, sample })),
    ),
  }))
  const promptTokens = prompts.reduce((most, { tokens }) => Math.max(most, tokens.length), 1)
  const completions = prompts.reduce((sum, prompt) => sum + prompt.samples.length, 0)
  await fits({ promptTokens, maxTokens: sampling.maxTokens, completions })
  const decoding = { ...sampling, stop: prompts[0]?.stop ?? [] }
  try {
    for await (const completion of engine.sample(policy, prompts, decoding, control)) {
      const { problem, occurrence } = asked[completion.prompt]!
      const { text, tokens } = prompts[completion.prompt]!
      rollouts.push({
        problem: problem.id,
        occurrence,
        sample: completion.sample,
        prompt: text,
        completion: completion.text,
        promptTokens: [...tokens],
        tokens: [...completion.tokens],
        logprobs: [...completion.logprobs],
        stop: completion.stop,
        policy: policy.digest,
        strategy: strategyOf(completion.text),
      })
    }
  } catch (error) {
    if (control.signal.aborted && rollouts.length > known)
      await writeTable(store, unfinished, rolloutsTable, rollouts, inputs, { replace: true })
    throw error
  }
  const written = await writeTable(store, key, rolloutsTable, rollouts, inputs)
  if (before.isThere) await store.remove(unfinished)
  return { ...written, deviceSeconds: engine.busySeconds - busy }
}

/** Rows of an earlier attempt at the same; a torn table is worth nothing, and nothing is lost but time. */
async function finishedBefore(
  store: Store,
  key: string,
  inputs: string,
): Promise<{ readonly isThere: boolean; readonly rows: readonly Rollout[] }> {
  try {
    const found = await readTable(store, key, rolloutsTable)
    return { isThere: found !== null, rows: found?.inputs === inputs ? found.rows : [] }
  } catch (error) {
    if (error instanceof CorruptObject) return { isThere: true, rows: [] }
    throw error
  }
}
