/** One GRPO step: a checkpoint, its rollouts and their rewards in; the next checkpoint and its metrics out. */
import { Context } from '@temporalio/activity'
import { digestOf } from './checkpoint/canonical.ts'
import { commit, readDocument, replaceDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { CorruptObject, NotFound } from './checkpoint/store.ts'
import { requireTable, rewardsTable, rolloutsTable } from './checkpoint/tables.ts'
import {
  CheckpointDocument,
  MetricsDocument,
  StepTask,
  type Checkpoint,
  type Metrics,
  type ProvenanceDocument,
} from './contracts.ts'
import { durable } from './durable.ts'
import { NUMERICS_VERSION } from './engine/embedded.ts'
import { StateLost, type Control, type Engine, type MinibatchSums } from './engine/port.ts'
import { learn } from './grpo/learn.ts'
import { stepMetrics } from './grpo/metrics.ts'
import type { Deps } from './deps.ts'
import { openCheckpoint, openSpec, requireStore, type OpenSpec } from './open.ts'
import { shardsOf } from './spec/batch.ts'

export type ComputeDeps = Deps & { readonly engine: Engine }

export interface Stepped {
  readonly policy: string
  readonly metrics: Metrics
  /** Of the worker that holds the state now; null where nobody is known to. */
  readonly queue: string | null
  /** What this attempt computed. */
  readonly deviceSeconds: number
}

/** Weights that nobody keeps any more, and that this worker cannot compute again to the bit. */
export class WeightsLost extends Error {
  override readonly name = 'WeightsLost'
}

export function stepActivities(deps: ComputeDeps) {
  return {
    step: (input: StepTask): Promise<Stepped> =>
      durable(async (control) => {
        const { run, spec: specKey, step, whole, sampledSeconds = 0, store } = StepTask.parse(input)
        requireStore(deps, store)
        const busy = deps.engine.busySeconds
        const began = { at: deps.now(), busy: busy - sampledSeconds }
        const opened = await openSpec(deps, specKey)
        const [inputs, before, committed, known] = await Promise.all([
          readStep(deps, opened, run, step),
          checkpointOf(deps, run, step - 1),
          readDocument(deps.store, keys.checkpoint(run, step), CheckpointDocument),
          readDocument(deps.store, keys.metrics(run, step), MetricsDocument),
        ])
        requireSampledBy(before.policy.digest, inputs, run)
        const plan = { lineage: lineageOf(opened, before, inputs), whole: whole === true }
        // A checkpoint is believed only if it was made from these very inputs.
        if (committed?.checkpoint.lineage === plan.lineage && known !== null)
          return { policy: committed.policy.digest, metrics: known.metrics, queue: null, deviceSeconds: 0 }
        const replayed: number[] = []
        const updated = await update(deps, opened, before, inputs, plan, control).catch(
          async (error: unknown) => {
            if (!(error instanceof StateLost || error instanceof NotFound)) throw error
            const restored = await replay(deps, opened, run, step - 1, replayed, control)
            return update(deps, opened, restored, inputs, plan, control)
          },
        )
        const metrics = stepMetrics(inputs.table, updated.sums)
        await Promise.all([
          replaceDocument(deps.store, keys.metrics(run, step), MetricsDocument, { format: 1, step, metrics }),
          writeProvenance(deps, run, step, began, replayed),
        ])
        const { policy, ...checkpoint } = updated.checkpoint
        const { identity } = opened.document
        const document: CheckpointDocument = {
          format: 1,
          identity,
          step,
          policy,
          checkpoint,
          learntFrom: inputs.learntFrom,
        }
        const key = keys.checkpoint(run, step)
        const winner = await commit(deps.store, key, CheckpointDocument, document)
        const isOurs = winner.checkpoint.lineage === plan.lineage
        if (!isOurs) await replaceDocument(deps.store, key, CheckpointDocument, document)
        return {
          policy: (isOurs ? winner : document).policy.digest,
          metrics,
          queue: deps.queue,
          deviceSeconds: deps.engine.busySeconds - busy,
        }
      }),
  }
}

async function checkpointOf(deps: Deps, run: string, step: number): Promise<Checkpoint> {
  const { policy, checkpoint } = await openCheckpoint(deps, run, step)
  return { policy, ...checkpoint }
}

/** All that a step learns from, read back from the store. */
async function readStep({ store }: Deps, { document }: OpenSpec, run: string, step: number) {
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
type StepInputs = Awaited<ReturnType<typeof readStep>>

/** An update is of the policy that sampled: rollouts of another are refused, whoever put them there. */
function requireSampledBy(policy: string, { step, table }: StepInputs, run: string): void {
  const other = table.find(({ rollout }) => rollout.policy !== policy)?.rollout
  if (other !== undefined)
    throw new CorruptObject(
      `run ${run}, step ${step}: expected rollouts of policy ${policy}, found one of ${other.policy} ` +
        `(problem ${other.problem}, sample ${other.sample})`,
    )
}

/** Names a checkpoint by all that it comes from: its parent, its spec, what it learnt from, and who computes. */
function lineageOf({ document: { identity } }: OpenSpec, parent: Checkpoint, inputs: StepInputs): string {
  const { step, learntFrom } = inputs
  return digestOf({ parent: parent.lineage, identity, step, learntFrom, numerics: NUMERICS_VERSION })
}

/** `whole`: the optimizer's state is stored, too, whether or not it is this step's turn. */
interface Plan {
  readonly lineage: string
  readonly whole: boolean
}

async function update(
  deps: ComputeDeps,
  opened: OpenSpec,
  before: Checkpoint,
  inputs: StepInputs,
  { lineage, whole }: Plan,
  control: Control,
): Promise<{ checkpoint: Checkpoint; sums: MinibatchSums[] }> {
  const { step, table } = inputs
  const { spec } = opened.document
  const minibatches = learn(table, spec, step)
  // The last step is saved whole too: a run that is extended goes on from there.
  const saveOptimizer = whole || step % spec.checkpoint.every === 0 || step === spec.steps
  const plan = { lineage, microbatchTokens: spec.batch.microbatchTokens, saveOptimizer }
  return deps.engine.update(before, minibatches, spec.objective, spec.optimizer, plan, control)
}

/**
 * Gets a lost optimizer state or dropped weights back: the updates since the last whole checkpoint that the store has,
 * from stored rollouts. Their blobs are stored again on the way. Throws WeightsLost, NotFound.
 */
export async function replay(
  deps: ComputeDeps,
  opened: OpenSpec,
  run: string,
  to: number,
  replayed: number[],
  control: Control,
): Promise<Checkpoint> {
  let from = to
  let checkpoint = await checkpointOf(deps, run, from)
  while (checkpoint.optimizer.state === null || !(await isStored(deps, checkpoint))) {
    if (from === 0) throw new NotFound(`run ${run}: the blobs of its step 0 are not in the store`)
    checkpoint = await checkpointOf(deps, run, --from)
  }
  for (let step = from + 1; step <= to; step++) {
    const committed = await checkpointOf(deps, run, step)
    const inputs = await readStep(deps, opened, run, step)
    const plan = { lineage: committed.lineage, whole: false }
    const { checkpoint: next } = await update(deps, opened, checkpoint, inputs, plan, control)
    if (next.policy.digest !== committed.policy.digest && !(await isStored(deps, committed)))
      throw new WeightsLost(
        `run ${run}, step ${step}: its weights are no longer kept, and in the domain of this worker ` +
          `(${deps.engine.domain}) the replay gives ${next.policy.digest} instead of ${committed.policy.digest}`,
      )
    // Another determinism domain may differ in the last bits; the committed weights win, the state is ours.
    checkpoint = { ...next, policy: committed.policy }
    replayed.push(step)
  }
  return checkpoint
}

/** Whether the store has all that a checkpoint names. */
async function isStored({ store }: Deps, { policy, optimizer }: Checkpoint): Promise<boolean> {
  for (const { digest, sizeBytes } of [...policy.files, ...(optimizer.state ?? [])])
    if ((await store.head(keys.blob(digest)))?.sizeBytes !== sizeBytes) return false
  return true
}

async function writeProvenance(
  deps: ComputeDeps,
  run: string,
  step: number,
  began: { readonly at: number; readonly busy: number },
  replayed: number[],
): Promise<void> {
  const document: ProvenanceDocument = {
    format: 1,
    worker: deps.identity,
    domain: deps.engine.domain,
    attempt: Context.current().info.attempt,
    startedAt: new Date(began.at).toISOString(),
    seconds: (deps.now() - began.at) / 1000,
    replayed,
    deviceSeconds: deps.engine.busySeconds - began.busy,
  }
  await deps.store.replace(keys.provenance(run, step), new TextEncoder().encode(JSON.stringify(document)))
}
