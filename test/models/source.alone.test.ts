import { execFileSync } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync } from 'node:fs'
import type * as fs from 'node:fs/promises'
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openSource } from '../../activities/models/source.ts'
import { readIndex } from '../reading/shared.ts'

const disk = vi.hoisted(() => ({ fails: null as string | null, blocks: [0, 0] }))
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>()
  const readdir = (...all: Parameters<typeof real.readdir>) =>
    disk.fails === null
      ? real.readdir(...all)
      : Promise.reject(Object.assign(new Error(`${disk.fails}: scandir`), { code: disk.fails }))
  const statfs = async (path: string) => {
    const [blocks = 0, bavail = 0] = disk.blocks
    return blocks === 0 ? real.statfs(path) : { bsize: 4096, blocks, bavail }
  }
  return { ...real, readdir, statfs }
})

const files: Record<string, string> = {
  'config.json': '{}',
  'tokenizer.json': '{}',
  'model.safetensors.index.json': JSON.stringify({
    weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors' },
  }),
  'model-1.safetensors': 'one',
  'model-2.safetensors': 'two',
  'pytorch_model.bin': 'never read',
  'modeling_custom.py': 'never read',
}
const sha = 'a'.repeat(40)
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-source-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const fill = (names: readonly string[]) =>
  Promise.all(names.map((name) => writeFile(join(folder, name), files[name] ?? '')))
const url = () => pathToFileURL(folder).href
const open = (model: string, allow: readonly string[] = [url()]) =>
  openSource(model, { allow, hub: {}, readIndex })

describe('a model in a folder', () => {
  it('is its configuration, its tokenizer and the weights that its index names: no pickle, no code', async () => {
    await fill(Object.keys(files))
    const { files: found, pinned } = await open(url())
    expect(found.map(({ name }) => name)).toEqual([
      'config.json',
      'tokenizer.json',
      'model.safetensors.index.json',
      'model-1.safetensors',
      'model-2.safetensors',
    ])
    expect(pinned).toBeNull()
  })

  it.each([
    [['config.json'], 'no tokenizer.json among its 1 files'],
    [['config.json', 'tokenizer.json', 'pytorch_model.bin'], 'no model.safetensors'],
    [
      ['config.json', 'tokenizer.json', 'model.safetensors.index.json', 'model-1.safetensors'],
      'names model-2.safetensors, not there',
    ],
  ])('of %j is refused, saying what is missing', async (names, message) => {
    await fill(names)
    await expect(open(url())).rejects.toThrow(message)
  })

  it('is refused outside what the worker allows, also by way of dot-dot', async () => {
    await expect(open(url(), [])).rejects.toThrow('not beneath what this worker allows')
    await expect(open(`${url()}/../elsewhere`)).rejects.toThrow('not beneath what this worker allows')
    await expect(open(`${url()}/%2e%2e/elsewhere`)).rejects.toThrow('not beneath what this worker allows')
    await expect(open(`${url()}-other`)).rejects.toThrow('not beneath what this worker allows')
  })

  it.each([
    ['/%2Fetc', 'must not include encoded / characters'],
    ['/a%00b', 'a path holds no NUL'],
    ['/%ff', 'URI malformed'],
  ])('at a URL that names no path is NotAllowed: …%s', async (end, reason) => {
    const refused = open(`${url()}${end}`)
    await expect(refused).rejects.toMatchObject({ name: 'NotAllowed' })
    await expect(refused).rejects.toThrow(`not the URL of a file of this machine (`)
    await expect(refused).rejects.toThrow(reason)
  })

  it('of another host is NotAllowed, whatever is allowed here', async () => {
    await expect(open('file://host/share', ['file:///'])).rejects.toMatchObject({ name: 'NotAllowed' })
  })

  it.each(['model.safetensors.index.json', 'config.json'])(
    'whose %s is a FIFO is ModelUnavailable, and nobody waits for its writer',
    async (name) => {
      await fill(Object.keys(files).filter((other) => other !== name))
      execFileSync('mkfifo', [join(folder, name)])
      const taken = async () => {
        for (const { bring } of (await open(url())).files)
          await bring(join(folder, 'copy'), new AbortController().signal)
      }
      await expect(taken()).rejects.toMatchObject({ name: 'ModelUnavailable' })
      await expect(taken()).rejects.toThrow(`${name} is not a file`)
    },
  )

  it.each([
    ['EMFILE', 'Error'],
    ['EIO', 'Error'],
    ['ESTALE', 'Error'],
    ['EACCES', 'ModelUnavailable'],
  ])('whose list ends in %s is %s: what a machine is short of passes', async (code, name) => {
    disk.fails = code
    const opened = open(url())
    await expect(opened).rejects.toMatchObject(name === 'Error' ? { name, code } : { name })
    disk.fails = null
  })

  it.each([
    [
      10 * 4096 + 1,
      { name: 'ModelUnavailable' },
      'the size of the disk of the cache, 40960 bytes, found 40961',
    ],
    [4 * 4096 + 1, { name: 'Error', code: 'ENOSPC' }, 'what is free on the disk of the cache, 16384 bytes'],
  ])('of %i sparse bytes is refused before a disk of 10 blocks is full', async (bytes, fault, said) => {
    await fill(Object.keys(files))
    await truncate(join(folder, 'model-1.safetensors'), bytes)
    const weights = (await open(url())).files.find(({ name }) => name === 'model-1.safetensors')
    disk.blocks = [10, 4]
    const brought = weights?.bring(join(folder, 'copy'), new AbortController().signal)
    await expect(brought).rejects.toMatchObject(fault)
    await expect(brought).rejects.toThrow(said)
    disk.blocks = [0, 0]
    expect(existsSync(join(folder, 'copy'))).toBe(false)
  })

  it('that is not there is ModelUnavailable', async () => {
    await expect(open(`${url()}/gone`)).rejects.toMatchObject({ name: 'ModelUnavailable' })
  })
})

