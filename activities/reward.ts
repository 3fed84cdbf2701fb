/** One value and one verdict a rollout of one shard. Raw values are stored and never overwritten. */
import type { Problem } from './benchmarks/problem.ts'
import { readDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import type { Store } from './checkpoint/store.ts'
import {
  believed,
  readTable,
  refOf,
  requireTable,
  rewardsTable,
  rolloutsTable,
  writeTable,
  type StoredTable,
} from './checkpoint/tables.ts'
import { CheckpointDocument, ShardTask, type Reward, type Rewarded, type Scored } from './contracts.ts'
import { durable } from './durable.ts'
import type { Deps } from './deps.ts'
import { graderAt, graderOf, rewardInputs } from './judged.ts'
import { openSpec, requireStore } from './open.ts'
import { isGraded, samplesOf, scoredOf } from './rewards/index.ts'

export function rewardActivities(deps: Deps) {
  const judging = judgingOf(deps.store)
  return {
    reward: (input: ShardTask): Promise<Rewarded> =>
      durable(async (control) => {
        const { run, spec: specKey, step, shard, store } = ShardTask.parse(input)
        requireStore(deps, store)
        const [{ document, problems }, { rows, digest }] = await Promise.all([
          openSpec(deps, specKey),
          requireTable(deps.store, keys.rollouts(run, step, shard), rolloutsTable),
        ])
        const key = keys.rewards(run, step, shard)
        const { reward, seed } = document.spec
        const inputs = rewardInputs(digest, reward)
        const stored =
          (await believed(deps.store, key, rewardsTable, inputs)) ??
          (await learntFrom(deps.store, { run, step, shard, rollouts: digest }))

        // A shard has a few of perhaps a million problems: only those are put in order.
        const wanted = new Set(rows.map(({ problem }) => problem))
        const byId = new Map<string, Problem>()
        for (const problem of problems) if (wanted.has(problem.id)) byId.set(problem.id, problem)
        const scoredNow = () =>
          rows.map((rollout, i): Scored => {
            if (i % 64 === 0) control.signal.throwIfAborted()
            const problem = byId.get(rollout.problem)
            if (problem === undefined)
              throw new Error(`reward: rollouts name problem ${rollout.problem}, which the data set lacks`)
            return scoredOf(reward, problem, rollout, { seed, step })
          })
        const scored = stored?.rows ?? scoredNow()
        const ref =
          stored === null
            ? await writeTable(deps.store, key, rewardsTable, scored, inputs)
            : refOf(key, stored)
        if (shard > 0) return ref
        const grader = graderOf(stored?.inputs ?? inputs, digest, reward)
        return {
          ...ref,
          ...(await judging({ run, step, reward }, grader)),
          samples: samplesOf(rows, scored, byId),
        }
      }),
  }
}

interface Rewarding extends Pick<ShardTask, 'run' | 'step' | 'shard'> {
  readonly rollouts: string
}

/**
 * The rewards of these very rollouts that a committed step learnt from. Where a run was reset, or goes on, under another
 * grader, they stay what they were: otherwise nothing could be computed again from that step on.
 */
async function learntFrom(
  store: Store,
  { run, step, shard, rollouts }: Rewarding,
): Promise<StoredTable<Scored> | null> {
  const committed = await readDocument(store, keys.checkpoint(run, step), CheckpointDocument)
  const learnt = committed?.learntFrom[shard]
  if (learnt === undefined || learnt.rollouts !== rollouts) return null
  const table = await readTable(store, keys.rewards(run, step, shard), rewardsTable)
  return table?.digest === learnt.rewards ? table : null
}

/** Runs whose last grader a worker remembers, so that it need not be looked up at each of their steps. */
const remembered = 1000

/** Who judged a step, and who the step before where that was another; nothing of a reward that reads no answer. */
function judgingOf(store: Store) {
  const last = new Map<string, { readonly step: number; readonly grader: string }>()
  return async (
    { run, step, reward }: { readonly run: string; readonly step: number; readonly reward: Reward },
    grader: string,
  ): Promise<Pick<Rewarded, 'grader' | 'before'>> => {
    if (!isGraded(reward)) return {}
    const own = last.get(run)
    const before =
      own?.step === step - 1 ? own.grader : step > 1 ? await graderAt(store, run, step - 1, reward) : null
    last.delete(run)
    last.set(run, { step, grader })
    const oldest = last.keys().next().value
    if (last.size > remembered && oldest !== undefined) last.delete(oldest)
    return { grader, ...(before !== null && before !== grader && { before }) }
  }
}
