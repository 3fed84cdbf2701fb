/** What follows when all work is done, in both runs alike: count, collect garbage, verify, take every digest. */
import { Client, Connection } from '@temporalio/client'
import { openStore } from '../../activities/checkpoint/open.ts'
import type { Store } from '../../activities/checkpoint/store.ts'
import type { GcResult } from '../../workflows/gc.ts'
import type { VerifyResult } from '../../workflows/verify.ts'
import type { Stack } from '../stack.ts'
import { digestsOf } from './compare.ts'
import { execute } from './work.ts'

export interface Finished {
  /** Uploads in parts that were begun and neither finished nor discarded: before gc, and after it. */
  readonly orphans: { readonly before: number; readonly after: number }
  readonly collected: GcResult['removed']
  readonly problems: readonly string[]
  readonly digests: ReadonlyMap<string, string>
}

export interface Opened {
  readonly client: Client
  /** The store without the proxy. */
  readonly store: Store
  close(): Promise<void>
}

export async function openStack(stack: Stack): Promise<Opened> {
  // The store reads its address and credentials from this process's environment, as any program does.
  for (const [name, value] of Object.entries(stack.env)) {
    if (!name.startsWith('AWS_')) continue
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  const store = await openStore(stack.storeUrl)
  const connection = connectTo(stack.temporalAddress)
  const close = async () => {
    await connection.close()
    await store.close()
  }
  return { client: new Client({ connection }), store, close }
}

/**
 * A connection that repeats no call by itself: the client's repetition waits in a timer, and once the connection is
 * closed that timer throws where nobody can catch it. `execute` asks again instead.
 */
export const connectTo = (address: string): Connection => Connection.lazy({ address, interceptors: [] })

/** Nothing writes any more when this is called: the grace period may be none. */
export async function finish({ client, store }: Opened, signal: AbortSignal): Promise<Finished> {
  const before = await unfinishedIn(store)
  const gc = { dryRun: false, quiet: true, graceHours: 0 }
  const { removed } = await execute<GcResult>(client, 'gc', 'gc', gc, signal)
  const after = await unfinishedIn(store)
  const { problems } = await execute<VerifyResult>(client, 'verify', 'verify', {}, signal)
  return {
    orphans: { before, after },
    collected: removed,
    problems: problems.map(({ key, problem }) => `${key}: ${problem}`),
    digests: await digestsOf(store),
  }
}

async function unfinishedIn(store: Store): Promise<number> {
  let count = 0
  for await (const _ of store.unfinished()) count += 1
  return count
}
