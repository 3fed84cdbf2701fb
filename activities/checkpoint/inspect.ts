/**
 * Looks whether what manifests name is in the store, whole: there, of its size, and (unless told not to read) of its
 * digest, computed while it streams. What only dropped checkpoints name may be gone; where it is there, it must be
 * whole.
 */
import { createHash } from 'node:crypto'
import type { Inspected } from '../contracts.ts'
import { add, nothing } from './collect.ts'
import * as keys from './keys.ts'
import { CorruptObject, NotFound, type Store } from './store.ts'
import { readSurvey, type Named } from './survey.ts'

export const noneInspected: Inspected = {
  after: '',
  intact: nothing,
  readBytes: 0,
  gone: 0,
  problemCount: 0,
  problems: [],
}

export interface InspectOptions {
  readonly survey: string
  /** Whether bytes are read; sizes are always compared. */
  readonly digests: boolean
  /** Problems that are named; all are counted. */
  readonly maxProblems: number
  readonly signal: AbortSignal
  /** Told after every few blobs; given back as `from`, the inspection goes on behind it. */
  readonly reached: (sums: Inspected) => void
}

/** Blobs at once: reading is waiting, until the digest's one core is busy. */
const blobsAtOnce = 4

/** Blobs that the survey found named and whose digests begin with one digit. */
export async function inspectBlobs(
  store: Store,
  digit: string,
  from: Inspected,
  options: InspectOptions,
): Promise<Inspected> {
  const sizes = new Map<string, number>()
  for await (const { key, sizeBytes } of store.list(keys.blobs(digit))) sizes.set(key, sizeBytes)
  const named = await readSurvey(store, options.survey, digit)
  named.sort((a, b) => (a.digest === b.digest ? a.sizeBytes - b.sizeBytes : a.digest < b.digest ? -1 : 1))
  const rest = named.filter(({ digest }) => digest > from.after)
  let sums = from
  for (let first = 0; first < rest.length;) {
    options.signal.throwIfAborted()
    // A digest that was named with two sizes is one step, so that `after` never lies between the two.
    let end = Math.min(first + blobsAtOnce, rest.length)
    while (end < rest.length && rest[end]!.digest === rest[end - 1]!.digest) end += 1
    const some = rest.slice(first, end)
    first = end
    const faults = await Promise.all(some.map((blob) => faultOf(store, blob, sizes, options)))
    for (const [i, blob] of some.entries()) sums = counted(sums, blob, faults[i] ?? null, options)
    sums = { ...sums, after: some.at(-1)!.digest }
    options.reached(sums)
  }
  return sums
}

type Fault = 'gone' | { readonly problem: string } | null

async function faultOf(
  store: Store,
  { digest, sizeBytes, needed }: Named,
  sizes: ReadonlyMap<string, number>,
  { digests, signal }: InspectOptions,
): Promise<Fault> {
  const key = keys.blob(digest)
  const found = sizes.get(key)
  if (found === undefined) return needed ? { problem: 'missing' } : 'gone'
  if (found !== sizeBytes) return { problem: `expected ${sizeBytes} bytes, found ${found}` }
  if (!digests) return null
  const sha256 = createHash('sha256')
  try {
    for await (const chunk of store.read(key, { signal })) sha256.update(chunk)
  } catch (error) {
    if (error instanceof NotFound) return needed ? { problem: 'missing' } : 'gone'
    if (error instanceof CorruptObject) return { problem: error.message }
    throw error
  }
  const is = sha256.digest('hex')
  return is === digest ? null : { problem: `its bytes are of digest ${is}` }
}

function counted(sums: Inspected, blob: Named, fault: Fault, options: InspectOptions): Inspected {
  if (fault === 'gone') return { ...sums, gone: sums.gone + 1 }
  if (fault === null) {
    const readBytes = sums.readBytes + (options.digests ? blob.sizeBytes : 0)
    return { ...sums, readBytes, intact: add(sums.intact, blob.sizeBytes) }
  }
  const problem = { key: keys.blob(blob.digest), problem: `${fault.problem}; named by ${blob.manifest}` }
  const problems = sums.problems.length < options.maxProblems ? [...sums.problems, problem] : sums.problems
  return { ...sums, problems, problemCount: sums.problemCount + 1 }
}
