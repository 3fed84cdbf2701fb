/** What a user's `data` may say, and its files may hold, that must end in an answer by name. */
import { execFileSync } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { arithmetic, requireAsked, trainingSize } from '../../activities/benchmarks/arithmetic.ts'
import { bring } from '../../activities/benchmarks/bring.ts'
import { findingsIn } from '../../activities/benchmarks/findings.ts'
import { loadLocal } from '../../activities/benchmarks/load.ts'
import { writeProblems } from '../../activities/benchmarks/write.ts'
import { canonical, digestOf } from '../../activities/checkpoint/canonical.ts'
import { DataSpec } from '../../activities/contracts.ts'
import { inFolder, load, loadBytes, quiet } from './loading.ts'

const lines = (...rows: unknown[]) => Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
const source = 'file:///x'
const row = { id: '1', problem: 'p', answer: 'a' }
const made = { folder: null, fetch: () => Promise.reject(new Error('no network')) }

describe('a line of JSON Lines', () => {
  const after = (bytes: Uint8Array | string) => Buffer.concat([lines(row), Buffer.from(bytes)])
  it.each<[why: string, bytes: Buffer, message: string]>([
    ['is not UTF-8', after(Uint8Array.of(0x7b, 0xff, 0x7d)), 'x:2: is not UTF-8'],
    ['is NUL bytes', after('\0\0\0'), 'x:2: not JSON'],
    ['is cut', after('{"id":"2","problem":"p","ans'), 'x:2: not JSON'],
    ['is nested 100,000 deep and cut', after('['.repeat(1e5)), 'x:2: not JSON'],
    ['is nested 100,000 deep', after('['.repeat(1e5) + ']'.repeat(1e5)), 'x:2: expected an object, found an array'],
    ['answers with 1e999', after('{"id":"2","problem":"p","answer":1e999}'), 'x:2: column "answer" is Infinity, expected text'],
    ['is longer than 16 MiB', after(Buffer.alloc(2 ** 24 + 1, 32)), 'x:2: is longer than 16 MiB'],
    ['has its columns in __proto__', after('{"__proto__":{"id":"2","problem":"p","answer":"a"}}'), 'x:2: no column "id", found __proto__'],
  ])('that %s is InvalidData by its number', async (_, bytes, message) => {
    const loading = loadBytes(bytes, { source })
    await expect(loading).rejects.toMatchObject({ name: 'InvalidData' })
    await expect(loading).rejects.toThrow(message)
  }) // prettier-ignore

  it('may begin with a byte order mark and end as Windows ends lines', async () => {
    const bytes = Buffer.from(`\ufeff${JSON.stringify(row)}\r\n\r\n${JSON.stringify({ ...row, id: '2' })}`)
    const { problems, places } = await loadBytes(bytes, { source })
    expect(problems.map(({ id }) => id)).toEqual(['1', '2'])
    expect(places.get('2')).toBe('file:///x:3')
  })

  it('is the same wherever a file is cut in reading: 30,000 lines, more than a MiB', async () => {
    const many = Array.from({ length: 30_000 }, (_, i) => ({
      id: `é${i}`,
      problem: `${i} is what?`,
      answer: 'a',
    }))
    const { problems } = await loadBytes(lines(...many), { source })
    expect(problems).toEqual(many)
  })

  it.each(['id', 'problem', 'answer', 'level'])(
    'with half of a character in its %s is refused there',
    async (name) => {
      const bytes = lines({ ...row, level: 'é😀' }, { ...row, id: '2', level: 'x', [name]: 'a\ud800b' })
      const loading = loadBytes(bytes, { source, columns: { level: 'level' } })
      await expect(loading).rejects.toMatchObject({ name: 'InvalidData' })
      await expect(loading).rejects.toThrow(`x:2: column "${name}" holds half of a character`)
    },
  )

  it('keeps no number that JSON cannot hold', async () => {
    const bytes = Buffer.from('{"id":"1","problem":"p","answer":"a","level":1e999}')
    await expect(loadBytes(bytes, { source, columns: { level: 'level' } })).rejects.toThrow(
      'x:1: column "level" is Infinity, expected text or a finite number',
    )
  })
})

