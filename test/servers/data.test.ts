import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Client, Connection, WorkflowFailedError } from '@temporalio/client'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readDocument, requireDocument } from '../../activities/checkpoint/documents.ts'
import * as keys from '../../activities/checkpoint/keys.ts'
import { openStore } from '../../activities/checkpoint/open.ts'
import type { Store } from '../../activities/checkpoint/store.ts'
import { DataDocument, OverlapDocument, RunDocument, SpecDocument } from '../../activities/contracts.ts'
import { problems } from '../../activities/nano/problems.ts'
import { bucket } from '../../infra/servers.ts'
import { startStack, type Stack } from '../../infra/stack.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { train } from '../../workflows/train.ts'

let folder: string
let stack: Stack
let client: Client
let connection: Connection
let store: Store
const before = { ...process.env }
const own = () => join(folder, 'own')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-data-'))
  await mkdir(own())
  const env = { PLACEBO_ALLOW: `${own()},s3://${bucket}/own`, PLACEBO_THREADS: '1' }
  const workers = (['light', 'compute'] as const).map((role) => ({ role, env }))
  stack = await startStack({ folder: join(folder, 'stack'), ports: 'free', workers, report: () => {} })
  for (const [name, value] of Object.entries(stack.env))
    if (name.startsWith('AWS_') && value !== undefined) process.env[name] = value
  store = await openStore(stack.storeUrl)
  connection = await Connection.connect({ address: stack.temporalAddress })
  client = new Client({ connection })
})
afterAll(async () => {
  await connection.close()
  await store.close()
  await stack.stop()
  process.env = before
  await rm(folder, { recursive: true, force: true })
})

// Eight to learn from; the last is a test problem of nano, and so is said to be in the benchmark.
const rows = [...problems('train').slice(0, 7), ...problems('test').slice(0, 1)].map(
  ({ problem, answer }, i) => ({ uid: `own-${i}`, question: problem, gold: answer, part: i % 2 }),
)
const columns = { problem: 'question', answer: 'gold', id: 'uid' }
const start = (workflowId: string, data: object, steps = 1, more: object = {}) =>
  client.workflow.start<typeof train>('train', {
    taskQueue: taskQueues.light,
    workflowId,
    args: [
      {
        preset: 'demo',
        model: 'nano/coder',
        reward: 'ground-truth',
        steps,
        batch: { problems: 8, group: 2, minibatch: 16 },
        evaluate: { every: 0, limit: 4, samples: 1 },
        data: { columns, ...data },
        ...more,
      },
    ],
  })
const failureOf = async (workflowId: string, data: object) => {
  const handle = await start(workflowId, data)
  const error: unknown = await handle.result().then(
    () => null,
    (error: unknown) => error,
  )
  let cause = error instanceof WorkflowFailedError ? error.cause : undefined
  while (cause?.cause instanceof Error && cause.cause.message !== '') cause = cause.cause
  return cause?.message
}

