/**
 * Records a history of each workflow type: `npx tsx test/histories/record.ts [NAME …]`, on a stack of its own, with real
 * workers. What the CLI prints of a workflow is stored beside this file; test/servers/replay.test.ts replays it on the
 * code as it is. Recorded anew only when a change of commands is meant to end running workflows; otherwise the change
 * goes behind `patched`, and another history is added under another name.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { Client, Connection } from '@temporalio/client'
import { startStack } from '../../infra/stack.ts'
import { taskQueues } from '../../temporal.config.ts'

const train = {
  preset: 'demo',
  model: 'nano/coder',
  reward: 'ground-truth',
  seed: 1,
  steps: 2,
  batch: { problems: 2, group: 4, minibatch: 8 },
  sampling: { maxTokens: 16 },
  evaluate: { every: 1, benchmarks: ['nano'], limit: 8, samples: 1, temperature: 1 },
}
const labels = { samples: 4, sampling: { maxTokens: 46 } }
const few = { name: 'nano', limit: 16 }

interface Recorded {
  readonly name: string
  readonly type: string
  readonly input: unknown
  /** Another name under which the same workflow id was started before: this one goes on with it. */
  readonly id?: string
  /** Recorded while it is still open: one that takes minutes. */
  readonly open?: true
  /** Begun while another has the compute slot, so that its watch asks what it waits for. */
  readonly waits?: true
}

/** In this order: later ones go on with what earlier ones left. */
const recorded: readonly Recorded[] = [
  { name: 'train', type: 'train', input: train },
  { name: 'train-extended', id: 'train', type: 'train', input: { ...train, steps: 3 } },
  { name: 'train-stopped', type: 'train', input: { ...train, stop: { reward: { atMost: 1, steps: 2 } } } },
  { name: 'train-majority', type: 'train', input: { ...train, reward: 'majority', labels, data: few } },
  { name: 'evaluate', type: 'evaluate', input: { model: 'nano/talker', benchmarks: ['nano'], limit: 8 } },
  { name: 'estimate', type: 'estimate', input: train },
  { name: 'label', type: 'label', input: { model: 'nano/talker', data: few, ...labels } },
  { name: 'score', type: 'score', input: { run: 'train', reward: 'format' } },
  { name: 'probe', type: 'probe', input: { model: 'nano/coder', benchmarks: ['nano'], limit: 8 } },
  {
    name: 'sweep',
    type: 'sweep',
    input: {
      base: train,
      models: ['nano/coder'],
      arms: { truth: {}, absent: { prompt: 'nobody wrote {problem}', data: { where: { level: 9 } } } },
      seeds: [1],
      controls: false,
    },
  },
  { name: 'export', type: 'export', input: { checkpoint: 'train/3' } },
  { name: 'gc', type: 'gc', input: { dryRun: true } },
  { name: 'verify', type: 'verify', input: {} },
  { name: 'pretrain', type: 'pretrain', input: { recipe: 'coder' }, open: true },
  { name: 'train-watched', type: 'train', input: { ...train, tags: ['night'] }, waits: true },
  {
    name: 'sweep-watched',
    type: 'sweep',
    input: {
      base: { ...train, steps: 1 },
      models: ['nano/coder'],
      arms: { truth: {}, majority: { reward: 'majority', labels, data: few } },
      seeds: [1],
      controls: false,
      tags: ['night'],
    },
  },
]

const chosen = process.argv.slice(2)
const folder = await mkdtemp(join(tmpdir(), 'placebo-histories-'))
const env = { PLACEBO_ALLOW: pathToFileURL(folder).href }
const stack = await startStack({
  folder: join(folder, 'stack'),
  ports: 'free',
  workers: [
    { role: 'light', env },
    { role: 'compute', env },
  ],
})
const connection = await Connection.connect({ address: stack.temporalAddress })
try {
  const client = new Client({ connection })
  const start = (type: string, workflowId: string, input: unknown) =>
    client.workflow.start(type, { taskQueue: taskQueues.light, workflowId, args: [input] })
  for (const { name, id = name, type, input, open, waits } of recorded) {
    const given = type === 'export' ? { ...(input as object), to: `${env.PLACEBO_ALLOW}/exported` } : input
    const ahead = waits ? await start('pretrain', 'ahead', { recipe: 'talker' }) : null
    if (ahead) await until(async () => (await ahead.query<{ update: number }, []>('progress')).update > 0)
    const handle = await start(type, id, given)
    if (ahead) {
      await until(async () => (await handle.query<{ doing?: string }, []>('progress')).doing !== undefined)
      await ahead.terminate()
    }
    // Until the first chunk of updates is through.
    if (open) await until(async () => (await handle.query<{ update: number }, []>('progress')).update > 0)
    else await handle.result().catch((error: unknown) => console.error(`${name}: ${String(error)}`))
    if (open) await handle.terminate()
    if (chosen.length > 0 && !chosen.includes(name)) continue
    await writeFile(join(import.meta.dirname, `${name}.json`), await historyOf(id))
    console.error(name)
  }
} finally {
  await connection.close()
  await stack.stop()
  await rm(folder, { recursive: true, force: true })
}

/** A query that is not answered yet says nothing. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await sleep(500)
}

/** As `temporal workflow show --output json` prints it, without the names of this machine. */
async function historyOf(workflowId: string): Promise<string> {
  const args = ['workflow', 'show', '--workflow-id', workflowId, '--output', 'json']
  const { stdout } = await promisify(execFile)(
    stack.cli,
    [...args, '--address', stack.temporalAddress],
    { maxBuffer: 2 ** 27 },
  )
  const anonymous = (key: string, value: unknown) => {
    if (key === 'identity' || key === 'workerInstanceKey') return 'worker'
    if (key === 'stackTrace') return undefined
    if (typeof value !== 'string') return value
    return value.replaceAll(folder, '/exports').replaceAll(/\b(light|compute)@[^:]+:\d+/g, '$1@worker')
  }
  return `${JSON.stringify(JSON.parse(stdout, anonymous))}\n`
}
