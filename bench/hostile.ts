/**
 * `npm run bench -- hostile`: what a light worker suffers from inputs that are meant to stop it, or were written by
 * somebody tired. Each is started as a user would start it, one after another, while a tiny run beside goes on.
 *
 * An answer is a failure whose name is one of those that the input may have (bench/hostile/), within 15 s. The worker's
 * event loop is watched from within (loop-delay.mjs), its memory from outside; the processes that it starts to read what
 * users provide have memory of their own, which is not counted. `--limit` takes the first so many.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import type { Stack } from '../infra/stack.ts'
import { taskQueues } from '../temporal.config.ts'
import type { Benchmark, Measured } from './comparison.ts'
import { usedBy } from './groups.ts'
import { hostileInputs, type Hostile } from './hostile/inputs.ts'
import { tiny } from './tiny.ts'
import { onStack } from './stack.ts'

const withinMs = 15_000

export const hostile: Benchmark = {
  comparisons({ folder, limit }) {
    const label = 'hostile inputs'
    const figure = (name: string, unit: string, ours: string, bound?: number) => ({
      name: `${label}: ${name}`,
      unit,
      ours,
      better: 'less' as const,
      ...(bound !== undefined && { target: { of: 'value' as const, bound } }),
    })
    const figures = [
      { ...figure('tried', '', 'tried'), better: 'more' as const },
      figure('not answered by name within 15 s', '', 'unanswered', 0),
      figure('slowest answer', 's', 'slowestSeconds', 15),
      figure('while which the run beside stood still', '', 'stoodStill', 0),
      figure('light workers that died', '', 'died', 0),
      figure("light worker's event loop, delay, 99th percentile", 'ms', 'p99Ms', 250),
      figure("light worker's event loop, longest delay", 'ms', 'maxMs'),
      figure("light worker's peak memory", 'MB', 'lightMB', 1074),
    ]
    const comparison = { label, ours: { folder, limit }, peer: null, figures }
    return Promise.resolve({ comparisons: [comparison], missing: [] })
  },

  async measure(args) {
    const { folder: within, limit } = args as { folder: string; limit: number }
    const folder = join(within, 'hostile')
    await mkdir(folder)
    const delays = join(folder, 'delays.jsonl')
    const preload = pathToFileURL(join(import.meta.dirname, 'hostile', 'loop-delay.mjs')).href
    const own = { NODE_OPTIONS: `--import ${preload}`, PLACEBO_LOOP_DELAY: delays, PLACEBO_ALLOW: folder }
    const workers = [
      { role: 'light', env: own },
      { role: 'compute', env: { PLACEBO_THREADS: '1', PLACEBO_ALLOW: folder } },
    ] as const
    const inputs = hostileInputs(folder).slice(0, limit)
    return onStack(folder, { workers }, (client, stack) => measureOn(client, stack, inputs, delays))
  },
}

/** A run of next to no work a step, which ends when it is told to. */
const beside = { ...tiny, model: 'nano/talker', steps: 100_000, checkpoint: { every: 1000 } }

async function measureOn(
  client: Client,
  stack: Stack,
  inputs: readonly Hostile[],
  delays: string,
): Promise<Measured> {
  const { light } = taskQueues
  const run = await client.workflow.start('train', {
    taskQueue: light,
    workflowId: 'beside',
    args: [beside],
  })
  const stepOf = async () => (await run.query<{ step: number }>('progress')).step
  while ((await stepOf()) === 0) await sleep(100)
  const answers: { name: string; answer: string; seconds: number; isNamed: boolean; went: number }[] = []
  for (const [i, { name, type, input, expect }] of inputs.entries()) {
    const before = await stepOf()
    const { answer, seconds } = await answerTo(client, `hostile-${i}`, type, input)
    // What is refused at once leaves the run beside no time for a step: it is given some.
    let went = 0
    for (let tries = 0; went === 0 && tries < 50; tries++) {
      if (tries > 0) await sleep(100)
      went = (await stepOf()) - before
    }
    const [word = ''] = answer.split(':')
    const row = { name, answer, seconds, isNamed: expect.test(word) && seconds * 1000 <= withinMs, went }
    answers.push(row)
    process.stderr.write(
      `${row.isNamed ? '  ' : '! '}${seconds.toFixed(1).padStart(5)} s  ${name}: ${answer.slice(0, 160)}\n`,
    )
  }
  await run.terminate('measured')
  const { peakBytes } = await usedBy(stack.processes.get('light')!.group())
  return {
    tried: answers.length,
    unanswered: answers.filter(({ isNamed }) => !isNamed).length,
    slowestSeconds: Math.max(...answers.map(({ seconds }) => seconds)),
    stoodStill: answers.filter(({ went }) => went === 0).length,
    ...(await delaysIn(delays)),
    lightMB: peakBytes / 1e6,
  }
}

/** How a workflow ended, `name: message`; what has not ended soon is terminated, so that the next can be tried. */
async function answerTo(client: Client, workflowId: string, type: string, input: unknown) {
  const start = performance.now()
  const seconds = () => (performance.now() - start) / 1000
  const handle = await client.workflow.start(type, { taskQueue: taskQueues.light, workflowId, args: [input] })
  const ended = handle.result().then(
    () => 'completed',
    (error: unknown) => wordsOf(error),
  )
  const late = sleep(withinMs + 5000, 'nothing')
  const answer = await Promise.race([ended, late])
  const took = seconds()
  if (answer === 'nothing') await handle.terminate('too late')
  return { answer, seconds: took }
}

/** The innermost failure with a type is the fault itself. */
function wordsOf(error: unknown): string {
  let words = String(error)
  for (let at = error; at instanceof Error; at = at.cause) {
    const { type } = at as { type?: unknown }
    if (typeof type === 'string') words = `${type}: ${at.message}`
  }
  return words
}

/** Of each process that served: the 99th percentile and the longest of its whole life; the worst of all. */
async function delaysIn(file: string): Promise<{ p99Ms: number; maxMs: number; died: number }> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  const all = lines.map((line) => JSON.parse(line) as { pid: number; p99Ms: number; maxMs: number })
  const last = [...new Map(all.map((one) => [one.pid, one])).values()]
  return {
    p99Ms: Math.max(...last.map(({ p99Ms }) => p99Ms)),
    maxMs: Math.max(...last.map(({ maxMs }) => maxMs)),
    died: last.length - 1,
  }
}
