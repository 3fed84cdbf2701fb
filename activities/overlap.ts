/**
 * What a run's training problems share with the benchmarks that it is evaluated on: compared once for the same problems,
 * stored beside the run. It is said, and never keeps a run from starting: a benchmark that cannot be had is left out.
 */
import { gramWords, overlapsOf } from './benchmarks/overlap.ts'
import { digestOf } from './checkpoint/canonical.ts'
import { commit, readDocument, replaceDocument, requireDocument } from './checkpoint/documents.ts'
import * as keys from './checkpoint/keys.ts'
import { DataDocument, OverlapDocument, type Overlap, type ResolvedTrain } from './contracts.ts'
import type { Deps } from './deps.ts'
import { intakeData } from './intake.ts'
import { openData } from './open.ts'

/** Raised when the comparison changes: statements that are equal, words, what is counted. */
const version = 1

/** One result for each benchmark of the spec that can be had. `data`: the key of the run's problems. */
export async function compareData(
  deps: Deps,
  run: string,
  spec: ResolvedTrain,
  data: string,
  signal: AbortSignal,
): Promise<Overlap[]> {
  const { store } = deps
  const taken = await Promise.all(spec.evaluate.benchmarks.map((name) => benchmark(deps, name, signal)))
  const had = taken.filter((one) => one !== null)
  if (had.length === 0) return []
  const training = (await requireDocument(store, data, DataDocument)).problems.digest
  const { limit } = spec.evaluate
  const benchmarks = had.map(({ digest }) => digest)
  const names = had.map(({ name }) => name)
  const key = keys.overlaps(digestOf({ training, benchmarks, names, limit, version, words: gramWords }))
  const known = await readDocument(store, key, OverlapDocument)
  const document = known ?? (await compare())
  await replaceDocument(store, keys.overlap(run), OverlapDocument, document)
  return document.overlaps

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

/** Null where it cannot be had, which its evaluation will say; what fails in the store is tried again. */
async function benchmark(deps: Deps, name: Name, signal: AbortSignal) {
  try {
    const { source } = await intakeData(deps, { name, split: 'test' }, { signal, progress: () => {} })
    const { problems } = await requireDocument(deps.store, source, DataDocument)
    return { name, source, digest: problems.digest }
  } catch (error) {
    const cannotBeHad = error instanceof Error && ['Error', 'InvalidData'].includes(error.name)
    if (signal.aborted || !cannotBeHad) throw error
    return null
  }
}
