import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { provision } from '../../infra/provision.ts'
import type { Method, Places, Recipe } from '../../infra/provision.ts'

// Programs here are two-line scripts; PATH holds only the test's folders, so nothing of the machine is found.
let folder: string
let lines: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-provision-'))
  lines = []
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const script = (version: string) => `#!/bin/sh\necho "temporal version ${version}"\n`

async function program(path: string, text = script('1.9.1 (Server 1.32.0)')): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, text)
  await chmod(path, 0o755)
  return path
}

const places = (env: Record<string, string> = {}): Places => ({
  env,
  caches: [join(folder, 'project'), join(folder, 'user')],
  log: (line) => lines.push(line),
})

const recipe = (...methods: Method[]): Recipe => ({
  version: '1.9.1',
  variable: 'PLACEBO_TEMPORAL',
  oldest: { pattern: /Server (\d+)\.(\d+)/, version: [1, 30] },
  methods,
})

const failing: Method = { name: 'pip', install: () => Promise.reject(new Error('no such command')) }
const working: Method = { name: 'archive', install: (to) => program(join(to, 'temporal')) }

it('takes the program that the environment variable names before any other', async () => {
  const named = await program(join(folder, 'mine'))
  await program(join(folder, 'path', 'temporal'))
  const env = { PLACEBO_TEMPORAL: named, PATH: join(folder, 'path') }
  expect(await provision('temporal', places(env), recipe())).toBe(named)
})

it('refuses a named program that does not run instead of silently taking another', async () => {
  await program(join(folder, 'path', 'temporal'))
  const env = { PLACEBO_TEMPORAL: join(folder, 'nothing'), PATH: join(folder, 'path') }
  await expect(provision('temporal', places(env), recipe())).rejects.toThrow(
    /PLACEBO_TEMPORAL=.*nothing: expected a program/,
  )
})

it('takes the first program on PATH that is young enough, and says what it passed over', async () => {
  await program(join(folder, 'old', 'temporal'), script('1.3.0 (Server 1.27.1)'))
  await program(join(folder, 'broken', 'temporal'), '#!/bin/sh\nexit 1\n')
  const young = await program(join(folder, 'young', 'temporal'))
  const path = ['old', 'broken', 'young'].map((name) => join(folder, name)).join(':')
  expect(await provision('temporal', places({ PATH: path }), recipe())).toBe(young)
  expect(lines).toEqual([
    expect.stringContaining('old/temporal, too old'),
    expect.stringContaining('broken/temporal, it does not run'),
  ])
})

it('finds what an earlier install left in a cache, without running any method', async () => {
  const cached = await program(join(folder, 'user', 'temporal-1.9.1'))
  expect(await provision('temporal', places(), recipe(failing))).toBe(cached)
  expect(lines).toEqual([])
})

it('tries each method in turn and renames what works into the per-user cache', async () => {
  const empty: Method = {
    name: 'empty',
    install: (to) => program(join(to, 'temporal'), '#!/bin/sh\nexit 3\n'),
  }
  const target = join(folder, 'user', 'temporal-1.9.1')
  expect(await provision('temporal', places(), recipe(failing, empty, working))).toBe(target)
  expect(await readdir(join(folder, 'user'))).toEqual(['temporal-1.9.1'])
})

it('installs into the project where the per-user cache cannot be made', async () => {
  await writeFile(join(folder, 'user'), 'a file, not a folder')
  expect(await provision('temporal', places(), recipe(working))).toBe(
    join(folder, 'project', 'temporal-1.9.1'),
  )
})

it('says everything that was tried, and what to do, when nothing works', async () => {
  expect(await provision('temporal', places({ PATH: '' }), recipe(failing))).toBeNull()
  expect(lines.at(-1)).toContain('pip: no such command')
  expect(lines.at(-1)).toContain('set PLACEBO_TEMPORAL to its path')
})

it('installs once when two ask at the same time', async () => {
  let installs = 0
  const counted: Method = { name: 'counted', install: (to) => ((installs += 1), working.install(to)) }
  const asked = await Promise.all([1, 2, 3].map(() => provision('temporal', places(), recipe(counted))))
  expect(new Set(asked).size).toBe(1)
  expect(installs).toBe(1)
})

it('takes over a lock whose holder is gone', async () => {
  await mkdir(join(folder, 'user'))
  // Process numbers end at 2^22 on Linux, so no process has this one.
  await writeFile(join(folder, 'user', '.temporal.lock'), String(2 ** 22 + 1))
  expect(await provision('temporal', places(), recipe(working))).toBe(join(folder, 'user', 'temporal-1.9.1'))
})
