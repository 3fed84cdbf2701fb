/**
 * The Temporal server that a tool means: the stack that runs in .placebo (dev before others), else whatever the
 * environment names, by the same variables and profiles as the CLI. Leaves out workers, which are always told.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { runningStack, type StackDescription } from './stack.ts'

const placebo = join(import.meta.dirname, '..', '.placebo')

/** The stack that runs on this machine, and its folder; null where there is none. */
export async function localStack(): Promise<{ stack: StackDescription; folder: string } | null> {
  const others = await readdir(placebo).catch(() => [])
  for (const name of ['dev', ...others]) {
    const folder = join(placebo, name)
    const stack = await runningStack(folder)
    if (stack !== null) return { stack, folder }
  }
  return null
}

export interface Connected {
  readonly client: Client
  readonly close: () => Promise<void>
}

export async function connectClient(): Promise<Connected> {
  const local = await localStack()
  const { connectionOptions, namespace } =
    local === null
      ? loadClientConnectConfig()
      : { connectionOptions: { address: local.stack.temporalAddress }, namespace: 'default' }
  const address = connectionOptions.address ?? 'localhost:7233'
  const connection = await Connection.connect({ ...connectionOptions, address }).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${address}: no Temporal server answers (${why}); npm run dev starts one`, { cause })
  })
  const client = new Client({ connection, namespace: namespace ?? 'default' })
  return { client, close: () => connection.close() }
}

/** Runs a tool: its number is the exit code; an error is one line, and 1. */
export function runTool(name: string, tool: (args: string[]) => Promise<number>): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0) // whoever read has seen enough
    throw error
  })
  tool(process.argv.slice(2)).then(
    (code) => process.exit(code),
    (error: unknown) => {
      console.error(`${name}: ${chain(error).join(': ')}`)
      process.exit(1)
    },
  )
}

/** What a client's error says stands in its cause: the server's own words. */
function chain(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  const { cause } = error
  return cause instanceof Error && !error.message.includes(cause.message)
    ? [error.message, ...chain(cause)]
    : [error.message]
}

/** Columns of equal width, two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ').trimEnd()) // prettier-ignore
}
