import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { leash } from '../../infra/leash.ts'
import { alive } from '../../infra/lock.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-leash-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const options = (graceSeconds = 5) => ({ env: process.env, log: join(folder, 'log'), graceSeconds })
const sh = (script: string, graceSeconds?: number) => leash('/bin/sh', ['-c', script], options(graceSeconds))
const logged = (text: string) =>
  vi.waitFor(async () => expect(await readFile(join(folder, 'log'), 'utf8')).toContain(text), {
    timeout: 10_000,
  })

it('passes the exit code on and keeps what was written', async () => {
  const child = sh('echo out; echo err >&2; exit 7')
  expect(await child.exited).toBe(7)
  expect(child.tail()).toBe('out\nerr')
})

it('stops with SIGTERM and waits for a clean end', async () => {
  const child = sh('trap "echo saving; exit 0" TERM; echo ready; while :; do sleep 0.1; done')
  await logged('ready')
  expect(await child.stop()).toBe(0)
  expect(child.tail()).toBe('ready\nsaving')
})

it('kills what does not listen once the grace is over', async () => {
  const child = sh('trap "" TERM; echo ready; while :; do sleep 0.1; done', 1)
  await logged('ready')
  expect(await child.stop()).toBe(128 + 9)
})

it('leaves no program behind when its own shell is killed', async () => {
  const child = sh('echo $$; while :; do sleep 0.1; done')
  await logged('\n')
  const program = Number(child.tail())
  process.kill(child.group, 'SIGKILL')
  await child.exited
  await vi.waitFor(() => expect(alive(program)).toBe(false), { timeout: 5000 })
})

it('leaves no program behind when the process that holds the leash is killed', async () => {
  const holder = join(folder, 'holder.mts')
  const module = join(import.meta.dirname, '../../infra/leash.ts')
  await writeFile(
    holder,
    `import { leash } from ${JSON.stringify(module)}
     leash('/bin/sh', ['-c', 'echo $$; while :; do sleep 0.1; done'], ${JSON.stringify({ ...options(), env: {} })})
     setInterval(() => {}, 1000)`,
  )
  const parent = spawn(process.execPath, ['--import', 'tsx', holder], { stdio: 'inherit' })
  await logged('\n')
  const program = Number(await readFile(join(folder, 'log'), 'utf8'))
  expect(alive(program)).toBe(true)
  parent.kill('SIGKILL')
  await vi.waitFor(() => expect(alive(program)).toBe(false), { timeout: 10_000 })
})
