/** What a model's files leave open, through the whole: what a run is told, what it computes, what is exported. */
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Client, Connection, WorkflowFailedError } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPolicy } from '../../activities/policy/open.ts'
import { readTensor, writeSafetensors } from '../../activities/policy/safetensors.ts'
import { startStack, type Stack } from '../../infra/stack.ts'
import { taskQueues } from '../../temporal.config.ts'
import type { evaluate } from '../../workflows/evaluate.ts'
import type { exportCheckpoint } from '../../workflows/export.ts'
import type { label } from '../../workflows/label.ts'
import type { train } from '../../workflows/train.ts'
import { edited, filesOf, nanoFolder, type Change } from '../reading/folder.ts'

let folder: string
let stack: Stack
let client: Client
let connection: Connection
const models = () => join(folder, 'models')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placebo-models-'))
  mkdirSync(models())
  const env = { PLACEBO_ALLOW: models(), PLACEBO_THREADS: '1' }
  const workers = (['light', 'compute'] as const).map((role) => ({ role, env }))
  stack = await startStack({ folder: join(folder, 'stack'), ports: 'free', workers, report: () => {} })
  connection = await Connection.connect({ address: stack.temporalAddress })
  client = new Client({ connection })
})
afterAll(async () => {
  await connection.close()
  await stack.stop()
  await rm(folder, { recursive: true, force: true })
})

/** nano/coder with other files, where the workers may look. */
function model(name: string, changes: Readonly<Record<string, Change>>): string {
  renameSync(nanoFolder(changes), join(models(), name))
  return pathToFileURL(join(models(), name)).href
}
const small = {
  preset: 'demo',
  reward: 'ground-truth',
  steps: 1,
  batch: { problems: 4, group: 2, minibatch: 8 },
  evaluate: { every: 1, limit: 4, samples: 1 },
} as const
const run = <T extends (...args: never[]) => Promise<unknown>>(
  type: string,
  workflowId: string,
  spec: object,
) => client.workflow.execute(type, { taskQueue: taskQueues.light, workflowId, args: [spec] }) as ReturnType<T>
async function failureOf(result: Promise<unknown>): Promise<string> {
  const error: unknown = await result.then(
    () => expect.fail('it ended well'),
    (error: unknown) => error,
  )
  let cause = error instanceof WorkflowFailedError ? error.cause : undefined
  while (cause?.cause instanceof Error && cause.cause.message !== '') cause = cause.cause
  return cause?.message ?? ''
}

describe('a tied model with another head in its files', () => {
  it('is trained with both; the run is told, and the exported folder says and holds what was trained', async () => {
    const url = model('own-head', {})
    const path = join(models(), 'own-head')
    const { tensors } = await openPolicy(filesOf(path))
    const own = await Promise.all(
      [...tensors.values()].map(async ({ name, shape }) => ({ name, shape, data: await readTensor(tensors.get(name)!) })),
    )
    const embedding = own.find(({ name }) => name === 'model.embed_tokens.weight')!
    own.push({ name: 'lm_head.weight', shape: [64, 64], data: embedding.data.map((x) => 1.1 * x) })
    rmSync(join(path, 'model.safetensors'))
    await writeSafetensors(own, join(path, 'model'))

    const { notes } = await run<typeof train>('train', 'own-head', { ...small, model: url })
    expect(notes).toContainEqual(expect.stringContaining('lm_head.weight differs from its embedding'))
    const to = pathToFileURL(join(models(), 'exported')).href
    await run<typeof exportCheckpoint>('export', 'export', { checkpoint: 'own-head/1', to })
    const exported = filesOf(join(models(), 'exported'))
    const config = JSON.parse(readFileSync(join(models(), 'exported', 'config.json'), 'utf8')) as object
    expect(config).toMatchObject({ tie_word_embeddings: false })
    const trained = await openPolicy(exported)
    expect(trained.config.tied).toBe(false)
    const values = await readTensor(trained.tensors.get('lm_head.weight')!)
    const moved = values.map((x, i) => Math.abs(x - 1.1 * embedding.data[i]!))
    expect(Math.max(...moved)).toBeGreaterThan(0)
    expect(Math.max(...moved)).toBeLessThan(0.5) // one small step from it, not from the embedding
  }) // prettier-ignore
})

describe('a model whose template asks for today', () => {
  const template = { 'chat_template.jinja': "{{ strftime_now('%Y-%m-%d') }} {{ messages[0].content }}" }
  const date = '2026-02-01'

  it('is refused without a date, by every kind of workflow that renders it', async () => {
    const url = model('dated', template)
    const asked = 'expected "date": "2024-07-26"'
    const data = { name: 'nano', limit: 2 }
    const evaluated = { model: url, benchmarks: ['nano'], prompts: ['default'], limit: 2, samples: 1 }
    for (const [type, spec] of [
      ['train', { ...small, model: url, prompt: 'default' }],
      ['evaluate', evaluated],
      ['evaluate', { ...evaluated, prompts: undefined }],
      ['label', { model: url, data, samples: 1, prompt: 'default', sampling: { maxTokens: 8 } }],
    ] as const)
      expect(await failureOf(run<typeof train>(type, `no-date-${type}`, spec))).toContain(asked)
  })

  it('is trained, evaluated and labelled under the date that the spec gives, and another date is another result', async () => {
    const url = pathToFileURL(join(models(), 'dated')).href
    const given = { ...small, reward: 'majority', labels: { samples: 2, unlabelled: 'keep' } }
    const { curve } = await run<typeof train>('train', 'dated', { ...given, model: url, prompt: 'default', date })
    expect(curve.map(({ step }) => step)).toEqual([0, 1])
    const evaluated = { model: url, benchmarks: ['nano'], limit: 4, samples: 1 }
    const again = await run<typeof evaluate>('evaluate', 'dated-again', { ...evaluated, prompts: ['default'], date, maxTokens: 46 })
    const other = await run<typeof evaluate>('evaluate', 'dated-other', { ...evaluated, prompts: ['default'], date: '2026-02-02', maxTokens: 46 })
    expect(other.deviceSeconds).toBeGreaterThan(0)
    expect(again.results).toHaveLength(1)
    // A checkpoint is asked as its run was.
    const checkpoint = await run<typeof evaluate>('evaluate', 'dated-checkpoint', { checkpoint: 'dated/0', benchmarks: ['nano'], limit: 4, samples: 1 })
    expect(checkpoint).toMatchObject({ deviceSeconds: 0, results: [curve[0]!].map(({ step: _, ...result }) => result) })
    const labels = await run<typeof label>('label', 'dated-label', { model: url, data: { name: 'nano', limit: 2 }, samples: 2, prompt: 'default', date, sampling: { maxTokens: 8 } })
    expect(labels.problems).toBe(2)
  }) // prettier-ignore
})

describe('a model that nobody gave an end token', () => {
  it('is told of in what the evaluation ends with, and all of its completions are cut', async () => {
    const url = model('endless', {
      'config.json': edited((json) => Object.assign(json, { eos_token_id: null })),
      'tokenizer_config.json': edited((json) => Object.assign(json, { eos_token: null })),
    })
    const spec = { model: url, benchmarks: ['nano'], prompts: ['plain'], limit: 4, samples: 1, maxTokens: 8 }
    const { notes, results } = await run<typeof evaluate>('evaluate', 'endless', spec)
    expect(notes).toEqual([expect.stringContaining('every completion will be cut')])
    expect(results.map(({ truncated }) => truncated)).toEqual([1])
  })
})
