/**
 * Removes what no manifest needs: blobs that a survey did not find needed, uploads that nobody goes on with, notes of
 * surveys that did not end. All of it only when it was last written before `cutoffMs`.
 *
 * Why that is safe: a blob is written before the manifest that names it, by one attempt of one activity. A writer who
 * finds a blob that is there already writes it again unless it is younger than a day (cache.ts), so whatever a
 * manifest names that was written after the survey began is younger than a day and the longest attempt; the cutoff
 * lies further back, by half a day at least for clocks that disagree. Between the look at a blob's age and its removal
 * the same bytes could be written once more by another worker: where a store has no conditional removal, those
 * milliseconds remain, and a run that hits them falls back to the checkpoint before.
 */
import type { Collected, Sum } from '../contracts.ts'
import * as keys from './keys.ts'
import type { Listed, Store } from './store.ts'
import { readSurvey } from './survey.ts'

export const nothing: Sum = { count: 0, sizeBytes: 0 }
export const add = (sum: Sum, sizeBytes: number, count = 1): Sum => ({
  count: sum.count + count,
  sizeBytes: sum.sizeBytes + sizeBytes,
})

export const noneCollected: Collected = {
  after: '',
  needed: nothing,
  young: nothing,
  unneeded: nothing,
  removed: nothing,
}

export interface CollectOptions {
  readonly survey: string
  readonly cutoffMs: number
  /** Counts without removing. */
  readonly dryRun: boolean
  readonly signal: AbortSignal
  /** Told after every few blobs; given back as `from`, the count goes on behind them. */
  readonly reached: (sums: Collected) => void
}

/** Removals at once. */
const removalsAtOnce = 16

/** Blobs whose digests begin with one digit, against what the survey found needed. */
export async function collectBlobs(
  store: Store,
  digit: string,
  from: Collected,
  options: CollectOptions,
): Promise<Collected> {
  const named = await readSurvey(store, options.survey, digit, options.cutoffMs)
  const needed = new Set(named.filter((blob) => blob.needed).map(({ digest }) => keys.blob(digest)))
  let sums = from
  for await (const some of inGroups(store.list(keys.blobs(digit), from.after))) {
    options.signal.throwIfAborted()
    const unneeded = some.filter(({ key, modifiedMs }) => !needed.has(key) && modifiedMs < options.cutoffMs)
    const removed = await Promise.all(
      unneeded.map(async ({ key }) => !options.dryRun && (await store.removeOlder(key, options.cutoffMs))),
    )
    for (const { key, sizeBytes } of some) {
      if (needed.has(key)) sums = { ...sums, needed: add(sums.needed, sizeBytes) }
      else if (!unneeded.some((blob) => blob.key === key))
        sums = { ...sums, young: add(sums.young, sizeBytes) }
    }
    for (const [i, { sizeBytes }] of unneeded.entries()) {
      sums = { ...sums, unneeded: add(sums.unneeded, sizeBytes) }
      if (removed[i]) sums = { ...sums, removed: add(sums.removed, sizeBytes) }
    }
    sums = { ...sums, after: some.at(-1)?.key ?? sums.after }
    options.reached(sums)
  }
  return sums
}

export interface Discarded {
  /** Writes that began before the cutoff and did not end. */
  readonly stale: number
  readonly young: number
  readonly discarded: number
}

/** Uploads and temporary files that nobody goes on with; and what surveys that did not end wrote down. */
export async function discardStale(
  store: Store,
  { cutoffMs, dryRun, signal }: Pick<CollectOptions, 'cutoffMs' | 'dryRun' | 'signal'>,
): Promise<Discarded> {
  let [stale, young, discarded] = [0, 0, 0]
  for await (const unfinished of store.unfinished()) {
    signal.throwIfAborted()
    // Only blobs go up in parts: what else is under way in this bucket is somebody else's.
    if (unfinished.key !== null && !unfinished.key.startsWith(keys.blobs(''))) continue
    if (unfinished.startedMs >= cutoffMs) {
      young += 1
      continue
    }
    stale += 1
    if (dryRun) continue
    await store.discard(unfinished)
    discarded += 1
  }
  for await (const { key } of store.list(keys.surveys())) {
    signal.throwIfAborted()
    if (!dryRun) await store.removeOlder(key, cutoffMs)
  }
  return { stale, young, discarded }
}

async function* inGroups(listing: AsyncIterable<Listed>): AsyncIterable<Listed[]> {
  let group: Listed[] = []
  for await (const listed of listing) {
    group.push(listed)
    if (group.length < removalsAtOnce) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
