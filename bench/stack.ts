/** The whole stack for one measurement, in a folder of its own that is gone afterwards. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { startStack, type Stack, type StackOptions } from '../infra/stack.ts'
import type { Measured } from './comparison.ts'

export async function onStack(
  within: string,
  options: Pick<StackOptions, 'workers'> & { readonly store?: (folder: string) => string },
  measure: (client: Client, stack: Stack) => Promise<Measured>,
): Promise<Measured> {
  const folder = await mkdtemp(join(within, 'stack-'))
  const { workers, store } = options
  const stack = await startStack({
    folder,
    ports: 'free',
    workers,
    report: () => {},
    ...(store && { store: store(folder) }),
  })
  try {
    const connection = await Connection.connect({ address: stack.temporalAddress })
    try {
      return await measure(new Client({ connection }), stack)
    } finally {
      await connection.close()
    }
  } finally {
    await stack.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
