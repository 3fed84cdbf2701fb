/**
 * `npm run dev`: the dev stack in .placebo/dev on its well-known ports, one worker of each role, until Ctrl-C.
 * `-- --folder F` opens another stack's data instead, such as .placebo/demo.
 */
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { untilTold } from './shutdown.ts'
import { startStack } from './stack.ts'
import type { Stack } from './stack.ts'

const { values } = parseArgs({ options: { folder: { type: 'string' } } })
const folder = values.folder ? resolve(values.folder) : join(import.meta.dirname, '..', '.placebo', 'dev')

async function main(): Promise<number> {
  const told = untilTold()
  const starting = startStack({
    folder,
    ports: 'fixed',
    workers: [{ role: 'light' }, { role: 'compute' }],
    report: (line) => console.log(line),
  })
  const first = await Promise.race([told, starting])
  if (typeof first === 'string') {
    console.log(`Stopped while starting (${first}).`)
    return 130 // what was started hangs on this process and ends with it
  }
  console.log(banner(first))
  try {
    const end = await Promise.race([told, first.failed])
    console.log(typeof end === 'string' ? `Stopping (${end})` : `Stopping: ${end.message}`)
    return typeof end === 'string' ? 0 : 1
  } finally {
    await first.stop()
    console.log('Stopped.')
  }
}

function banner({ temporalAddress, uiUrl, storeUrl, s3Endpoint, processes }: Stack): string {
  const here = (name: string) => relative(process.cwd(), join(folder, name))
  const workers = [...processes.keys()].filter((name) => /^(light|compute)/.test(name))
  const start = 'workflow start --type train --task-queue placebo --input-file examples/train.json'
  return [
    `Temporal  ${temporalAddress}`,
    `Web UI    ${uiUrl}`,
    `Store     ${storeUrl}${s3Endpoint === null ? '' : ` at ${s3Endpoint}, keys in ${here('credentials')}`}`,
    `Workers   ${workers.join(', ')}`,
    `Logs      ${here('logs')}`,
    '',
    `Start a run:  temporal ${start}`,
    `        or:   npm run -s temporal -- ${start}`,
    'Ctrl-C stops everything.',
  ].join('\n')
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  },
)
