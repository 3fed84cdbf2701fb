/**
 * What a run's training problems share with the benchmarks that it is evaluated on: compared once for the same problems,
 * stored beside the run. It is said, and never keeps a run from starting: of a benchmark that cannot be had it is said
 * why, since its evaluations will not go on without it.
 */
import { gramWords, overlapsOf } from './benchmarks/overlap.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { commit, readDocument, replaceDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import type { FaultName } from './contracts/faults.ts'
import { DataDocument, OverlapDocument, type Overlap, type ResolvedTrain } from './contracts.ts'
import type { Deps } from './deps.ts'
import { intakeData } from './intake.ts'
import { openData } from './open.ts'

/** Raised when the comparison changes: statements that are equal, words, what is counted. */
const version = 1

/** What is known of a benchmark and a run's problems; nothing but why, where the benchmark cannot be had. */
export type Compared = Overlap & { readonly missing?: string }

const nothing = { benchmark: 0, training: 0 }

/** One result for each benchmark of the spec. `data`: the key of the run's problems. */
export async function compareData(
  deps: Deps,
  run: string,
  spec: ResolvedTrain,
  data: string,
  signal: AbortSignal,
): Promise<Compared[]> {
  const { store } = deps
  const taken = await Promise.all(spec.evaluate.benchmarks.map((name) => benchmark(deps, name, signal)))
  const had = taken.flatMap((one) => ('missing' in one ? [] : [one]))
  const absent = taken.flatMap((one): Compared[] =>
    'missing' in one
      ? [{ benchmark: one.name, problems: 0, same: nothing, words: nothing, first: [], missing: one.missing }]
      : [],
  )
  if (had.length === 0) return absent
  const training = (await requireDocument(store, data, DataDocument)).problems.digest
  const { limit } = spec.evaluate
  const benchmarks = had.map(({ digest }) => digest)
  const names = had.map(({ name }) => name)
  const key = keys.overlaps(digestOf({ training, benchmarks, names, limit, version, words: gramWords }))
  const known = await readDocument(store, key, OverlapDocument, { training, benchmarks })
  const document = known ?? (await compare())
  await replaceDocument(store, keys.overlap(run), OverlapDocument, document)
  return [...document.overlaps, ...absent]

  async function compare(): Promise<OverlapDocument> {
    const sets = await Promise.all(
      had.map(async ({ name, source }) => ({
        benchmark: name,
        problems: (await openData(deps, source)).problems.slice(0, limit),
      })),
    )
    const overlaps = await overlapsOf((await openData(deps, data)).problems, sets, signal)
    return commit(store, key, OverlapDocument, { format: 1, training, benchmarks, overlaps })
  }
}

type Name = ResolvedTrain['evaluate']['benchmarks'][number]

/** What another attempt may mend, or what concerns the run itself. */
const ofTheStore = new Set<string>([
  'StoreError',
  'WrongStore',
  'CacheFull',
  'NotFound',
  'CorruptObject',
] satisfies FaultName[])

/** Why it cannot be had, where it cannot; what fails in the store is tried again. */
async function benchmark(
  deps: Deps,
  name: Name,
  signal: AbortSignal,
): Promise<{ name: Name } & ({ source: string; digest: string } | { missing: string })> {
  try {
    const { source } = await intakeData(deps, { name, split: 'test' }, { signal, progress: () => {} })
    const { problems } = await requireDocument(deps.store, source, DataDocument)
    return { name, source, digest: problems.digest }
  } catch (error) {
    if (signal.aborted || (error instanceof Error && ofTheStore.has(error.name))) throw error
    return { name, missing: error instanceof Error ? error.message : String(error) }
  }
}
