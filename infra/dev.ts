/**
 * `npm run dev`: the dev stack in .placebo/dev on its well-known ports, one worker of each role, until Ctrl-C.
 * `-- --folder F` opens another stack's data instead, such as .placebo/demo. The lines it prints work as they are typed,
 * whatever else runs on this machine.
 */
import { join, relative, resolve } from 'node:path'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import { localStacks } from './connect.ts'
import { runProgram, type Called } from './program.ts'
import { untilTold } from './shutdown.ts'
import { startStack } from './stack.ts'
import type { Stack } from './stack.ts'

const program = {
  name: 'dev',
  usage: `npm run dev [-- --folder FOLDER]

A Temporal server with its Web UI, an S3 server, a light and a compute worker on this machine, until Ctrl-C. What the
workers are to know stands before it: PLACEBO_ALLOW=/data npm run dev lets specs name files in /data.
  --folder    where its data lies (.placebo/dev), such as .placebo/demo
  --help, -h  this text`,
  options: { folder: { type: 'string' } },
} as const

async function main({ values }: Called<typeof program.options>): Promise<number> {
  // npm runs scripts in the project's root; the path is meant from where the user stands.
  const from = process.env['INIT_CWD'] ?? process.cwd()
  const own = join(import.meta.dirname, '..', '.placebo', 'dev')
  const folder = values.folder === undefined ? own : resolve(from, values.folder)
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
    return 0 // what was started hangs on this process and ends with it
  }
  console.log(await banner(first, folder))
  try {
    const end = await Promise.race([told, first.failed])
    console.log(typeof end === 'string' ? `Stopping (${end})` : `Stopping: ${end.message}`)
    return typeof end === 'string' ? 0 : 1
  } finally {
    await first.stop()
    console.log('Stopped.')
  }
}

async function banner(stack: Stack, folder: string): Promise<string> {
  const { temporalAddress, uiUrl, storeUrl, s3Endpoint, processes } = stack
  const here = (name: string) => relative(process.cwd(), join(folder, name))
  const workers = [...processes.keys()].filter((name) => /^(light|compute)/.test(name))
  const start = 'workflow start --type train --task-queue placebo --input-file examples/train.json'
  // Our tools find a stack in .placebo by themselves, the CLI what TEMPORAL_* names; else they are told.
  const isFound = (await localStacks())[0]?.folder === resolve(folder)
  const [toOurs, toTheirs] = [isFound, isOfCli(temporalAddress)].map((known) =>
    known ? '' : ` --address ${temporalAddress}`,
  )
  return [
    `Temporal  ${temporalAddress}`,
    `Web UI    ${uiUrl}`,
    `  runs    ${uiUrl}/namespaces/default/workflows?query=${encodeURIComponent(runsQuery)}`,
    `Store     ${storeUrl}${s3Endpoint === null ? '' : ` at ${s3Endpoint}, keys in ${here('credentials')}`}`,
    `Workers   ${workers.join(', ')}`,
    `Files     ${allowed()}`,
    `Logs      ${here('logs')}`,
    '',
    `Start a run:   npm run -s temporal -- ${start} --workflow-id first${toOurs}`,
    `        or:    temporal ${start} --workflow-id first${toTheirs}`,
    `How far it is: npm run -s progress -- first --watch${toOurs}`,
    'Ctrl-C stops everything.',
  ].join('\n')
}

/** What people start: without evaluations and labels, of which a sweep has many. */
const runsQuery = 'WorkflowType="train" OR WorkflowType="sweep"'

/** Whether the CLI asks that server where it is told of none. */
function isOfCli(address: string): boolean {
  try {
    const { address: theirs = 'localhost:7233' } = loadClientConnectConfig().connectionOptions
    return theirs.replace('localhost', '127.0.0.1') === address
  } catch {
    return false // a profile that nobody can read is none of ours
  }
}

function allowed(): string {
  const given = process.env['PLACEBO_ALLOW'] ?? ''
  if (given !== '') return `specs may name what lies in ${given}`
  return 'specs may name none of this machine (PLACEBO_ALLOW=/folder npm run dev)'
}

runProgram(program, main)
