/** check-spec as a user runs it: its exit code, the plan or the faults. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAsked } from '../../activities/spec/asked.ts'
import { look } from '../../infra/look.ts'

const project = join(import.meta.dirname, '..', '..')
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-check-spec-'))
})
afterAll(() => rm(folder, { recursive: true }))

const run = (...args: string[]) => runWith({}, ...args)
const runWith = (more: Record<string, string>, ...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const command = ['--import', 'tsx', join(project, 'infra', 'check-spec.ts'), ...args]
    execFile(
      process.execPath,
      command,
      {
        cwd: project,
        env: { ...process.env, PLACEBO_ALLOW: '', PLACEBO_DATA_DIR: '', INIT_CWD: project, ...more },
      },
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
  expect(absent).toMatchObject({ code: 1, err: expect.stringContaining('own.jsonl.absent') as unknown })
}) // prettier-ignore

it('names every fault and exits 1', async () => {
  const path = await file('{"preset": "demo", "model": "nano/coder", "reward": "format", "step": 3, "batch": {"group": 2e8}}')
  expect(await run(path)).toMatchObject({
    code: 1,
    out: '',
    err: 'check-spec: train spec: batch.group: expected at most 16384, found 200000000; step: expected one of "tags", "preset", "model", "prompt", "date", "reward", "seed", "steps", "data", "labels", "batch", "sampling", "objective", "optimizer", "evaluate", "checkpoint", "stop", "engine", found an unknown key (did you mean "steps"?)\n',
  })
}) // prettier-ignore

it('takes a spec for what it is told that it is', async () => {
  const path = await file('{"model": "nano/coder"}')
  expect((await run(path)).err).toContain('train spec: reward')
  expect((await run(path, '--type', 'probe')).out).toContain('would be admitted by --type probe')
})

it.each([
  [['--nope'], 2, '--nope: expected one of --type, --elsewhere, --json, --help'],
  [['examples/train.json', '--jsn'], 2, '(did you mean "--json"?)'],
  [['examples/train.json', '--type'], 2, '--type: expected a value, found nothing'],
  [['examples/train.json', '--type', 'play'], 2, '--type: expected train, sweep'],
  [[], 2, 'expected one file, found nothing'],
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

const train = { preset: 'demo', reward: 'format', model: 'nano/coder' }
const checked = async (spec: object, env: Record<string, string> = {}, ...args: string[]) =>
  runWith(env, await file(JSON.stringify(spec)), ...args)

describe('what a spec names is looked at as far as it lies here', () => {
  it.each<[object, string]>([
    [{ ...train, model: 'gpt-4' }, 'model gpt-4: expected nano/…, hf://owner/name@revision, s3://… or file:///…'],
    [{ ...train, model: 'hf://owner/name' }, 'model hf://owner/name: expected hf://owner/name@revision'],
    [{ ...train, model: 'nano/codr' }, 'model nano/codr: not there, known: nano/coder, nano/coder-llama, nano/talker (did you mean "nano/coder"?)'],
    [{ ...train, model: 'file:///no/such' }, 'model file:///no/such: the folder cannot be read (ENOENT'],
    [{ ...train, data: { source: 'file:///no/such.jsonl' } }, 'data file:///no/such.jsonl: cannot be read (ENOENT'],
    [{ ...train, data: { source: 'hf://x' } }, 'data hf://x: expected hf://datasets/owner/name@revision/path'],
    [{ ...train, data: { source: 'problems.jsonl' } }, 'data problems.jsonl: expected file:///…'],
    [{ ...train, $schema: 'schemas/trian.json' }, '$schema: expected schemas/train.json, schemas/sweep.json, '],
    [{ ...train, $schema: 'schemas/trian.json' }, 'found "schemas/trian.json" (did you mean "train"?)'],
    [{ ...train, prompt: 'sobr' }, 'found "sobr" (did you mean "sober"?)'],
    [{ models: ['nano/coder'], arms: { truth: {} }, seeds: [1], priorities: { turth: 1 } }, 'expected an arm of the sweep (null, format, random, truth), found another name (did you mean "truth"?)'],
    [{ models: ['nano/coder', 'gpt-4'], arms: {}, seeds: [1] }, 'model gpt-4: expected'],
  ])('%j is refused: %s', async (spec, message) => {
    const here = { allow: null, dataFolder: null, elsewhere: false }
    const looked = (async () => (await look(readAsked(spec), here)).faults)()
    expect((await looked.catch((error: Error) => [error.message])).join('; ')).toContain(message)
  }) // prettier-ignore

  it('each fault is a line, and the exit code 1', async () => {
    const spec = { models: ['gpt-4', 'gpt-5'], arms: { truth: {} }, seeds: [1] }
    const forms = 'expected nano/…, hf://owner/name@revision, s3://… or file:///…'
    const err = `check-spec: model gpt-4: ${forms}\ncheck-spec: model gpt-5: ${forms}\n`
    expect(await checked(spec)).toEqual({ code: 1, out: '', err })
  })

  it('a file of problems is read: what is wrong in it, and how many there are', async () => {
    const problems = join(folder, 'own.jsonl')
    const source = pathToFileURL(problems).href
    const spec = { ...train, evaluate: { benchmarks: ['nano'] }, data: { source } }
    await writeFile(problems, '{"question": "1+1", "answer": "2"}\n')
    expect(await checked(spec)).toMatchObject({ code: 1, err: expect.stringContaining('own.jsonl:1: no column "problem"') as unknown })
    const mapped = { ...spec, data: { source, columns: { problem: 'question' } } }
    const { code, out } = await checked(mapped)
    expect(code).toBe(0)
    expect(out).toContain(`${source}: 1 problems, read here`)
    expect(out).toContain(`not looked at: whether a worker may read ${source}`)
    // With an allow-list it is known, and without the file where it lies elsewhere.
    expect((await checked(mapped, { PLACEBO_ALLOW: folder })).out).not.toContain('not looked at')
    const refused = await checked(mapped, { PLACEBO_ALLOW: '/somewhere' })
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.err).toContain('not beneath what this worker allows, which is file:///somewhere. Who starts the worker says what it allows: PLACEBO_ALLOW=file:///somewhere,')
    await rm(problems)
    expect((await checked(mapped, {}, '--elsewhere')).out).toContain(`not looked at: ${source}, which lies elsewhere`)
  }) // prettier-ignore

  it('what lies elsewhere is said not to have been looked at', async () => {
    const hub = 'hf://Qwen/Qwen2.5-Math-7B@main'
    const { code, out } = await checked({ preset: 'paper', reward: 'format', model: hub, data: { source: 's3://b/p.jsonl' } })
    expect(code).toBe(0)
    expect(out).toContain('would be admitted by --type train, as far as can be seen from here.')
    expect(out).toContain(`not looked at: the Hub model ${hub}`)
    expect(out).toContain('not looked at: the bucket of data s3://b/p.jsonl')
    expect(out).toContain('not looked at: the set math-500: a worker takes math-500.jsonl from its PLACEBO_DATA_DIR, or from the network')
    const own = join(folder, 'sets')
    await mkdir(own, { recursive: true })
    await writeFile(join(own, 'amc.jsonl'), '')
    const evaluate = { model: 'nano/coder', benchmarks: ['amc'] }
    expect((await checked(evaluate)).out).toContain('not looked at: the set amc')
    expect((await checked(evaluate, { PLACEBO_DATA_DIR: own })).out).not.toContain('not looked at')
    expect((await checked({ run: 'first', reward: 'format' }, {}, '--type', 'score')).out).toContain('not looked at: the run')
  }) // prettier-ignore
})