describe('names that every object has', () => {
  it.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])(
    'where.%s is no column',
    async (name) => {
      const where = JSON.parse(`{"${name}":"x"}`) as Record<string, string>
      await expect(load({ name: 'nano', where }, made)).rejects.toThrow(`nano: where.${name}: no such column`)
      await expect(loadBytes(lines(row), { source, where })).rejects.toThrow(
        `x:1: no column "${name}", found id`,
      )
    },
  )

  it('are columns where a file has them', async () => {
    const bytes = Buffer.from('{"__proto__":"p","constructor":"a","toString":"2"}')
    const columns = { problem: '__proto__', answer: 'constructor', id: 'toString', valueOf: 'toString' }
    const { problems } = await loadBytes(bytes, { source, columns })
    expect(problems).toEqual([{ id: '2', problem: 'p', answer: 'a', valueOf: '2' }])
  })
})

describe('a spec with __proto__ for a name', () => {
  it.each(['columns', 'where'])('is refused, in %s too, where it would say nothing', (field) => {
    const given = JSON.parse(`{"source":"file:///x","${field}":{"__proto__":"x"}}`) as object
    const { error } = DataSpec.safeParse(given)
    expect(error?.issues).toMatchObject([{ path: [field], message: 'expected a name, found __proto__' }])
  })
})

describe('a limit', () => {
  const cut = Buffer.concat([
    lines(...Array.from({ length: 20 }, (_, i) => ({ ...row, id: `${i}` }))),
    Buffer.alloc(2 ** 20, 10),
    Buffer.from('{'),
  ])
  it('reads no further than it must: what is wrong a MiB behind is not met', async () => {
    expect((await loadBytes(cut, { source, limit: 20 })).problems).toHaveLength(20)
    await expect(loadBytes(cut, { source, limit: 21 })).rejects.toThrow(': not JSON')
    await expect(loadBytes(cut, { source, limit: 20, shuffle: 1 })).rejects.toThrow(': not JSON')
  })

  it('reads on while a column that is kept has not been seen', async () => {
    const late = { ...row, id: 'late', hint: 'h' }
    const bytes = Buffer.concat([lines(row), Buffer.alloc(2 ** 20, 10), lines(late)])
    const { problems } = await loadBytes(bytes, { source, limit: 1, columns: { hint: 'hint' } })
    expect(problems).toEqual([row])
  })

  it('takes the same first problems of a shuffle as without it', async () => {
    const many = lines(...Array.from({ length: 50 }, (_, i) => ({ ...row, id: `${i}` })))
    const all = (await loadBytes(many, { source, shuffle: 5 })).problems
    expect((await loadBytes(many, { source, shuffle: 5, limit: 7 })).problems).toEqual(all.slice(0, 7))
  })
})

