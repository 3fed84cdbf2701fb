import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { runningStack, startStack } from '../../infra/stack.ts'
import type { Stack } from '../../infra/stack.ts'
import { searchAttributes } from '../../temporal.config.ts'

let folder: string
let stack: Stack
const reports: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-stack-'))
  stack = await startStack({ folder, ports: 'free', workers: [], report: (line) => reports.push(line) })
})
afterAll(async () => {
  await stack.stop()
  await rm(folder, { recursive: true, force: true })
})

async function temporal(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(stack.cli, args, { env: stack.env })
  return stdout
}
const start = (id: string) =>
  temporal('workflow', 'start', '--type', 'none', '--task-queue', 'nobody', '--workflow-id', id)

describe('the servers', () => {
  it('are reached by the environment that the stack hands out', async () => {
    expect(await temporal('operator', 'cluster', 'health')).toContain('SERVING')
    expect((await fetch(stack.uiUrl)).status).toBe(200)
  })

  it('keep closed workflows for thirty days', async () => {
    // 30 x 24 h = 720 h
    expect(await temporal('operator', 'namespace', 'describe', 'default')).toContain('720h0m0s')
  })

  it('know the search attributes that workflows write', async () => {
    const list = await temporal('operator', 'search-attribute', 'list')
    for (const [name, type] of Object.entries(searchAttributes)) {
      expect(list).toMatch(new RegExp(`^\\s*${name}\\s+${type}\\s*$`, 'm'))
    }
  })

  it('answer on the loopback interface only', async () => {
    for (const url of [stack.uiUrl, stack.s3Endpoint, `http://${stack.temporalAddress}`]) {
      expect(new URL(url ?? '').hostname).toBe('127.0.0.1')
    }
  })

  it('refuse a request to the store without credentials', async () => {
    expect((await fetch(`${stack.s3Endpoint}/placebo`)).status).toBe(403)
  })
})

describe('secrets', () => {
  const secret = () => stack.env['AWS_SECRET_ACCESS_KEY'] ?? 'none'

  it('lie in one file that only the user can read', async () => {
    expect((await stat(join(folder, 'credentials'))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(folder, 'credentials'), 'utf8')).toContain(secret())
  })

  it('are in no log, no description and no command line', async () => {
    const files = ['stack.json', 'temporal.toml', 'logs/temporal.log', 'logs/s3.log']
    for (const file of files) expect(await readFile(join(folder, file), 'utf8')).not.toContain(secret())
    const lines = await Promise.all(
      (await readdir('/proc').catch(() => []))
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    )
    expect(lines.filter((line) => line.includes(secret()))).toEqual([])
  })
})

it('tells other processes where it is', async () => {
  expect(await runningStack(folder)).toMatchObject({
    temporalAddress: stack.temporalAddress,
    pid: process.pid,
  })
  expect(await runningStack(join(folder, 'nowhere'))).toBeNull()
})

it('refuses a second stack on the same data', async () => {
  const second = startStack({ folder, ports: 'free', workers: [] })
  await expect(second).rejects.toThrow(`a stack runs there already (process ${process.pid})`)
})

it('starts a killed Temporal server again with everything it knew', async () => {
  await start('before')
  stack.processes.get('temporal')?.kill()
  await vi.waitFor(() => start('after'), { timeout: 60_000, interval: 200 })
  const list = await temporal('workflow', 'describe', '--workflow-id', 'before')
  expect(list).toContain('before')
  expect(reports).toEqual([expect.stringContaining('temporal ended with code 137, starting another')])
})

it('starts a killed S3 server again on the same port', async () => {
  stack.processes.get('s3')?.kill()
  await vi.waitFor(async () => expect((await fetch(`${stack.s3Endpoint}/placebo`)).status).toBe(403), {
    timeout: 30_000,
    interval: 100,
  })
})
