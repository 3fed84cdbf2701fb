import { readFile } from 'node:fs/promises'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allocator, readConfig } from '../../infra/config.ts'

const store = { PLACEBO_STORE: 's3://bucket/prefix' }

describe('what the environment may say', () => {
  it('needs only a store', () => {
    const config = readConfig(store)
    expect(config).toMatchObject({ store: 's3://bucket/prefix', dataFolder: null, allow: [], hub: {} })
    expect(config.threads).toBeGreaterThanOrEqual(1)
    expect(config.cache).toMatch(/placebo\/blobs$/)
  })

  it('turns folders of PLACEBO_ALLOW into the URL prefixes that specs are compared with', () => {
    const { allow } = readConfig({ ...store, PLACEBO_ALLOW: '/data/models, s3://other/, file:///mnt/x,' })
    expect(allow).toEqual(['file:///data/models', 's3://other/', 'file:///mnt/x'])
  })

  it('takes an empty variable as an unset one', () => {
    const config = readConfig({ ...store, HF_TOKEN: '', PLACEBO_DATA_DIR: '', PLACEBO_THREADS: '' })
    expect(config.hub).toEqual({})
    expect(config.dataFolder).toBeNull()
  })

  it('takes sizes in bytes or in binary units', () => {
    const sizes = (limit: string, floor: string) => {
      const config = readConfig({ ...store, PLACEBO_CACHE_LIMIT: limit, PLACEBO_CACHE_FLOOR: floor })
      return [config.cacheLimitBytes, config.cacheFloorBytes]
    }
    expect(sizes('1024', '0')).toEqual([1024, 0])
    expect(sizes('1.5KiB', '20 MiB')).toEqual([1536, 20 * 1024 * 1024])
    expect(sizes('', '2TiB')).toEqual([100 * 2 ** 30, 2 * 2 ** 40])
  })

  it('takes the memory that computations may have, the machine’s own unless it is told', () => {
    expect(readConfig({ ...store, PLACEBO_MEMORY: '8GiB' }).memoryBytes).toBe(8 * 2 ** 30)
    const own = readConfig(store).memoryBytes
    expect(own).toBeGreaterThan(2 ** 28)
    expect(own).toBeLessThanOrEqual(totalmem())
  })

  it('hands the Hub settings on', () => {
    const { hub } = readConfig({ ...store, HF_TOKEN: 'hf_x', HF_ENDPOINT: 'https://hub.example' })
    expect(hub).toEqual({ token: 'hf_x', endpoint: 'https://hub.example' })
  })
})

describe('what it may not', () => {
  const cases: [name: string, env: Record<string, string>, message: RegExp][] = [
    ['no store', {}, /^PLACEBO_STORE: expected s3:\/\/bucket\/prefix or file:\/\/\/folder, found nothing$/],
    ['another scheme', { PLACEBO_STORE: 'gs://b' }, /^PLACEBO_STORE=gs:\/\/b: expected s3:/],
    ['a relative folder', { PLACEBO_STORE: 'file://store' }, /^PLACEBO_STORE=file:\/\/store: expected/],
    ['no threads', { ...store, PLACEBO_THREADS: '0' }, /^PLACEBO_THREADS=0: /],
    [
      'a word for a number',
      { ...store, PLACEBO_THREADS: 'all' },
      /^PLACEBO_THREADS=all: expected a whole number/,
    ],
    [
      'a missing folder',
      { ...store, PLACEBO_DATA_DIR: `${tmpdir()}/no-such` },
      /^PLACEBO_DATA_DIR=.*: expected a folder/,
    ],
    [
      'a relative allowance',
      { ...store, PLACEBO_ALLOW: 'models' },
      /^PLACEBO_ALLOW=models: expected absolute/,
    ],
    [
      'a size in no known unit',
      { ...store, PLACEBO_CACHE_LIMIT: '20GB' },
      /^PLACEBO_CACHE_LIMIT=20GB: expected a size such as 500MiB/,
    ],
    ['a negative floor', { ...store, PLACEBO_CACHE_FLOOR: '-1' }, /^PLACEBO_CACHE_FLOOR=-1: expected a size/],
    ['no URL', { ...store, HF_ENDPOINT: 'hub' }, /^HF_ENDPOINT=hub: expected a URL$/],
  ]
  it.each(cases)('%s is an error that names variable, value and expectation', (_, env, message) => {
    expect(() => readConfig(env)).toThrow(message)
  })

  it('all errors are named at once', () => {
    const read = () => readConfig({ PLACEBO_STORE: 'x', PLACEBO_THREADS: 'y' })
    expect(read).toThrow(/PLACEBO_STORE=x(.|\n)*PLACEBO_THREADS=y/)
  })
})

it('gives workers the same allocator by `npm run worker` as in the stack, unless the user says otherwise', async () => {
  const file = await readFile(join(import.meta.dirname, '../../package.json'), 'utf8')
  const { scripts } = JSON.parse(file) as { scripts: Record<string, string> }
  const words = Object.entries(allocator).map(([name, value]) => `${name}=\${${name}:-${value}} `)
  expect(scripts['worker']).toBe(`${words.join('')}exec node --import tsx infra/worker.ts`)
})

it.each(['dev', 'demo', 'chaos', 'worker', 'temporal'])(
  '`npm run %s` has nothing between npm and the program',
  async (name) => {
    // tsx's own command kills a program that does not answer a signal within 60 ms; a shell keeps signals to itself.
    const file = await readFile(join(import.meta.dirname, '../../package.json'), 'utf8')
    const { scripts } = JSON.parse(file) as { scripts: Record<string, string> }
    expect(scripts[name]).toMatch(/^(\w+=\S+ )*exec node --import tsx infra\/\S+\.ts$/)
  },
)
