/** Builds a nano model: initial weights, then chunks of its phases, then a model anyone can name. */
import { digestOf } from './checkpoint/canonical.ts'
import { commit, readDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import {
  ModelDocument,
  PretrainDocument,
  type Checkpoint,
  type NamedBlob,
  type PretrainSpec,
} from './contracts.ts'
import { durable } from './durable.ts'
import { NUMERICS_VERSION, policyOf } from './engine/embedded.ts'
import type { Engine, Minibatch } from './engine/port.ts'
import type { Deps } from './deps.ts'
import { requireUpdate } from './fit.ts'
import { requireStore } from './open.ts'
import { initialFiles } from './nano/initialise.ts'
import { layoutOf, pretrainingBatch, scheduleOf } from './nano/schedule.ts'

/** `store`: the id of the store that its lineage lies in. */
type Spec = Pick<PretrainSpec, 'recipe' | 'seed'> & { readonly store?: string }
export interface Learn extends Spec {
  readonly phase: string
  readonly from: number
  readonly to: number
  readonly checkpoint: string
}

export function pretrainActivities(deps: Deps) {
  return {
    light: lightActivities(deps),
    compute: (engine: Engine) => ({ learn: (input: Learn) => learn(deps, engine, input) }),
  }
}

function lightActivities(deps: Deps) {
  return {
    /** Lineages leave the recipe's name out: what two recipes share (the base) is computed once. */
    initialise: ({ recipe, seed, store }: Spec): Promise<string> =>
      durable(async () => {
        requireStore(deps, store)
        const layout = layoutOf(recipe)
        const files: NamedBlob[] = []
        for (const { name, bytes } of initialFiles(layout, seed))
          files.push({ name, ...(await deps.blobs.put(bytes)) })
        const policy = policyOf(files)
        const lineage = digestOf({ policy: policy.digest, seed, numerics: NUMERICS_VERSION })
        const checkpoint: Checkpoint = {
          policy,
          lineage,
          optimizer: { name: 'adamw', updates: 0, state: [] },
        }
        await commit(deps.store, keys.pretrain(lineage), PretrainDocument, {
          format: 1,
          checkpoint,
          loss: null,
        })
        return lineage
      }),

    publish: ({
      checkpoint: lineage,
      store,
    }: Spec & { checkpoint: string }): Promise<{ model: string; policy: string }> =>
      durable(async () => {
        requireStore(deps, store)
        const { checkpoint } = await requireDocument(deps.store, keys.pretrain(lineage), PretrainDocument)
        const { policy } = checkpoint
        const model = keys.model(policy.digest)
        await commit(deps.store, model, ModelDocument, { format: 1, source: `pretrain ${lineage}`, policy })
        return { model, policy: policy.digest }
      }),
  }
}

function learn(deps: Deps, engine: Engine, input: Learn) {
  return durable(async (control): Promise<{ checkpoint: string; loss: number }> => {
    const { recipe, seed, phase, from, to, checkpoint: parent, store } = input
    requireStore(deps, store)
    const { schedule, optimizer } = scheduleOf(recipe, phase)
    const lineage = digestOf({ parent, seed, schedule, optimizer, from, to })
    const key = keys.pretrain(lineage)
    const known = await readDocument(deps.store, key, PretrainDocument)
    if (known !== null) return { checkpoint: lineage, loss: known.loss ?? 0 }
    const { checkpoint } = await requireDocument(deps.store, keys.pretrain(parent), PretrainDocument)
    const minibatches: Minibatch[] = Array.from({ length: to - from }, (_, i) =>
      pretrainingBatch(recipe, phase, seed, from + i),
    )
    // A phase begins with a fresh optimizer, as a fine-tune does.
    const start: Checkpoint =
      from === 0
        ? {
            ...checkpoint,
            optimizer: { name: 'adamw', updates: 0, state: [] },
            lineage: digestOf({ parent, phase }),
          }
        : checkpoint
    const microbatchTokens = 8192
    await requireUpdate(
      deps,
      start.policy,
      { minibatches, microbatchTokens, optimizer: optimizer.name },
      control,
    )
    const plan = { lineage, microbatchTokens, store: 'weights and state' } as const
    const updated = await engine.update(start, minibatches, { name: 'nll' }, optimizer, plan, control)
    const loss = updated.sums.reduce((sum, { loss }) => sum + loss, 0) / updated.sums.length
    await commit(deps.store, key, PretrainDocument, { format: 1, checkpoint: updated.checkpoint, loss })
    return { checkpoint: lineage, loss }
  })
}
