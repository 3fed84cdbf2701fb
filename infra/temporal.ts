/**
 * `npm run -s temporal -- ARGS`: the provisioned Temporal CLI, against the running dev stack if there is one, else
 * with the environment as it is. Arguments, standard streams and the exit code pass through.
 */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { alive } from './lock.ts'
import { provision } from './provision.ts'

const folder = join(import.meta.dirname, '..', '.placebo', 'dev')

/** Where the dev stack listens; null if none runs (a file left by a killed one names a process that is gone). */
async function runningStack(): Promise<string | null> {
  const text = await readFile(join(folder, 'stack.json'), 'utf8').catch(() => null)
  if (text === null) return null
  const { pid, temporalAddress } = JSON.parse(text) as { pid: number; temporalAddress: string }
  return alive(pid) ? temporalAddress : null
}

async function main(): Promise<number> {
  const [cli, address] = [await provision('temporal'), await runningStack()]
  if (cli === null) return 1
  const env: Record<string, string | undefined> = { ...process.env }
  if (address === null) console.error('No dev stack is running (npm run dev): using TEMPORAL_* as they are.')
  else {
    for (const name of Object.keys(env)) if (name.startsWith('TEMPORAL_')) env[name] = undefined
    env['TEMPORAL_ADDRESS'] = address
    env['TEMPORAL_CONFIG_FILE'] = join(folder, 'temporal.toml')
  }
  // npm runs scripts in the project's root; paths in the arguments are meant from where the user stands.
  const cwd = process.env['INIT_CWD'] ?? process.cwd()
  const child = spawn(cli, process.argv.slice(2), { stdio: 'inherit', env, cwd })
  process.on('SIGINT', () => {}) // the terminal sends it to the CLI as well, whose exit code we pass on
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 130))
  })
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  },
)
