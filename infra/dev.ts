/**
 * `npm run dev`: the dev stack in .placebo/dev on its well-known ports, one worker of each role, until Ctrl-C.
 *
 * .placebo/dev/stack.json tells `npm run temporal` (and anybody else) where it is; it holds no secret.
 */
import { rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { untilTold } from './shutdown.ts'
import { startStack } from './stack.ts'
import type { Stack } from './stack.ts'

const folder = join(import.meta.dirname, '..', '.placebo', 'dev')
const here = (path: string) => relative(process.cwd(), path)

async function main(): Promise<number> {
  const told = untilTold()
  const starting = startStack({ folder, ports: 'fixed', workers: [{ role: 'light' }, { role: 'compute' }] })
  const first = await Promise.race([told, starting])
  if (typeof first === 'string') {
    // Nothing that was started is lost: the children hang on this process, and it ends now.
    console.error(`Stopped while starting (${first}).`)
    return 130
  }
  const stack = first
  const file = join(folder, 'stack.json')
  try {
    await writeFile(file, `${JSON.stringify(description(stack), null, 2)}\n`)
    console.log(banner(stack))
    const end = await Promise.race([told, stack.failed])
    console.log(typeof end === 'string' ? `Stopping (${end}) …` : `Stopping: ${end.message}`)
    return typeof end === 'string' ? 0 : 1
  } finally {
    await rm(file, { force: true })
    await stack.stop()
    console.log('Stopped.')
  }
}

function description(stack: Stack) {
  const { temporalAddress, uiUrl, storeUrl, s3Endpoint, cli } = stack
  return { pid: process.pid, temporalAddress, uiUrl, storeUrl, s3Endpoint, cli }
}

function banner(stack: Stack): string {
  const store = stack.s3Endpoint === null ? stack.storeUrl : `${stack.storeUrl} at ${stack.s3Endpoint}`
  return [
    `Temporal  ${stack.temporalAddress}`,
    `Web UI    ${stack.uiUrl}`,
    `Store     ${store}${stack.s3Endpoint === null ? '' : `, keys in ${here(join(folder, 'credentials'))}`}`,
    `Workers   ${[...stack.processes.keys()].filter((name) => /^(light|compute)/.test(name)).join(', ')}`,
    `Logs      ${here(join(folder, 'logs'))}`,
    '',
    'Start a run:  temporal workflow start --type train --task-queue placebo --input-file examples/train.json',
    '(without the CLI in PATH: npm run -s temporal -- workflow start …)        Ctrl-C stops everything.',
  ].join('\n')
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  },
)
