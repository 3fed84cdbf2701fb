/** One GRPO step: a checkpoint, its rollouts and their rewards in; the next checkpoint and its metrics out. */
import { Context } from '@temporalio/activity'
import { digestOf } from './checkpoint/canonical.ts'
import { commit, readDocument, replaceDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { CorruptObject, NotFound } from './checkpoint/store.ts'
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
import { StateLost, type Stored } from './engine/port.ts'
import { stepMetrics } from './grpo/metrics.ts'
import { openSpec, requireStore, type OpenSpec } from './open.ts'
import { replay } from './replay.ts'
import { shardsOf } from './spec/batch.ts'
import { checkpointOf, readStep, update, type ComputeDeps, type StepInputs } from './update.ts'

export interface Stepped {
  readonly policy: string
  readonly metrics: Metrics
  /** Of the worker that holds the state now; null where nobody is known to. */
  readonly queue: string | null
  /** What this attempt computed. */
  readonly deviceSeconds: number
}

export function stepActivities(deps: ComputeDeps) {
  return {
    step: (input: StepTask): Promise<Stepped> =>
      durable(async (control) => {
        const task = StepTask.parse(input)
        const { run, step, sampledSeconds = 0 } = task
        requireStore(deps, task.store)
        const busy = deps.engine.busySeconds
        const began = { at: deps.now(), busy: busy - sampledSeconds }
        const opened = await openSpec(deps, task.spec)
        const [inputs, before, committed, known] = await Promise.all([
          readStep(deps, opened, run, step, task.tables),
          checkpointOf(deps, opened, run, step - 1),
          readDocument(deps.store, keys.checkpoint(run, step), CheckpointDocument),
          readDocument(deps.store, keys.metrics(run, step), MetricsDocument),
        ])
        requireSampledBy(before.policy.digest, inputs, run)
        const plan = { lineage: lineageOf(opened, before, inputs), store: storedOf(opened, task) }
        // A checkpoint is believed only if it was made from these very inputs.
        if (committed?.checkpoint.lineage === plan.lineage && known !== null)
          return { policy: committed.policy.digest, metrics: known.metrics, queue: null, deviceSeconds: 0 }
        let replayed: readonly number[] = task.replayed ?? []
        const updated = await update(deps, opened, before, inputs, plan, control).catch(
          async (error: unknown) => {
            if (!(error instanceof StateLost || error instanceof NotFound)) throw error
            const { checkpoint, steps } = await replay(deps, opened, run, step - 1, control)
            replayed = steps
            return update(deps, opened, checkpoint, inputs, plan, control)
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
          ...(plan.store === 'nothing' && { stored: false }),
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

/**
 * What of a step's checkpoint goes to the store: all of it every `checkpoint.every` steps, when it was asked for, and at
 * the end, since a run that is extended goes on from there; its weights wherever another worker is about to read them.
 */
function storedOf({ document: { spec } }: OpenSpec, { step, whole, evaluated }: StepTask): Stored {
  if (whole === true || step % spec.checkpoint.every === 0 || step === spec.steps) return 'weights and state'
  return evaluated === true || shardsOf(spec).length > 1 ? 'weights' : 'nothing'
}

async function writeProvenance(
  deps: ComputeDeps,
  run: string,
  step: number,
  began: { readonly at: number; readonly busy: number },
  replayed: readonly number[],
): Promise<void> {
  const document: ProvenanceDocument = {
    format: 1,
    worker: deps.identity,
    domain: deps.engine.domain,
    attempt: Context.current().info.attempt,
    startedAt: new Date(began.at).toISOString(),
    seconds: (deps.now() - began.at) / 1000,
    replayed: [...replayed],
    deviceSeconds: deps.engine.busySeconds - began.busy,
  }
  await deps.store.replace(keys.provenance(run, step), new TextEncoder().encode(JSON.stringify(document)))
}
