import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
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

  it.skipIf(process.platform !== 'linux')('answer no web page: Temporal has more ports than one', async () => {
    const ports = await listeningPorts(stack.processes.get('temporal')?.group() ?? 0)
    const { port: ui } = new URL(stack.uiUrl)
    const grpc = stack.temporalAddress.split(':')[1]
    const statuses = await Promise.all(
      ports.filter((port) => String(port) !== grpc).map(async (port) => {
        // What a page may send without being asked: no header but those of a form.
        const url = `http://127.0.0.1:${port}/api/v1/namespaces/default/workflows/posted`
        const body = JSON.stringify({ workflowType: { name: 'none' }, taskQueue: { name: 'nobody' } })
        const headers = { 'content-type': 'text/plain', origin: 'http://elsewhere.example' }
        const answer = await fetch(url, { method: 'POST', body, headers }).catch(() => null)
        return [String(port) === ui ? 'ui' : 'other', answer?.status ?? 0] as const
      }),
    )
    expect(statuses.filter(([of, status]) => of === 'other' && status === 403)).toHaveLength(1) // its HTTP port
    expect(statuses.filter(([, status]) => status >= 200 && status < 400)).toEqual([])
    expect(statuses.some(([of]) => of === 'ui')).toBe(true)
    await expect(temporal('workflow', 'describe', '--workflow-id', 'posted')).rejects.toThrow('not found')
  }) // prettier-ignore

  it('refuse a request to the store without credentials', async () => {
    expect((await fetch(`${stack.s3Endpoint}/placebo`)).status).toBe(403)
  })
})

/** Ports that a process group listens on. */
async function listeningPorts(group: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const sockets = new Set<string>()
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') S 0 0')
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) !== group) continue
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => []))
      sockets.add(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))
  }
  const lines = (await readFile('/proc/net/tcp', 'utf8')).trim().split('\n').slice(1)
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
    return state === '0A' && sockets.has(`socket:[${inode}]`) ? [parseInt(local.split(':')[1] ?? '', 16)] : []
  })
}

describe('the folder', () => {
  it('is this user’s alone, and one of a stack that others could look into is mended', async () => {
    const own = join(folder, 'within', 'stack')
    const begin = async () => {
      const said: string[] = []
      const started = startStack({ folder: own, ports: 'free', workers: [], store: 'file:///tmp/none', report: (line) => said.push(line) })
      await (await started).stop()
      return { mode: (await stat(own)).mode & 0o777, said }
    }
    expect(await begin()).toEqual({ mode: 0o700, said: [] })
    expect((await stat(join(folder, 'within'))).mode & 0o777).toBe(0o700)
    await chmod(own, 0o755)
    expect(await begin()).toEqual({ mode: 0o700, said: [expect.stringContaining('(mode 755): now only you do')] })
  }) // prettier-ignore

  it('that is none of a stack’s stays as it is', async () => {
    const other = await mkdtemp(join(tmpdir(), 'placebo-other-'))
    await chmod(other, 0o755)
    await writeFile(join(other, 'own'), '')
    const said: string[] = []
    const started = await startStack({ folder: other, ports: 'free', workers: [], store: 'file:///tmp/none', report: (line) => said.push(line) })
    await started.stop()
    expect((await stat(other)).mode & 0o777).toBe(0o755)
    expect(said).toEqual([expect.stringContaining('chmod 700 keeps them out')])
    await rm(other, { recursive: true })
  }) // prettier-ignore
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
