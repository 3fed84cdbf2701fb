/**
 * What the store's documents name: the roots from which a blob is reachable, and how long a checkpoint is one.
 *
 * Every JSON document is read as a manifest except those known to name nothing, so that a document of a later version
 * protects its blobs too: a blob's reference is any object with a `digest` and a `sizeBytes`, wherever it stands.
 * A run keeps the blobs of step 0, of its newest `keep` whole checkpoints (those with the optimizer's state), and of
 * every checkpoint since the newest whole one whose weights went to the store. Manifests stay in any case; what they
 * named is computed again from stored rollouts when it is asked for.
 */
import { z } from 'zod'
import { requireDocument } from './documents.ts'
import * as keys from './keys.ts'
import { NotFound, type BlobRef, type Store } from './store.ts'
import {
  Blob,
  CheckpointDocument,
  DataDocument,
  ModelDocument,
  PretrainDocument,
  RunDocument,
  SpecDocument,
} from '../contracts.ts'

const namesNothing = [
  /^store\.json$/,
  /^surveys\//,
  /^runs\/[^/]+\/((run|result|overlap)\.json|steps\/)/,
  /^(evaluations|overlaps|labels|probes)\//,
]

const schemas: readonly (readonly [RegExp, z.ZodType])[] = [
  [/^models\//, ModelDocument],
  [/^data\//, DataDocument],
  [/^pretrain\//, PretrainDocument],
  [/^specs\//, SpecDocument],
  [/^runs\/[^/]+\/checkpoints\//, CheckpointDocument],
]

export function isManifest(key: string): boolean {
  return key.endsWith('.json') && !key.startsWith('blobs/') && !namesNothing.some((those) => those.test(key))
}

/** The run whose checkpoint a key is, or null. */
export const runOf = (key: string): string | null => /^runs\/([^/]+)\/checkpoints\//.exec(key)?.[1] ?? null

export interface Manifest {
  readonly blobs: readonly BlobRef[]
  /** Of a checkpoint: whether training can go on from it alone. */
  readonly isWhole: boolean
  /** False of a checkpoint whose weights stayed with their worker. */
  readonly isStored: boolean
}

/** Throws CorruptObject for what is no document, or not what stands at such a key; NotFound. */
export async function readManifest(store: Store, key: string): Promise<Manifest> {
  const schema = schemas.find(([those]) => those.test(key))?.[1] ?? z.unknown()
  const document = await requireDocument(store, key, schema)
  const checkpoint = runOf(key) === null ? null : (document as CheckpointDocument)
  return {
    blobs: [...blobsIn(document)],
    isWhole: checkpoint !== null && checkpoint.checkpoint.optimizer.state !== null,
    isStored: checkpoint?.stored !== false,
  }
}

function* blobsIn(value: unknown): Iterable<BlobRef> {
  if (typeof value !== 'object' || value === null) return
  const { digest, sizeBytes } = value as Partial<BlobRef>
  const blob = Blob.safeParse({ digest, sizeBytes })
  if (blob.success) yield blob.data
  for (const field of Object.values(value)) yield* blobsIn(field)
}

/** How many whole checkpoints a run was last told to keep; all of them where nobody said. Throws CorruptObject. */
export async function keepOf(store: Store, run: string): Promise<number> {
  try {
    const { specs } = await requireDocument(store, keys.run(run), RunDocument)
    const { spec } = await requireDocument(store, specs.at(-1) ?? '', SpecDocument)
    return spec.checkpoint.keep
  } catch (error) {
    if (error instanceof NotFound) return Infinity
    throw error
  }
}

/** The steps whose blobs stay, of a run's checkpoints in any order. */
export function keptSteps(
  checkpoints: readonly { readonly step: number; readonly isWhole: boolean }[],
  keep: number,
): Set<number> {
  const whole = checkpoints.filter(({ isWhole }) => isWhole).map(({ step }) => step)
  whole.sort((a, b) => b - a)
  const newest = whole[0] ?? 0
  const since = checkpoints.map(({ step }) => step).filter((step) => step >= newest)
  return new Set([0, ...whole.slice(0, keep), ...since])
}
