import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadProblems, type Reach } from './loading.ts'

let folder: string
const unreachable = () => Promise.reject(new Error('no network'))
type Within = Pick<Reach, 'folder' | 'fetch'>
const local = (): Within => ({ folder, fetch: unreachable })
const generated: Within = { folder: null, fetch: unreachable }
const write = (name: string, rows: readonly object[]) =>
  writeFile(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-data-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('problems that are made here', () => {
  it('nano has 1,600 to train and 320 to test', async () => {
    expect(await loadProblems({ name: 'nano' }, generated)).toHaveLength(1600)
    expect(await loadProblems({ name: 'nano', split: 'test' }, generated)).toHaveLength(320)
  })

  it('arithmetic has 500 to test, 100 a level, none of them among those to train', async () => {
    const test = await loadProblems({ name: 'arithmetic', split: 'test' }, generated)
    const train = await loadProblems({ name: 'arithmetic', limit: 2000 }, generated)
    expect([test.length, train.length]).toEqual([500, 2000])
    expect(test.filter(({ level }) => level === 3)).toHaveLength(100)
    const asked = new Set(test.map(({ problem }) => problem))
    expect(train.filter(({ problem }) => asked.has(problem))).toEqual([])
  })

  it('arithmetic answers with products first: the digits of each problem, evaluated', async () => {
    for (const { problem, answer } of await loadProblems({ name: 'arithmetic', split: 'test' }, generated)) {
      const terms = problem.slice('Compute '.length, -1).split(/ (?=[+-] )/)
      const sum = terms.reduce((total, term) => {
        const factors = (term.match(/\d+/g) ?? []).map(Number)
        const product = factors.reduce((result, factor) => result * factor, 1)
        return term.startsWith('-') ? total - product : total + product
      }, 0)
      expect(Number(answer)).toBe(sum)
    }
  })
})

describe('problems in a folder', () => {
  const row = { id: '0', problem: 'What is $1+1$?', answer: '2' }

  it('are read as they stand; a number as id becomes text', async () => {
    await write('amc.jsonl', [row, { ...row, id: 1, subject: 'sums' }])
    expect(await loadProblems({ name: 'amc' }, local())).toEqual([row, { ...row, id: '1', subject: 'sums' }])
  })

  it('of deepscaler are five files, levels in the ids, and where chooses among them', async () => {
    for (let level = 1; level <= 5; level++) await write(`deepscaler-level-${level}.jsonl`, [row])
    const all = await loadProblems({ name: 'deepscaler' }, local())
    expect(all.map(({ id }) => id)).toEqual(['1-0', '2-0', '3-0', '4-0', '5-0'])
    const some = await loadProblems({ name: 'deepscaler', where: { level: [2, 4] } }, local())
    expect(some.map(({ level }) => level)).toEqual([2, 4])
    const one = await loadProblems({ name: 'deepscaler', only: ['3-0'] }, local())
    expect(one.map(({ id }) => id)).toEqual(['3-0'])
  })

  it.each([
    ['no answer', [row, { id: '1', problem: 'x' }], ':2: no column "answer", found id, problem'],
    ['an empty answer', [{ ...row, answer: ' ' }], ':1: column "answer" is empty'],
    ['an answer that is a number', [{ ...row, answer: 2 }], ':1: column "answer" is number, expected text'],
    ['the same id twice', [row, row], /:2: its id is already at .*:1$/],
    ['a row that is a list', [[]], ':1: expected an object, found an array'],
    ['nothing', [], ': no problems'],
  ])('with %s are refused by file and line', async (_, rows, message) => {
    await write('aime-2024.jsonl', rows)
    await expect(loadProblems({ name: 'aime-2024' }, local())).rejects.toMatchObject({
      name: 'InvalidData',
      message: expect.stringMatching(typeof message === 'string' ? literal(message) : message) as string,
    })
  })

  it('that are not JSON are refused by file and line', async () => {
    await writeFile(join(folder, 'aime-2025.jsonl'), `${JSON.stringify(row)}\n\n{"id": "1",\n`)
    await expect(loadProblems({ name: 'aime-2025' }, local())).rejects.toThrow('aime-2025.jsonl:3: not JSON')
  })
})

describe('problems from their pinned home', () => {
  const answering = (body: string, status = 200): Within => ({
    folder: null,
    fetch: () => Promise.resolve(new Response(body, { status })),
  })

  it('are refused when they are not those that were pinned', async () => {
    await expect(loadProblems({ name: 'amc' }, answering('[]'))).rejects.toThrow(
      /SHA-256 expected c343f64e\w+, found 4f53cda1\w+/, // SHA-256 of "[]"
    )
  })

  it('say what to do without network', async () => {
    const advice = 'set PLACEBO_DATA_DIR to a folder with math-500.jsonl'
    await expect(loadProblems({ name: 'math-500' }, generated)).rejects.toThrow(advice)
    await expect(loadProblems({ name: 'math-500' }, answering('', 503))).rejects.toThrow(/HTTP 503; set/)
  })
})

describe('a filter', () => {
  it('that cannot match is an error, never an empty set', async () => {
    const load = (data: object) => loadProblems({ name: 'nano', ...data }, generated)
    await expect(load({ where: { levle: 3 } })).rejects.toThrow('nano: where.levle: no such column')
    await expect(load({ where: { c: 12 } })).rejects.toThrow('none of 1600 problems')
    await expect(load({ only: ['1+1'] })).rejects.toThrow('no problem "1+1" among 1600')
  })

  it('takes the first of what is left: 100 training problems with c = 9', async () => {
    const nines = await loadProblems({ name: 'nano', where: { c: 9 }, limit: 100 }, generated)
    expect(nines).toHaveLength(100)
    expect(new Set(nines.map(({ c }) => c))).toEqual(new Set([9]))
  })
})

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
}
