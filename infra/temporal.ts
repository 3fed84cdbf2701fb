/**
 * `npm run -s temporal -- ARGS`: the provisioned Temporal CLI, against the stack that runs in .placebo (dev before
 * others), else with the environment as it is. Arguments, standard streams and the exit code pass through.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { localStack } from './connect.ts'
import { provision } from './provision.ts'

async function environment(): Promise<Record<string, string | undefined>> {
  const local = await localStack()
  if (local === null) {
    const isTold = process.argv.some((argument) => argument.startsWith('--address'))
    if (!isTold) console.error('No dev stack is running (npm run dev): using TEMPORAL_* as they are.')
    return process.env
  }
  const theirs = Object.entries(process.env).filter(([variable]) => !variable.startsWith('TEMPORAL_'))
  const TEMPORAL_CONFIG_FILE = join(local.folder, 'temporal.toml')
  return {
    ...Object.fromEntries(theirs),
    TEMPORAL_ADDRESS: local.stack.temporalAddress,
    TEMPORAL_CONFIG_FILE,
  }
}

async function main(): Promise<number> {
  const cli = await provision('temporal')
  if (cli === null) return 1
  // npm runs scripts in the project's root; paths in the arguments are meant from where the user stands.
  const cwd = process.env['INIT_CWD'] ?? process.cwd()
  const child = spawn(cli, process.argv.slice(2), { stdio: 'inherit', env: await environment(), cwd })
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
