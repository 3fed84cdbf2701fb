/**
 * `npm run demo`: the main job at nano scale, end to end on real parts. A sweep of two models x four arms x three
 * seeds through Temporal and S3, its progress in this terminal, then the table of effects and the page that shows it.
 * Everything it starts it stops; its data stays in .placebo/demo for a look afterwards.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { openStore } from '../activities/checkpoint/open.ts'
import { taskQueues } from '../temporal.config.ts'
import type { SweepProgress } from '../workflows/progress.ts'
import type { sweep } from '../workflows/sweep.ts'
import { runProgram } from './program.ts'
import { untilTold } from './shutdown.ts'
import { startStack, type Stack } from './stack.ts'

const project = fileURLToPath(new URL('..', import.meta.url))
const folder = join(project, '.placebo', 'demo')

const program = {
  name: 'demo',
  usage: `npm run demo

A controlled trial of rewards on two small models, end to end: a Temporal server, an S3 server and three workers are
started, the sweep of examples/sweep.json is run, its effects are printed, and everything is stopped. It takes a few
minutes; what an earlier demo left in .placebo/demo is removed first.
  --help, -h  this text`,
  options: {},
} as const

async function main(): Promise<number> {
  await rm(folder, { recursive: true, force: true }) // yesterday's results would make today's look instant
  const told = untilTold()
  const started = Date.now()
  const say = (line: string) => console.log(`${elapsed(started)}  ${line}`)
  say('starting a Temporal server, an S3 server and two workers')
  // Two models of 0.15M parameters gain nothing from a second thread: two workers of one thread do.
  const one = { PLACEBO_THREADS: '1' }
  const workers = [{ role: 'light' }, { role: 'compute', env: one }, { role: 'compute', env: one }] as const
  const stack = await startStack({ folder, ports: 'free', workers, report: say })
  try {
    say(`Web UI while it runs: ${stack.uiUrl}`)
    const page = await Promise.race([
      runSweep(stack, say),
      stack.failed.then((error) => Promise.reject(error)),
      told.then((signal) => Promise.reject(new Error(`stopped (${signal})`))),
    ])
    console.log(`\n${elapsed(started)}  report: ${page}`)
    console.log('\nLook at the runs in the Web UI: npm run dev -- --folder .placebo/demo')
    return 0
  } finally {
    await stack.stop()
  }
}

async function runSweep(stack: Stack, say: (line: string) => void): Promise<string> {
  const connection = await Connection.connect({ address: stack.temporalAddress })
  try {
    const client = new Client({ connection })
    const spec: unknown = JSON.parse(await readFile(join(project, 'examples', 'sweep.json'), 'utf8'))
    const handle = await client.workflow.start<typeof sweep>('sweep', {
      taskQueue: taskQueues.light,
      workflowId: 'demo',
      args: [spec],
    })
    const done = handle.result()
    await watch(() => handle.query<SweepProgress>('progress'), done, say)
    const { text, page, csv } = await done
    console.log(`\n${text}`)
    // The page links to the tables beside its folder.
    const path = join(folder, 'report', 'index.html')
    await mkdir(join(folder, 'report'), { recursive: true })
    const store = await openStoreOf(stack)
    await writeFile(path, await store.get(page))
    for (const key of Object.values(csv ?? {}))
      await writeFile(join(folder, basename(key)), await store.get(key))
    await store.close()
    return path
  } finally {
    await connection.close()
  }
}

/** The parent process has no S3 credentials of its own: the stack's go into its environment for this one read. */
async function openStoreOf(stack: Stack) {
  for (const [name, value] of Object.entries(stack.env))
    if (name.startsWith('AWS_') && value !== undefined) process.env[name] = value
  return openStore(stack.storeUrl)
}

/** A line whenever something ended, until the sweep has. */
async function watch(
  query: () => Promise<SweepProgress>,
  done: Promise<unknown>,
  say: (line: string) => void,
): Promise<void> {
  let last = ''
  const over = done.then(
    () => true,
    () => true,
  )
  for (;;) {
    const state = await query().catch(() => null)
    if (state !== null) {
      const failed = state.failed > 0 ? `, ${state.failed} failed` : ''
      const names = state.running.map((run) => run.split(':').slice(1).join(' ')).join(' · ')
      const line = describe(state, failed, names)
      if (line !== last) say(line)
      last = line
    }
    if (await Promise.race([over, new Promise<false>((resolve) => setTimeout(resolve, 1000, false))])) return
  }
}

function describe({ done, total }: SweepProgress, failed: string, names: string): string {
  if (total === 0) return 'preparing the sweep'
  if (done === total) return `${done} of ${total} runs done${failed}; writing the report`
  return `${done} of ${total} runs done${failed}; running: ${names || 'the initial evaluations'}`
}

function elapsed(since: number): string {
  const seconds = Math.round((Date.now() - since) / 1000)
  return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}`
}

runProgram(program, main)
