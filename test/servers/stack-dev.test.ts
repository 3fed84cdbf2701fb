import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { alive } from '../../infra/lock.ts'
import { runningStack, type StackDescription } from '../../infra/stack.ts'

// `npm run dev` as a user runs it: npm, the program, and under that the servers and workers.
const project = join(import.meta.dirname, '../..')

let folder: string
let npm: ChildProcess
let output: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-dev-'))
  output = ''
  // A process group of its own, as a terminal gives it: so that Ctrl-C can be sent to all of it.
  // Begun like a job in the background, of which no shell of its own would hear SIGINT.
  const begin = `trap '' INT; exec npm run dev -- --folder '${folder}'`
  npm = spawn('sh', ['-c', begin], { cwd: project, detached: true })
  npm.stdout?.on('data', (text: Buffer) => (output += text.toString()))
  npm.stderr?.on('data', (text: Buffer) => (output += text.toString()))
  await vi.waitFor(() => expect(output).toContain('Ctrl-C stops everything'), { timeout: 120_000 })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Every process below `pid`, by what /proc says of parents. */
async function descendants(pid: number): Promise<number[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const parents = await Promise.all(
    names.map(async (name) => {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => ') ? 0')
      return { pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }
    }),
  )
  const below = (parent: number): number[] =>
    parents.filter((each) => each.parent === parent).flatMap((each) => [each.pid, ...below(each.pid)])
  return below(pid)
}

async function expectNoneLeft(all: number[]): Promise<void> {
  // npm and dev are 2; two servers and two workers are each two shells and a program: 2 + 12.
  expect(all.length).toBeGreaterThanOrEqual(14)
  await vi.waitFor(() => expect(all.filter(alive)).toEqual([]), { timeout: 60_000, interval: 200 })
}

describe.skipIf(process.platform !== 'linux')('nothing is left running', () => {
  const everything = async () => [npm.pid ?? 0, ...(await descendants(npm.pid ?? 0))]

  it('after SIGINT to npm alone, which a shell began in the background', async () => {
    const all = await everything()
    npm.kill('SIGINT')
    await expectNoneLeft(all)
    expect(output).toContain('Stopped.')
  })

  it('after Ctrl-C, and the stack says that it stopped; the lines that it printed worked as they were typed', async () => {
    const printed = output.split('\n').flatMap((line) => /: +(npm run .*|temporal .*)$/.exec(line)?.[1] ?? [])
    expect(printed).toHaveLength(3)
    const { temporalAddress, cli, uiUrl } = (await runningStack(folder)) as StackDescription
    expect(output).toContain(`${uiUrl}/namespaces/default/workflows?query=WorkflowType%3D%22train%22%20OR%20WorkflowType%3D%22sweep%22`) // prettier-ignore
    for (const [i, line] of printed.entries()) {
      // The second would start the same id, and the third would watch.
      const typed = line
        .replace('--workflow-id first', `--workflow-id first-${i}`)
        .replace('first --watch', 'first-0')
      // `temporal` in PATH is the stack's own here.
      const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` }
      await symlink(cli, join(folder, 'temporal')).catch(() => {})
      const { stdout } = await promisify(execFile)('sh', ['-c', typed], { cwd: project, env })
      expect(stdout).toContain(`first-${i === 2 ? 0 : i}`)
      if (!line.includes(`--address ${temporalAddress}`)) expect(temporalAddress).toBe('127.0.0.1:7233')
    }
    const list = await promisify(execFile)(cli, ['workflow', 'list', '--address', temporalAddress, '--query', 'WorkflowType="train" OR WorkflowType="sweep"']) // prettier-ignore
    for (const id of ['first-0', 'first-1']) expect(list.stdout).toContain(id)
    await stopped()
  })

  const stopped = async () => {
    const all = await everything()
    process.kill(-(npm.pid ?? 0), 'SIGINT')
    await expectNoneLeft(all)
    expect(output).toMatch(/Stopping \(SIGINT\)\nStopped\./)
    expect(await runningStack(folder)).toBeNull()
  }

  it('after kill -9 of the program that holds it all', async () => {
    const all = await everything()
    process.kill((await runningStack(folder))?.pid ?? 0, 'SIGKILL')
    await expectNoneLeft(all)
  })

  it('after kill -9 of npm, which started it', async () => {
    const all = await everything()
    npm.kill('SIGKILL')
    await expectNoneLeft(all)
  })
})