describe('a run on a file of the user’s own', () => {
  it('learns from its problems, says what they share with the benchmark, and goes on when the file is gone', async () => {
    const path = join(own(), 'x.jsonl')
    await writeFile(path, [...rows, rows[0]].map((row, i) => JSON.stringify({ ...row, uid: i })).join('\n'))
    const source = pathToFileURL(path).href
    const first = await (await start('file', { source })).result()
    expect(first.steps).toBe(1)
    expect(first.notes).toEqual([
      `Data: 1 statements come again (${source}:9: as ${source}:1)`,
      'Data and benchmarks: nano: of 4 problems 1 are among the training data, 0 share 13 words with them',
    ])
    const overlap = await readDocument(store, keys.overlap('file'), OverlapDocument)
    expect(overlap?.overlaps[0]?.first).toEqual([
      { training: '7', benchmark: problems('test')[0]?.id, how: 'same' },
    ])
    await rm(path)
    const more = await (await start('file', { source }, 2)).result()
    expect([more.steps, more.notes]).toEqual([2, first.notes])
  })

  it('by majority keeps its labels, and their problems, when the file is gone', async () => {
    const path = join(own(), 'labelled.jsonl')
    await writeFile(path, rows.map((row) => JSON.stringify(row)).join('\n'))
    const data = { source: pathToFileURL(path).href }
    const by = { reward: 'majority', labels: { samples: 4 } }
    await (await start('labelled', data, 1, by)).result()
    await rm(path)
    expect((await (await start('labelled', data, 2, by)).result()).steps).toBe(2)
    const { specs } = await requireDocument(store, keys.run('labelled'), RunDocument)
    const [first, second] = await Promise.all(specs.map((key) => requireDocument(store, key, SpecDocument)))
    expect(second?.problems).toEqual(first?.problems)
    const { labelled } = await requireDocument(store, second?.data ?? '', DataDocument)
    const { labelled: none, count } = await requireDocument(store, labelled?.from ?? '', DataDocument)
    expect([none, count]).toEqual([undefined, 8])
  })

  it('is the same run from Parquet in a bucket', async ({ skip }) => {
    if (stack.s3Endpoint === null) return skip()
    const wanted = rows.filter(({ part }) => part === 1)
    const path = join(own(), 'half.jsonl')
    await writeFile(path, wanted.map((row) => JSON.stringify(row)).join('\n'))
    const columnData = (['uid', 'question', 'gold', 'part'] as const).map((name) => ({
      name,
      data: rows.map((row) => row[name]),
    }))
    const objects = await openStore(`s3://${bucket}/own`)
    await objects.replace('x.parquet', new Uint8Array(parquetWriteBuffer({ columnData })))
    await objects.close()
    await (await start('half', { source: pathToFileURL(path).href, where: { part: 1 } })).result()
    await (await start('bucket', { source: `s3://${bucket}/own/x.parquet`, where: { part: 1 } })).result()
    const digestOf = async (run: string) => {
      const { specs } = await requireDocument(store, keys.run(run), RunDocument)
      return (await requireDocument(store, specs[0] ?? '', SpecDocument)).problems.digest
    }
    expect(await digestOf('bucket')).toBe(await digestOf('half'))
  })

  it('is told before it samples which answers nobody can give; a file of nothing else is refused', async () => {
    const path = join(own(), 'golds.json')
    const golds = rows.map((row, i) => ({
      ...row,
      gold: i === 1 ? 'proof' : i === 2 ? [row.gold, '-1'] : row.gold,
    }))
    await writeFile(path, JSON.stringify(golds, null, 2))
    const source = pathToFileURL(path).href
    const { notes } = await (await start('golds', { source })).result()
    expect(notes?.slice(0, 1)).toEqual([
      `Data: 1 answers say that there is none (${source}, item 2: "proof")`,
    ])
    expect(notes).toContain('Reward: 1 of 8 problems (12.5%) can never be rewarded by ground-truth')
    const { specs } = await requireDocument(store, keys.run('golds'), RunDocument)
    expect((await requireDocument(store, specs[0] ?? '', SpecDocument)).format).toBe(2)
    expect(await failureOf('proofs', { source, where: { gold: 'proof' } })).toMatch(
      /^reward ground-truth: expected problems that can be rewarded, found none among 1 \(.*item 2: "proof"\): choose others/,
    )
    // In the same file another reward has something to learn from, and a group of 1 has not.
    const of = async (run: string, more: object) => (await start(run, { source }, 1, more)).result()
    expect((await of('format', { reward: 'format' })).notes?.join()).not.toContain('Reward')
    const alone = of('alone', { batch: { problems: 8, group: 1, minibatch: 16 } })
    const message = expect.stringContaining('batch.group: expected at least 2 in training') as string
    await expect(alone).rejects.toMatchObject({ cause: { cause: { message } } })
  })

  it('is refused by file and line where the file is broken, and by name where it is not allowed', async () => {
    const path = join(own(), 'broken.jsonl')
    await writeFile(path, [...rows, { uid: 'x', question: 'y' }].map((row) => JSON.stringify(row)).join('\n'))
    expect(await failureOf('broken', { source: pathToFileURL(path).href })).toBe(
      `${pathToFileURL(path).href}:9: no column "gold" (columns.answer), found uid, question ("badRows": "skip" leaves such rows out)`,
    )
    expect(await failureOf('forbidden', { source: 'file:///etc/hostname' })).toMatch(
      /^data file:\/\/\/etc\/hostname: not beneath what this worker allows/,
    )
  })
})
