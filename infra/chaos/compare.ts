/**
 * Two stores that should hold the same results: every object of one against the other's, byte for byte.
 *
 * Left out is what says who computed when: provenance, the store's own id, a sweep's report (it prints seconds). Blobs
 * lie under their digests, so that names are compared; whether they hold what their names say, `verify` reads.
 */
import { createHash } from 'node:crypto'
import type { Store } from '../../activities/checkpoint/store.ts'

/** What is compared, in the order in which it is reported; the first that matches a key has it. */
const families = [
  ['manifests', /^(runs\/[^/]+\/(checkpoints\/|run\.json)|specs\/|models\/|data\/)/],
  ['metrics', /\/metrics\.json$/],
  ['evaluations', /^evaluations\/|\/evaluation-[^/]+\.json$/],
  ['rollouts', /^completions\/|\/rollouts-\d+\.parquet$/],
  ['rewards', /\/rewards-\d+\.parquet$/],
  ['blobs', /^blobs\//],
] as const

export type Family = (typeof families)[number][0]

const leftOut = /\/provenance\.json$|^store\.json$|^sweeps\//

export interface Difference {
  readonly key: string
  readonly how: 'missing' | 'not in the undisturbed run' | 'different'
}

export interface Comparison {
  readonly compared: Readonly<Record<Family | 'other', number>>
  readonly differences: readonly Difference[]
}

/** SHA-256 of every object that is compared, by key. */
export async function digestsOf(store: Store): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const { key } of store.list('')) {
    if (leftOut.test(key)) continue
    const bytes = key.startsWith('blobs/') ? key : await store.get(key)
    found.set(key, createHash('sha256').update(bytes).digest('hex'))
  }
  return found
}

export function compare(
  disturbed: ReadonlyMap<string, string>,
  undisturbed: ReadonlyMap<string, string>,
): Comparison {
  const compared = Object.fromEntries([...families.map(([name]) => name), 'other'].map((name) => [name, 0]))
  const differences: Difference[] = []
  for (const [key, digest] of undisturbed) {
    const found = disturbed.get(key)
    if (found === undefined) differences.push({ key, how: 'missing' })
    else if (found !== digest) differences.push({ key, how: 'different' })
    const family = familyOf(key)
    compared[family] = (compared[family] ?? 0) + 1
  }
  for (const key of disturbed.keys())
    if (!undisturbed.has(key)) differences.push({ key, how: 'not in the undisturbed run' })
  return { compared: compared as Comparison['compared'], differences }
}

const familyOf = (key: string): Family | 'other' =>
  families.find(([, pattern]) => pattern.test(key))?.[0] ?? 'other'
