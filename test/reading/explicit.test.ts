/** What a model's files leave open, and what is written down of it when it is taken in. */
import { rmSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { edited, filesOf, nanoFolder, type Change } from './folder.ts'
import { control, reader } from './shared.ts'

const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })))

function look(changes: Readonly<Record<string, Change>>) {
  const folder = nanoFolder(changes)
  folders.push(folder)
  return reader.ask('model', 'model m', { files: filesOf(folder) }, control)
}

const silent = { 'config.json': edited((json) => Object.assign(json, { eos_token_id: undefined })) }
const settings = (fields: object) => ({
  'tokenizer_config.json': edited((json) => Object.assign(json, fields)),
})
const none =
  'Model: no end token, neither in its configuration nor in its tokenizer: every completion will be cut'

describe('the end token of a model whose configuration names none', () => {
  // nano/coder's `$` has id 2.
  it.each([
    ['a text', '$'],
    ['an object with its content', { content: '$', special: true, __type: 'AddedToken' }],
  ])("is its tokenizer's, as %s", async (_, eos_token) => {
    expect(await look({ ...silent, ...settings({ eos_token }) })).toEqual({
      notes: [
        'Model: no end token in config.json or generation_config.json; it is the eos_token of tokenizer_config.json, token 2',
      ],
      written: [{ name: 'generation_config.json', text: '{\n  "eos_token_id": 2\n}\n' }],
    })
  })

  it("keeps what else its generation_config.json says; an id beyond the embedding is no token's", async () => {
    const generation = { 'generation_config.json': '{"temperature": 0.6, "eos_token_id": [64, 99]}' }
    const { written } = await look({ ...silent, ...generation, ...settings({ eos_token: '$' }) })
    expect(written).toEqual([
      { name: 'generation_config.json', text: '{\n  "temperature": 0.6,\n  "eos_token_id": 2\n}\n' },
    ])
  })

  it("is that of special_tokens_map.json where the tokenizer's settings have none", async () => {
    const map = { 'special_tokens_map.json': '{"eos_token": {"content": "$"}}' }
    const { notes } = await look({ ...silent, ...settings({ eos_token: null }), ...map })
    expect(notes).toEqual([
      expect.stringContaining('it is the eos_token of special_tokens_map.json, token 2'),
    ])
  })

  it.each([
    ['nobody names one', null],
    ['it is no token', '<|nothing|>'],
    ['it is no text', 3],
  ])('is missing where %s, which is said', async (_, eos_token) => {
    expect(await look({ ...silent, ...settings({ eos_token }) })).toEqual({ notes: [none], written: [] })
  })
})

it('a model that says all itself is taken as it is', async () => {
  expect(await look({})).toEqual({ notes: [], written: [] })
})

describe('an index', () => {
  const index = (weight_map: object) => ({ 'model.safetensors.index.json': JSON.stringify({ weight_map }) })
  it.each([
    ['a file without it', { 'model.norm.weight': 'model-2.safetensors' }, 'model.norm.weight is in model.safetensors'],
    ['no tensor of any file', { 'model.nothing.weight': 'model.safetensors' }, 'one is in no file'],
  ])('that maps a tensor to %s is CorruptModel', async (_, map, message) => {
    const refused = look(index(map))
    await expect(refused).rejects.toMatchObject({ name: 'CorruptModel' })
    await expect(refused).rejects.toThrow(`model.safetensors.index.json: weight_map: expected of each tensor the file that holds it, found that ${message}`)
  }) // prettier-ignore

  it('that names a tensor twice is CorruptModel', async () => {
    const text = '{"weight_map": {"a": "model.safetensors", "a": "model.safetensors"}}'
    await expect(look({ 'model.safetensors.index.json': text })).rejects.toThrow(
      'model.safetensors.index.json: expected JSON; line 1, column 43: expected a key that its object does not have yet',
    )
  })
})
