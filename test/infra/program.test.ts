/** Every program that a user runs says how it is called, and begins nothing when it is asked that or called otherwise. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { calledWith, numberOf, oneOf, Usage } from '../../infra/program.ts'

const project = join(import.meta.dirname, '..', '..')
const { scripts } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}
/** By name: the file that tsx runs. The Temporal CLI's arguments pass through to it. */
const programs = Object.entries(scripts).flatMap(([name, line]) => {
  const file = /(?:^|\s)tsx (\S+\.ts)$/.exec(line)?.[1]
  return file === undefined || name === 'temporal' ? [] : [[name, file] as const]
})

let home: string
beforeAll(async () => void (home = await mkdtemp(join(tmpdir(), 'placebo-program-'))))
afterAll(() => rm(home, { recursive: true, force: true }))

/** Run with nothing that it could do its work with: no PATH, an empty home. */
const run = (file: string, ...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const env = { HOME: home, XDG_CACHE_HOME: home, INIT_CWD: home }
    const child = execFile(process.execPath, ['--import', 'tsx', join(project, file), ...args], { cwd: project, env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
    child.stdin?.end()
  }) // prettier-ignore

it('package.json names them', () => {
  expect(programs.map(([name]) => name).sort()).toEqual([
    'bench', 'chaos', 'check-spec', 'demo', 'dev', 'grade', 'pretrain', 'progress', 'resume', 'schemas', 'worker',
  ]) // prettier-ignore
})

it.each(programs)('%s: --help says how it is called, another flag is refused', async (name, file) => {
  const [long, other] = await Promise.all([run(file, '--help'), run(file, '--hlep')])
  expect(long).toMatchObject({ code: 0, err: '' })
  expect(long.out).toMatch(new RegExp(`^npm run (-s )?${name}\\b`))
  expect(long.out).toMatch(/--help, -h +this text\n\nExit codes: 0 done, 1 refused or failed, 2 called otherwise/)
  expect(other).toMatchObject({ code: 2, out: '' })
  expect(other.err).toMatch(new RegExp(`^${name}: --hlep: expected one of .*--help \\(did you mean "--help"\\?\\)\n\nnpm run `))
  expect(await readdir(home)).toEqual([]) // nothing was begun
}, 120_000) // prettier-ignore

describe('what a program is called with', () => {
  const program = {
    name: 'p',
    usage: 'npm run p',
    options: {
      folder: { type: 'string' },
      count: { type: 'string', default: '3' },
      json: { type: 'boolean' },
    },
    words: { what: 'one file', least: 1, most: 1 },
  } as const
  const called = (...args: string[]) => calledWith(program, args)

  it('is its flags, with what they are by default, and its words', () => {
    expect(called('a')).toEqual({ values: { folder: undefined, count: '3', json: false }, words: ['a'] })
    expect(called('--folder', 'f', 'a', '--json', '--count=-5')).toEqual({ values: { folder: 'f', count: '-5', json: true }, words: ['a'] })
    expect(called('--', '--json')?.words).toEqual(['--json'])
    expect(called('--help')).toBeNull()
    expect(called('x', 'y', '--nobody', '-h')).toBeNull()
  }) // prettier-ignore

  it.each([
    [
      ['a', '--foldr', 'f'],
      '--foldr: expected one of --folder, --count, --json, --help (did you mean "--folder"?)',
    ],
    [['a', '-x'], '-x: expected one of'],
    [['a', '--toString'], '--toString: expected one of'],
    [['a', '--folder'], '--folder: expected a value, found nothing'],
    [['a', '--folder='], '--folder: expected a value, found nothing'],
    [['a', '--folder', '--json'], '--folder: expected a value, found "--json"'],
    [['a', '--json=yes'], '--json: expected no value, found "yes"'],
    [['a', '--no-json'], '--no-json: expected one of'],
    [['a', '--count', '1', '--count', '2'], '--count: expected it once, found it twice'],
    [[], 'expected one file, found nothing'],
    [['a', 'b'], 'expected one file, found "a", "b"'],
  ])('%j is refused: %s', (args, message) => {
    expect(() => called(...args)).toThrow(Usage)
    expect(() => called(...args)).toThrow(message)
  })

  it('may have numbers and names in it', () => {
    expect(numberOf('seed', '0.5', 0)).toBe(0.5)
    expect(() => numberOf('seed', '-1', 0)).toThrow('--seed: expected a number from 0 on, found "-1"')
    expect(() => numberOf('rounds', '1.5', 1, true)).toThrow('--rounds: expected a whole number from 1 on')
    expect(() => numberOf('seed', ' ', 0)).toThrow(Usage)
    expect(oneOf('--role', ['light', 'compute'], 'light')).toBe('light')
    expect(() => oneOf('--role', ['light', 'compute'], 'copmute')).toThrow(
      '--role: expected light or compute, found "copmute" (did you mean "compute"?)',
    )
  })
})
