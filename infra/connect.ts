/**
 * The Temporal server that a tool means: the stack that runs in .placebo (dev before others), else whatever the
 * environment names, by the same variables and profiles as the CLI. Leaves out workers, which are always told.
 */
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { runningStack, type StackDescription } from './stack.ts'

const placebo = join(import.meta.dirname, '..', '.placebo')

interface Local {
  readonly stack: StackDescription
  readonly folder: string
}

/** The stacks that run on this machine in .placebo, dev first. */
export async function localStacks(): Promise<Local[]> {
  const others = (await readdir(placebo).catch(() => [])).filter((name) => name !== 'dev')
  const found: Local[] = []
  for (const name of ['dev', ...others]) {
    const folder = join(placebo, name)
    const stack = await runningStack(folder)
    if (stack !== null) found.push({ stack, folder })
  }
  return found
}

/** The one that tools mean where nobody says otherwise; null where there is none. Of several it says which. */
export async function localStack(): Promise<Local | null> {
  const [first, ...others] = await localStacks()
  if (first === undefined) return null
  if (others.length > 0) {
    const named = others.map(
      ({ stack, folder }) => `${stack.temporalAddress} in ${relative(process.cwd(), folder)}`,
    )
    const which = relative(process.cwd(), first.folder)
    console.error(
      `Asking the stack in ${which}; --address HOST:PORT asks another that runs here: ${named.join(', ')}`,
    )
  }
  return first
}

/** The flag that `connectClient` is given the value of. */
export const addressOption = { address: { type: 'string' } } as const
export const addressUsage =
  '  --address   HOST:PORT of the Temporal server; otherwise the stack that runs in .placebo (dev before others), or\n' +
  '              what TEMPORAL_* names'

export interface Connected {
  readonly client: Client
  readonly close: () => Promise<void>
}

export async function connectClient(given?: string): Promise<Connected> {
  const own = given ?? (await localStack())?.stack.temporalAddress
  const { connectionOptions, namespace } =
    own === undefined
      ? loadClientConnectConfig()
      : { connectionOptions: { address: own }, namespace: 'default' }
  const address = connectionOptions.address ?? 'localhost:7233'
  const connection = await Connection.connect({ ...connectionOptions, address }).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${address}: no Temporal server answers (${why}); npm run dev starts one`, { cause })
  })
  const client = new Client({ connection, namespace: namespace ?? 'default' })
  return { client, close: () => connection.close() }
}

/** Columns of equal width, two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ').trimEnd()) // prettier-ignore
}