describe('copies', () => {
  const copies = lines(
    { uid: 'a', problem: '1+1?', answer: '2' },
    { uid: 'b', problem: '1+2?', answer: '3' },
    { uid: 'a', problem: '1+1?', answer: '2' },
    { uid: 'c', problem: '1+1? ', answer: '2' }, // another text, and the same statement as it is read
    { uid: 'd', problem: '1+2?', answer: '3' },
  )
  const columns = { id: 'uid' }

  it('are dropped where the spec says so: the first is kept, and their number is said', async () => {
    const checked = await loadBytes(copies, { source, columns, duplicates: 'drop' })
    expect(checked.problems.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    const found = await findingsIn(checked, quiet)
    expect(found.dropped).toEqual({
      count: 2,
      first: ['file:///x:3: as file:///x:1', 'file:///x:5: as file:///x:2'],
    })
    expect(found.duplicates).toEqual({ count: 1, first: ['file:///x:4: as file:///x:1'] })
  })

  it('are an id twice, or said and kept, where it does not', async () => {
    await expect(loadBytes(copies, { source, columns })).rejects.toThrow(
      'x:3: its id is already at file:///x:1',
    )
    const checked = await loadBytes(copies, { source })
    expect(checked.problems).toHaveLength(5)
    expect(await findingsIn(checked, quiet)).toMatchObject({ duplicates: { count: 3 } })
    expect(await findingsIn(checked, quiet)).not.toHaveProperty('dropped')
  })

  it('with another answer are InvalidData, naming both', async () => {
    const bytes = lines({ problem: 'p', answer: '1' }, { problem: 'p', answer: '2' })
    await expect(loadBytes(bytes, { source, duplicates: 'drop' })).rejects.toThrow(
      'file:///x:2: has the statement of file:///x:1 with another answer',
    )
  })

  it('do not count towards a limit, and leave a spec without the word as it was', async () => {
    const { problems } = await loadBytes(copies, { source, columns, duplicates: 'drop', limit: 3 })
    expect(problems.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(DataSpec.safeParse({ name: 'nano', duplicates: 'keep' }).success).toBe(false)
    expect(DataSpec.parse({ name: 'nano' })).toEqual({ name: 'nano' })
  })
})

describe('arithmetic', () => {
  it('has as many training problems as level 1 allows: 5 x (99 x 209 - 100)', () => {
    expect(trainingSize).toBe(102_955)
    expect(() => arithmetic('train', 102_956)).toThrow(
      'arithmetic has 102955 training problems, limit asks for 102956',
    )
  })

  it('has its first 10,000, and its test split, as they were before', () => {
    expect(digestOf(arithmetic('train', 10_000))).toBe(firstTraining)
    expect(digestOf(arithmetic('test', 500))).toBe(testSplit)
  })

  it('ends in InvalidData where a limit asks for more than there are, and gives all where it does not', async () => {
    const asking = (data: object) => load({ name: 'arithmetic', ...data }, made)
    await expect(asking({ limit: 200_000 })).rejects.toMatchObject({ name: 'InvalidData' })
    await expect(asking({ limit: 102_956 })).rejects.toThrow('arithmetic has 102955 training problems')
    expect((await asking({ limit: 25_000 })).problems).toHaveLength(25_000)
    expect((await asking({ split: 'test', limit: 25_000 })).problems).toHaveLength(500)
    // All of them are drawn for a filter that leaves a fifth of them: 20,591 of level 1.
    expect(() => requireAsked({ where: { level: 1 }, limit: 25_000 }, trainingSize / 5)).toThrow(
      'arithmetic has 20591 training problems where {"level":1}, limit asks for 25000',
    )
  }, 30_000)
})

describe('a source on this machine', () => {
  const bringing = (url: string, folder: string) =>
    bring(
      { source: url },
      { allow: [pathToFileURL(folder).href, 'file:///dev'], hub: {}, ...made },
      () => Promise.reject(new Error('nothing is written')),
      quiet,
    )

  it('is a regular file: a FIFO, a device, a folder are refused by name, at once', async () => {
    await inFolder(async (folder) => {
      execFileSync('mkfifo', [join(folder, 'fifo')])
      await mkdir(join(folder, 'folder'))
      await symlink(join(folder, 'fifo'), join(folder, 'link'))
      const url = (name: string) => `${pathToFileURL(folder).href}/${name}`
      for (const [name, what] of [
        ['fifo', 'a FIFO'],
        ['link', 'a FIFO'],
        ['folder', 'a directory'],
      ] as const) {
        const bringing_ = bringing(url(name), folder)
        await expect(bringing_).rejects.toMatchObject({ name: 'InvalidData' })
        await expect(bringing_).rejects.toThrow(
          `${name}: cannot be read (it is ${what}, expected a regular file)`,
        )
        const files = [{ path: join(folder, name), name }]
        await expect(loadLocal({ source: name }, files, quiet)).rejects.toThrow(`it is ${what}`)
      }
      await expect(bringing('file:///dev/zero', folder)).rejects.toThrow(
        'it is a device, expected a regular file',
      )
      await writeFile(join(folder, 'file'), lines(row))
      expect(await bringing(url('file'), folder)).toMatchObject([
        { path: join(folder, 'file'), name: url('file') },
      ])
    })
  })

  it.each([
    ['a slash in a name', '/a%2Fb'],
    ['a NUL byte', '/a%00b'],
    ['half an escape', '/a%E0%A4%A'],
    ['a name that is too long', `/${'a'.repeat(300)}`],
  ])('with %s in it is InvalidData', async (_, path) => {
    await inFolder(async (folder) => {
      await expect(bringing(pathToFileURL(folder).href + path, folder)).rejects.toMatchObject({
        name: 'InvalidData',
      })
    })
  })
})

describe('problems on their way into the store', () => {
  it('are written as the canonical JSON of them all', async () => {
    await inFolder(async (folder) => {
      const { problems } = await load({ name: 'nano' }, made)
      await writeProblems(problems, join(folder, 'problems'), quiet)
      expect(await readFile(join(folder, 'problems'), 'utf8')).toBe(canonical(problems))
    })
  })
})

const firstTraining = '1b4e2cad95d998cda131150b1a1ddad1bfcb9555a4ccdb9587c6eb5f62cc17cf'
const testSplit = '31c7b46e1f755342c9c0b89bb6efb795672da1cfc1a302200487b4a5583b5664'
