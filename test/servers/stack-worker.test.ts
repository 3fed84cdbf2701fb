import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startStack } from '../../infra/stack.ts'
import type { Stack } from '../../infra/stack.ts'

const project = join(import.meta.dirname, '../..')
let folder: string
let stack: Stack

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-worker-'))
  stack = await startStack({ folder, ports: 'free', workers: [{ role: 'light' }, { role: 'light' }] })
})
afterAll(async () => {
  await stack.stop()
  await rm(folder, { recursive: true, force: true })
})

type Changes = Record<string, string | undefined>

/** `npm run worker -- ARGS`, without npm, in the stack's environment with changes; what it said and how it ended. */
function worker(args: string[], changes: Changes = {}, until: RegExp = /$^/) {
  const command = ['--import', 'tsx', join(project, 'infra', 'worker.ts'), ...args]
  const child = spawn(process.execPath, command, { cwd: project, env: { ...stack.env, ...changes } })
  let output = ''
  const read = (text: Buffer) => {
    output += text.toString()
    if (until.test(output)) child.kill('SIGTERM')
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  return new Promise<{ code: number | null; output: string }>((resolve) =>
    child.on('exit', (code) => resolve({ code, output })),
  )
}

it.each(['light', 'compute'])(
  'a %s worker starts on the stack and ends with 0 when it is told to go',
  async (role) => {
    const { code, output } = await worker(['--role', role], {}, /"worker started"/)
    expect(output).toContain(`"role":"${role}"`)
    expect(code).toBe(0)
  },
)

it('a killed worker is replaced', async () => {
  const log = join(folder, 'logs', 'light-2.log')
  const starts = async () => (await readFile(log, 'utf8')).split('"worker started"').length - 1
  expect(await starts()).toBe(1)
  stack.processes.get('light-2')?.kill()
  await vi.waitFor(async () => expect(await starts()).toBe(2), { timeout: 60_000, interval: 200 })
})

describe('it refuses to start', () => {
  const nobody = '127.0.0.1:9' // the discard port: nothing listens
  const cases: [name: string, args: string[], changes: Changes, message: string, code?: number][] = [
    ['without a role', [], {}, '--role: expected light or compute, found nothing', 2],
    ['in a role that is none', ['--role', 'gpu'], {}, '--role: expected light or compute, found "gpu"', 2],
    ['without a store', ['--role', 'light'], { PLACEBO_STORE: '' }, 'PLACEBO_STORE: expected s3://'],
    [
      'with a bucket that is not there',
      ['--role', 'light'],
      { PLACEBO_STORE: 's3://no-such-bucket' },
      's3://no-such-bucket',
    ],
    [
      'with wrong keys',
      ['--role', 'light'],
      { AWS_SECRET_ACCESS_KEY: 'wrong' },
      'PLACEBO_STORE=s3://placebo',
    ],
    [
      'without a Temporal server',
      ['--role', 'light'],
      { TEMPORAL_ADDRESS: nobody },
      `TEMPORAL_ADDRESS=${nobody}: no Temporal server answers`,
    ],
  ]
  it.each(cases)('%s', async (_, args, changes, message, expected = 1) => {
    const { code, output } = await worker(args, changes)
    expect(output).toContain(message)
    expect(output).not.toMatch(/^\s+at /m) // a message, not a stack trace
    expect(code).toBe(expected)
  })
})
