import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arithmetic } from '../../activities/benchmarks/arithmetic.ts'
import { benchmarks } from '../../activities/benchmarks/protocols.ts'
import { select, type Selection } from '../../activities/benchmarks/select.ts'
import { sources } from '../../activities/benchmarks/sources.ts'
import { encode } from '../../activities/nano/tokenizer.ts'
import { loadBytes, loadProblems } from './loading.ts'

const line = (columns: object) => JSON.stringify(columns)
const parseJsonl = async (text: string, name: string) =>
  (await loadBytes(Buffer.from(text), { name: 'amc' }, { name })).problems
const parsePublished = async (text: string, name: string) =>
  (await loadBytes(Buffer.from(text), { name: 'amc' }, { name, published: true })).problems
const noNetwork = () => Promise.reject(new Error('no network'))

describe('problems from JSON Lines', () => {
  it('keep id, problem, answer and every other column of text or number', async () => {
    const text = `${line({ id: 7, problem: 'p', answer: 'a', level: 3, tags: ['x'] })}\n\n`
    expect(await parseJsonl(text, 'f')).toEqual([{ id: '7', problem: 'p', answer: 'a', level: 3 }])
  })

  const good = line({ id: '1', problem: 'p', answer: 'a' })
  it.each([
    [`${good}\n{`, 'f:2: not JSON', 'broken JSON'],
    [
      `${good}\n${line({ id: '2', problem: 'p' })}`,
      'f:2: no column "answer", found id, problem',
      'a missing column',
    ],
    [`${good}\n\n${good}`, 'f:3: its id is already at f:1', 'an id twice'],
    [line({ id: '1', problem: 'p', answer: ' ' }), 'f:1: column "answer" is empty', 'an empty answer'],
    [
      line({ id: '1', problem: 'p', answer: 3 }),
      'f:1: column "answer" is number, expected text',
      'a number for an answer',
    ],
    ['[1]', 'f:1: expected an object, found an array', 'no object'],
    ['', 'f: no problems', 'nothing'],
  ])('%j: %s', async (text, message) => {
    await expect(parseJsonl(text, 'f')).rejects.toThrow(message)
  })
})

describe('problems as published', () => {
  it('are an array whose problem is called prompt', async () => {
    const text = JSON.stringify([{ id: '0', prompt: 'p', answer: 'a', source: 's' }])
    expect(await parsePublished(text, 'u')).toEqual([{ id: '0', problem: 'p', answer: 'a', source: 's' }])
    await expect(parsePublished('{}', 'u')).rejects.toThrow('u: expected a JSON array, found object')
    await expect(parsePublished('[{"id":"0","answer":"a"}]', 'u')).rejects.toThrow(
      'u, item 1: no column "problem", found id, answer',
    )
  })
})

type Row = [selection: Selection, expected: string[], why: string]

describe('a selection', () => {
  const problems = [1, 2, 3, 1].map((level, i) => ({ id: String(i), problem: 'p', answer: 'a', level }))
  const ids = (selection: Selection) => select(problems, selection, 'set').map(({ id }) => id)

  it.each<Row>([
    [{ where: { level: 1 } }, ['0', '3'], 'one value'],
    [{ where: { level: ['1', 2] } }, ['0', '1', '3'], 'several, text or number'],
    [{ only: ['2', '0'] }, ['2', '0'], 'ids, in their order'],
    [{ limit: 2 }, ['0', '1'], 'the first'],
    [{ where: { level: 1 }, limit: 1 }, ['0'], 'both'],
    [{}, ['0', '1', '2', '3'], 'all'],
  ])('%j takes %j: %s', (selection, expected) => {
    expect(ids(selection)).toEqual(expected)
  })

  it('shuffles by seed, before it takes the first', () => {
    const shuffled = ids({ shuffle: 3 })
    expect(shuffled.toSorted()).toEqual(['0', '1', '2', '3'])
    expect(ids({ shuffle: 3, limit: 2 })).toEqual(shuffled.slice(0, 2))
  })

  it.each([
    [{ where: { size: 1 } }, 'set: where.size: no such column, there are id, problem, answer, level'],
    [{ where: { level: 9 } }, 'set: where {"level":9}: none of 4 problems'],
    [{ only: ['9'] }, 'set: only: no problem "9" among 4'],
  ])('%j is refused', (selection, message) => {
    expect(() => ids(selection)).toThrow(message)
  })
})

