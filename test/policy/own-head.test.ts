/** A head beside a configuration that says that the head is the embedding. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { Parameters } from '../../activities/policy/parameters.ts'
import { openPolicy } from '../../activities/policy/open.ts'
import { readTensor, writeSafetensors, type PolicyFile } from '../../activities/policy/safetensors.ts'
import { tensorShapes } from '../../activities/policy/config.ts'
import { filesOf, nanoFolder } from '../reading/folder.ts'
import { control, reader } from '../reading/shared.ts'

const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })))

let folder: string
beforeEach(() => folders.push((folder = nanoFolder({}))))

type Head = (embedding: Float32Array) => { readonly shape: readonly number[]; readonly data: Float32Array }

/** nano/coder, which is tied, with a head of its own in its file. */
async function withHead(head: Head, config: object = {}): Promise<PolicyFile[]> {
  const { tensors } = await openPolicy(filesOf(folder))
  const own = await Promise.all(
    [...tensors.values()].map(async (tensor) => ({
      name: tensor.name,
      shape: tensor.shape,
      data: await readTensor(tensor),
    })),
  )
  const embedding = own.find(({ name }) => name === 'model.embed_tokens.weight')!
  own.push({ name: 'lm_head.weight', ...head(embedding.data) })
  rmSync(join(folder, 'model.safetensors'))
  await writeSafetensors(own, join(folder, 'model'))
  const path = join(folder, 'config.json')
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...config }))
  return filesOf(folder)
}

const copy: Head = (data) => ({ shape: [64, 64], data })
const other: Head = (data) => ({ shape: [64, 64], data: data.map((x, i) => (i === 4095 ? x + 1 : x)) })
const look = (files: PolicyFile[]) => reader.ask('model', 'model m', { files }, control)

describe('a tied model', () => {
  it('with a head that differs in its last value of 4,096 keeps both', async () => {
    const policy = await openPolicy(await withHead(other))
    expect(policy.config.tied).toBe(false)
    const shapes = tensorShapes(policy.config)
    expect(shapes.get('lm_head.weight')).toEqual([64, 64])
    const parameters = new Parameters(shapes)
    for (const [name] of shapes) parameters.view(name).set(await readTensor(policy.tensors.get(name)!))
    const [head, embedding] = ['lm_head.weight', 'model.embed_tokens.weight'].map((name) =>
      parameters.view(name),
    )
    expect(head![4095]! - embedding![4095]!).toBeCloseTo(1, 5)
  })

  it('is told of it when it is taken in, and its configuration says so from then on', async () => {
    const files = await withHead(other)
    const { notes, written } = await look(files)
    expect(notes).toEqual([
      'Model: its lm_head.weight differs from its embedding, although config.json says that they are one ' +
        '(tie_word_embeddings); both are kept',
    ])
    const was = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object
    expect(written.map(({ name }) => name)).toEqual(['config.json'])
    expect(JSON.parse(written[0]!.text)).toEqual({ ...was, tie_word_embeddings: false })
  })

  it('with the embedding itself as head stays tied, and nothing is written', async () => {
    const files = await withHead(copy)
    expect((await openPolicy(files)).config.tied).toBe(true)
    expect(await look(files)).toEqual({ notes: [], written: [] })
  })

  it('whose head has another shape is CorruptModel', async () => {
    const files = await withHead((data) => ({ shape: [32, 128], data }))
    await expect(openPolicy(files)).rejects.toMatchObject({ name: 'CorruptModel' })
    await expect(openPolicy(files)).rejects.toThrow(
      "tensor lm_head.weight: expected [64,64], the embedding's shape, found [32,128]",
    )
  })
})

describe('a model whose configuration', () => {
  it.each([
    ['says that it is not tied', { tie_word_embeddings: false }],
    ['says nothing', { tie_word_embeddings: undefined }],
    ['says null', { tie_word_embeddings: null }],
  ])('%s has a head of its own, equal or not; without one it is CorruptModel', async (_, said) => {
    expect((await openPolicy(await withHead(copy, said))).config.tied).toBe(false)
    cpSync(
      join(import.meta.dirname, '../../models/nano/coder/model.safetensors'),
      join(folder, 'model.safetensors'),
    )
    await expect(openPolicy(filesOf(folder))).rejects.toThrow(
      'tensor lm_head.weight: expected [64,64], found in no file (config.json: tie_word_embeddings is not true)',
    )
  })
})