describe('other names', () => {
  it('of a nano model that does not exist list those that do', async () => {
    await expect(open('nano/poet')).rejects.toThrow('model nano/poet: not there, known: ')
  })

  it.each(['http://example.org/model', 'coder', 'hf://owner', 'hf://owner/name'])(
    '%s are refused with what is expected',
    async (model) => {
      await expect(open(model)).rejects.toThrow('expected ')
    },
  )
})

describe('a model on the Hub', () => {
  let server: Server
  let asked: { path: string; authorization: string | undefined }[]
  /** What it does to the next requests for a path, one after another; then it serves. */
  let faults: (number | 'close')[]
  let faulty: string
  beforeEach(async () => {
    asked = []
    faults = []
    faulty = ''
    server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? '')
      asked.push({ path, authorization: request.headers.authorization })
      const fault = path.includes(faulty) ? faults.shift() : undefined
      if (fault === 'close') return request.socket.destroy()
      if (fault !== undefined) return response.writeHead(fault).end('not now')
      const json = (value: unknown) =>
        response.setHeader('content-type', 'application/json').end(JSON.stringify(value))
      const name = path.split('/').at(-1) ?? ''
      if (path.includes('/api/models/o/m/tree/')) {
        return json(
          Object.entries(files).map(([path, text]) => ({ type: 'file', path, size: text.length, oid: 'x' })),
        )
      }
      if (path.includes('/api/models/o/m'))
        return json({
          id: 'o/m',
          _id: '1',
          modelId: 'o/m',
          sha,
          private: false,
          gated: false,
          downloads: 0,
          likes: 0,
          lastModified: '2026-01-01',
        })
      const text = files[name]
      if (text === undefined || !path.includes(sha)) return response.writeHead(404).end()
      const [from = 0, to = text.length - 1] =
        /bytes=(\d+)-(\d+)/
          .exec(request.headers.range ?? '')
          ?.slice(1)
          .map(Number) ?? []
      response.writeHead(206, {
        etag: '"e"',
        'content-range': `bytes ${from}-${to}/${text.length}`,
        'content-length': to - from + 1,
      })
      return response.end(text.slice(from, to + 1))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  const openHub = () => {
    const { port } = server.address() as AddressInfo
    const hub = { endpoint: `http://127.0.0.1:${port}`, token: 'hf_secret' }
    return openSource('hf://o/m@main', { allow: [], readIndex, hub })
  }

  it('is read at the commit its revision stands for, with the token, file by file', async () => {
    const source = await openHub()
    expect(source.pinned).toBe(`hf://o/m@${sha}`)
    expect(source.files.map(({ name }) => name)).toContain('model-2.safetensors')
    const to = join(folder, 'weights')
    await source.files
      .find(({ name }) => name === 'model-2.safetensors')
      ?.bring(to, new AbortController().signal)
    expect(await readFile(to, 'utf8')).toBe('two')
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer hf_secret']))
  })

  const places = [
    ['its revision', '/revision/main'],
    ['the list of its files', '/tree/'],
    ['its index', 'model.safetensors.index.json'],
    ['its weights', 'model-2.safetensors'],
  ] as const
  const takeIn = async () => {
    const { files } = await openHub()
    for (const { name, bring } of files) await bring(join(folder, name), new AbortController().signal)
  }

  it.each(places)('that has a fault of the moment at %s is asked again, and then serves', async (_, path) => {
    faulty = path
    faults = [429, 503, 408, 'close']
    for (const said of [
      /the Hub says .*429/,
      /503/,
      /408/,
      /the Hub does not answer \(.*other side closed/,
    ]) {
      const failing = takeIn()
      await expect(failing).rejects.toMatchObject({ name: 'HubUnavailable' })
      await expect(failing).rejects.toThrow(said)
    }
    await takeIn()
    expect(await readFile(join(folder, 'model-2.safetensors'), 'utf8')).toBe('two')
  })

  it.each(places)('that refuses %s is ModelUnavailable, with what it says', async (_, path) => {
    faulty = path
    for (const status of [401, 403, 404]) {
      faults = [status]
      const failing = takeIn()
      await expect(failing).rejects.toMatchObject({ name: 'ModelUnavailable' })
      await expect(failing).rejects.toThrow(`the Hub says Api error with status ${status}`)
    }
  })

  it('that is not there at all passes', async () => {
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const hub = { endpoint: `http://127.0.0.1:${port}` }
    await expect(openSource('hf://o/m@main', { allow: [], readIndex, hub })).rejects.toMatchObject({
      name: 'HubUnavailable',
    })
  })
})