describe('arithmetic', () => {
  const test = arithmetic('test', 1)
  const train = arithmetic('train', 3000)

  it('has a test split of 500 that no training problem repeats', () => {
    expect(test).toHaveLength(500)
    expect(train).toHaveLength(3000)
    const reserved = new Set(test.map(({ problem }) => problem))
    expect(reserved.size).toBe(500)
    expect(train.filter(({ problem }) => reserved.has(problem))).toEqual([])
  })

  it('grows without changing: the first problems of a larger set are those of a smaller one', () => {
    expect(arithmetic('train', 100)).toEqual(train.slice(0, 100))
    expect(arithmetic('test', 9999)).toEqual(test)
  })

  it('has right answers and as many operators as its level', () => {
    for (const { problem, answer, level } of [...test, ...train.slice(0, 500)]) {
      const expression = /^Compute ([\d +*-]+)\.$/.exec(problem)?.[1] ?? ''
      const [first = '', ...rest] = expression.split(' ')
      const terms = [BigInt(first)] // a product works on the last term, a sum opens another
      for (let i = 0; i < rest.length; i += 2) {
        const number = BigInt(rest[i + 1] ?? '')
        terms.push(rest[i] === '*' ? (terms.pop() ?? 0n) * number : rest[i] === '-' ? -number : number)
      }
      expect(answer).toBe(String(terms.reduce((sum, term) => sum + term, 0n)))
      expect(expression.split(/ [+*-] /)).toHaveLength(Number(level) + 1)
    }
  })

  it('can be written in the nano alphabet', () => {
    expect(() => test.map(({ problem }) => encode(problem))).not.toThrow()
  })
})

describe('loading', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'placebo-data-'))
    for (const level of [1, 2, 3, 4, 5])
      await writeFile(
        join(folder, `deepscaler-level-${level}.jsonl`),
        [0, 1].map((id) => line({ id: String(id), problem: `p${id}`, answer: 'a' })).join('\n'),
      )
    await writeFile(join(folder, 'amc.jsonl'), '{"id":"0"}')
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('makes nano and arithmetic itself, each with two splits', async () => {
    const reach = { folder: null, fetch: noNetwork }
    expect(await loadProblems({ name: 'nano' }, reach)).toHaveLength(1600)
    expect(await loadProblems({ name: 'nano', split: 'test' }, reach)).toHaveLength(320)
    expect(await loadProblems({ name: 'arithmetic', split: 'test' }, reach)).toHaveLength(500)
    expect(await loadProblems({ name: 'arithmetic', where: { level: 2 }, limit: 30 }, reach)).toHaveLength(30)
  })

  it('reads a folder first; the files of one set keep their ids apart by level', async () => {
    const problems = await loadProblems(
      { name: 'deepscaler', where: { level: [2, 5] } },
      { folder, fetch: noNetwork },
    )
    expect(problems.map(({ id, level }) => [id, level])).toEqual([
      ['2-0', 2],
      ['2-1', 2],
      ['5-0', 5],
      ['5-1', 5],
    ])
  })

  it('names file, line and column of what is wrong in a folder', async () => {
    await expect(loadProblems({ name: 'amc' }, { folder, fetch: noNetwork })).rejects.toThrow(
      /amc\.jsonl:1: no column "problem", found id$/,
    )
  })

  it('asks the pinned home where the folder has no file, and says how to do without', async () => {
    await expect(loadProblems({ name: 'aime-2024' }, { folder, fetch: noNetwork })).rejects.toThrow(
      /no network; without network access, set PLACEBO_DATA_DIR to a folder with aime-2024\.jsonl/,
    )
    const asked: string[] = []
    const fetch = (url: string) => {
      asked.push(url)
      return Promise.resolve(new Response('[]'))
    }
    const digest = createHash('sha256').update('[]').digest('hex')
    await expect(loadProblems({ name: 'aime-2024' }, { folder: null, fetch })).rejects.toThrow(
      `SHA-256 expected ${sources['aime-2024'][0]?.sha256}, found ${digest}`,
    )
    expect(asked).toEqual([sources['aime-2024'][0]?.url])
    const missing = () => Promise.resolve(new Response('', { status: 404 }))
    await expect(loadProblems({ name: 'aime-2024' }, { folder: null, fetch: missing })).rejects.toThrow(
      'HTTP 404',
    )
  })
})

const real = process.env['PLACEBO_DATA_DIR'] ?? ''
describe.runIf(real !== '' && existsSync(join(real, 'math-500.jsonl')))('the paper’s sets', () => {
  it.each([
    ['math-500', 500],
    ['amc', 83],
    ['aime-2024', 30],
    ['aime-2025', 30],
    ['deepscaler', 39808],
  ] as const)('%s has %i problems', async (name, count) => {
    expect(await loadProblems({ name }, { folder: real, fetch: noNetwork })).toHaveLength(count)
  })
})

describe('protocols', () => {
  it('are the paper’s: greedy MATH-500, averages of 8 at 0.6 elsewhere', () => {
    expect(benchmarks['math-500']).toEqual({
      samples: 1,
      temperature: 0,
      topP: 1,
      maxTokens: 3072,
      extract: 'box',
    })
    for (const name of ['amc', 'aime-2024', 'aime-2025'] as const)
      expect(benchmarks[name]).toEqual({
        samples: 8,
        temperature: 0.6,
        topP: 1,
        maxTokens: 3072,
        extract: 'box',
      })
  })
})
