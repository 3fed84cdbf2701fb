/** check-spec as a user runs it: its exit code, the plan or the faults. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

const project = join(import.meta.dirname, '..', '..')
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-check-spec-'))
})
afterAll(() => rm(folder, { recursive: true }))

const run = (...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const command = ['--import', 'tsx', join(project, 'infra', 'check-spec.ts'), ...args]
    execFile(
      process.execPath,
      command,
      { cwd: project, env: { ...process.env, INIT_CWD: project } },
      (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })
async function file(content: string) {
  const path = join(folder, 'spec.json')
  await writeFile(path, content)
  return path
}

it('prints the plan of a spec that would be admitted', async () => {
  const { code, out } = await run('examples/train.json')
  expect(code).toBe(0)
  expect(out).toContain('would be admitted by --type train')
  expect(out).toMatch(/model +parameters +155,648 parameters +exact/)
  expect(out).toMatch(/run +device time +\S+ s +estimated: the figures of /)
})

it('prints it as one JSON object, with units and sources', async () => {
  const { code, out } = await run('examples/evaluate.json', '--json')
  expect(code).toBe(0)
  const { type, quantities } = JSON.parse(out) as { type: string; quantities: unknown[] }
  expect(type).toBe('evaluate')
  // 200 problems x 4 samples.
  expect(quantities).toContainEqual({ of: 'all', name: 'completions', value: 800, unit: 'count', source: { kind: 'exact' } })
}) // prettier-ignore

it('says what a run would be told of problems on this machine, and refuses what a run would', async () => {
  const own = join(folder, 'own.jsonl')
  await writeFile(own, '{"question": "1+1", "answer": "so\\n#### 2"}\n{"question": "Show it.", "answer": "#### proof"}\n')
  const spec = (data: object) =>
    file(JSON.stringify({ preset: 'demo', model: 'nano/coder', reward: 'ground-truth', data: { columns: { problem: 'question' }, ...data } }))
  const { code, out } = await run(await spec({ source: `file://${own}` }))
  expect(code).toBe(0)
  expect(out).toContain(
    `\nData: 1 answers say that there is none (file://${own}:2: "proof"), all 2 answers are what stands behind their last "####"\n`,
  )
  expect(out).toContain('\nReward: 1 of 2 problems (50.0%) can never be rewarded by ground-truth\n')
  const none = await run(await spec({ source: `file://${own}`, where: { answer: 'proof' } }))
  expect(none).toMatchObject({ code: 1, err: expect.stringContaining('found none among 1') as unknown })
  const absent = await run(await spec({ source: `file://${own}.absent` }))
  expect(absent).toMatchObject({ code: 0, out: expect.stringContaining('what is to be said of its problems is left out') as unknown })
}) // prettier-ignore

it('names every fault and exits 1', async () => {
  const path = await file('{"preset": "demo", "model": "nano/coder", "reward": "format", "step": 3, "batch": {"group": 2e8}}')
  expect(await run(path)).toMatchObject({
    code: 1,
    out: '',
    err: 'check-spec: train spec: batch.group: Too big: expected number to be <=16384, found 200000000; step: unknown key\n',
  })
}) // prettier-ignore

it('takes a spec for what it is told that it is', async () => {
  const path = await file('{"model": "nano/coder"}')
  expect((await run(path)).err).toContain('train spec: reward')
  expect((await run(path, '--type', 'probe')).out).toContain('would be admitted by --type probe')
})

it.each([
  [['--nope'], 2, "Unknown option '--nope'"],
  [['examples/train.json', '--type', 'play'], 2, '--type: expected train, sweep'],
  [[], 2, 'expected one file, found 0'],
  [['no-such.json'], 1, 'no-such.json'],
  [['README.md'], 1, 'README.md: is not JSON'],
])('%j exits %i', async (args, code, message) => {
  const found = await run(...args)
  expect(found.code).toBe(code)
  expect(found.err).toContain(message)
})

it('waits for no writer: a FIFO, and what is larger than any spec, exit 1', async () => {
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  expect(await run(fifo)).toMatchObject({ code: 1, err: expect.stringContaining('expected a regular file') as unknown })
  expect((await run(await file(' '.repeat(2 ** 21 + 1)))).err).toContain('expected at most 2097152 bytes, found 2097153')
}) // prettier-ignore

it('says how it is used', async () => {
  const { code, out } = await run('--help')
  expect(code).toBe(0)
  expect(out).toContain('npm run -s check-spec -- FILE')
})
