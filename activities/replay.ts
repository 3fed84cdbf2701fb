/**
 * Computes again what is in no store: the policies and optimizer states between a run's whole checkpoints, from stored
 * rollouts and rewards. Nothing is sampled for it.
 */
import { replaceDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { runOf } from './checkpoint/manifests.ts'
import { NotFound } from './checkpoint/store.ts'
import { CheckpointDocument, RunDocument, type Checkpoint, type Policy } from './contracts.ts'
import type { Control } from './engine/port.ts'
import type { Deps } from './deps.ts'
import { openSpec, type OpenSpec } from './open.ts'
import { checkpointOf, readStep, update, type ComputeDeps } from './update.ts'

/** Weights that nobody keeps any more, and that this worker cannot compute again to the bit. */
export class WeightsLost extends Error {
  override readonly name = 'WeightsLost'
}

export interface Replayed {
  readonly checkpoint: Checkpoint
  /** Those computed again, in order. */
  readonly steps: readonly number[]
}

/**
 * The checkpoint of step `to`, its state and weights on this worker: the updates since the last whole checkpoint that
 * the store has. Another determinism domain may differ in the last bits: then weights that the store has win, and for
 * those that it lacks the result has another policy than was committed. Throws NotFound.
 */
export async function replay(
  deps: ComputeDeps,
  opened: OpenSpec,
  run: string,
  to: number,
  control: Control,
): Promise<Replayed> {
  let from = to
  let checkpoint: Checkpoint = await checkpointOf(deps, opened, run, from)
  while (checkpoint.optimizer.state === null || !(await isStored(deps, checkpoint))) {
    if (from === 0) throw new NotFound(`run ${run}: the blobs of its step 0 are not in the store`)
    checkpoint = await checkpointOf(deps, opened, run, --from)
  }
  const steps: number[] = []
  for (let step = from + 1; step <= to; step++) {
    const committed = await checkpointOf(deps, opened, run, step)
    const inputs = await readStep(deps, opened, run, step, committed.learntFrom)
    const plan = { lineage: committed.lineage, store: 'nothing' } as const
    const { checkpoint: next } = await update(deps, opened, checkpoint, inputs, plan, control)
    const isSame = next.policy.digest === committed.policy.digest
    checkpoint = isSame || !(await isStored(deps, committed)) ? next : { ...next, policy: committed.policy }
    steps.push(step)
  }
  return { checkpoint, steps }
}

/** Has a policy's files on this machine; those that its run let go are computed again. Throws WeightsLost, NotFound. */
export async function requirePolicy(
  deps: ComputeDeps,
  source: string,
  policy: Policy,
  control: Control,
): Promise<void> {
  if (await isHere(deps, policy, control)) return
  const run = runOf(source)
  if (run === null) throw new NotFound(`${source}: its blobs are not in the store`)
  const step = keys.stepOf(source)
  const { specs } = await requireDocument(deps.store, keys.run(run), RunDocument)
  const opened = await openSpec(deps, specs.at(-1) ?? '')
  const { checkpoint } = await replay(deps, opened, run, step, control)
  if (checkpoint.policy.digest !== policy.digest) throw lost(deps, run, step, policy, checkpoint.policy)
}

/**
 * The policy of a run's newest checkpoint, its files on this machine. Where they are gone with their worker and this one's
 * domain computes others, the run goes on from those: nothing was made with the lost ones yet that would be kept.
 */
export async function requireNewest(
  deps: ComputeDeps,
  opened: OpenSpec,
  run: string,
  document: CheckpointDocument,
  control: Control,
): Promise<{ readonly policy: Policy; readonly replayed: readonly number[] }> {
  const { step } = document
  if (await isHere(deps, document.policy, control)) return { policy: document.policy, replayed: [] }
  const { checkpoint, steps: replayed } = await replay(deps, opened, run, step, control)
  const { policy } = checkpoint
  if (policy.digest !== document.policy.digest) {
    if (document.stored !== false) throw lost(deps, run, step, document.policy, policy)
    await replaceDocument(deps.store, keys.checkpoint(run, step), CheckpointDocument, { ...document, policy })
  }
  return { policy, replayed }
}

const lost = ({ engine }: ComputeDeps, run: string, step: number, committed: Policy, found: Policy) =>
  new WeightsLost(
    `run ${run}, step ${step}: its weights are no longer kept, and in the domain of this worker ` +
      `(${engine.domain}) the replay gives ${found.digest} instead of ${committed.digest}`,
  )

/** Brings a policy's files; whether they are anywhere to be had. */
async function isHere({ blobs }: Deps, policy: Policy, { signal }: Control): Promise<boolean> {
  try {
    await Promise.all(policy.files.map((blob) => blobs.file(blob, { signal })))
    return true
  } catch (error) {
    if (error instanceof NotFound) return false
    throw error
  }
}

/** Whether the store has all that a checkpoint names. */
async function isStored({ store }: Deps, { policy, optimizer }: Checkpoint): Promise<boolean> {
  for (const { digest, sizeBytes } of [...policy.files, ...(optimizer.state ?? [])])
    if ((await store.head(keys.blob(digest)))?.sizeBytes !== sizeBytes) return false
  return true
}
