/** Whoever can name a file must not read it by the messages about it: a secret in each kind of file, and no word of it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  edited,
  filesOf,
  nanoFolder,
  safetensors,
  textsOf,
  type Change,
  type Json,
} from '../reading/folder.ts'
import { control, reader, readIndex } from '../reading/shared.ts'

const secret = 'hunter2'
const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })))

/** All that crosses to the worker of what was thrown. */
async function said(asked: Promise<unknown>): Promise<string> {
  const error: unknown = await asked.then(
    () => expect.fail('it was read'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Error)
  const { name, message, stack, cause } = error as Error
  return [name, message, stack, cause instanceof Error ? cause.message : ''].join('\n')
}

const tokenizer = (edit: (json: Json) => void) => ({ 'tokenizer.json': edited(edit) })
const config = (fields: object) => ({ 'config.json': edited((json) => Object.assign(json, fields)) })
const settings = (fields: object) => ({
  'tokenizer_config.json': edited((json) => Object.assign(json, fields)),
})
const plain = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'model.safetensors.index.json',
]

describe('a model', () => {
  it.each<[string, Readonly<Record<string, Change>>]>([
    ...plain.map((name): [string, Record<string, Change>] => [`as ${name} a text`, { [name]: `${secret}:x:0:0` }]),
    ...plain.map((name): [string, Record<string, Change>] => [`as ${name} a list`, { [name]: `["${secret}"]` }]),
    ['weights that are a text', { 'model.safetensors': `${secret} `.repeat(20) }],
    ['a header that is no JSON', { 'model.safetensors': safetensors(`{"${secret}`) }],
    ['a header that is a text', { 'model.safetensors': safetensors(`"${secret}"`) }],
    ['a type of a tensor', { 'model.safetensors': safetensors({ x: { dtype: secret, shape: [1], data_offsets: [0, 4] } }, 4) }],
    ['a shape of a tensor', { 'model.safetensors': safetensors({ x: { dtype: 'F32', shape: secret, data_offsets: [0, 4] } }, 4) }],
    ['offsets of a tensor', { 'model.safetensors': safetensors({ x: { dtype: 'F32', shape: [1], data_offsets: { a: secret } } }, 4) }],
    ['an architecture', config({ architectures: [secret] })],
    ['an activation', config({ hidden_act: secret })],
    ['a size', config({ hidden_size: secret })],
    ['a kind of rope', config({ rope_scaling: { type: secret } })],
    ['a rope that is a text', config({ rope_scaling: secret })],
    ['an end token', config({ eos_token_id: secret })],
    ['whether it is tied', config({ tie_word_embeddings: secret })],
    ['a vocabulary', tokenizer((json) => Object.assign(json.model, { vocab: secret }))],
    ['an id', tokenizer((json) => Object.assign(json.model.vocab!, { a: secret }))],
    ['a token beyond the embedding', tokenizer((json) => Object.assign(json.model.vocab!, { [secret]: 64 }))],
    ['a merge', tokenizer((json) => (json.model.merges = [`${secret}${secret}`]))],
    ['an added token', tokenizer((json) => json.added_tokens.push(secret))],
    ['a normalizer', tokenizer((json) => (json.normalizer = { type: secret }))],
    ['a pre-tokenizer', tokenizer((json) => (json.pre_tokenizer = { type: secret }))],
    ['a pattern', tokenizer((json) => (json.pre_tokenizer = { type: 'Split', pattern: { Regex: `(${secret}` }, behavior: 'Isolated' }))],
    ['a decoder', tokenizer((json) => (json.decoder = { type: secret }))],
    ['what a decoder replaces', tokenizer((json) => (json.decoder = { type: 'Replace', pattern: { String: 'a' }, content: secret }))],
    ['a template that is an object', settings({ chat_template: { name: secret } })],
    ['a template that does not parse', { 'chat_template.jinja': `{{ ${secret} %}` }],
    ['a template with a statement that there is not', { 'chat_template.jinja': `{% ${secret} %}` }],
    ['a special token that is too long', tokenizer((json) => json.added_tokens.push({ id: 100, content: secret.repeat(200) }))],
  ])('is refused without a word of %s', async (_, changes) => {
    const folder = nanoFolder(changes)
    folders.push(folder)
    expect(await said(reader.ask('model', 'model m', { files: filesOf(folder) }, control))).not.toContain(secret)
  }) // prettier-ignore

  it.each([`${secret} = "x"`, `{"key": "${secret}"}`, `{"weight_map": "${secret}"}`, `{"weight_map": {"a": "../${secret}"}}`])(
    'is refused without a word of its index %s',
    async (text) => {
      expect(await said(readIndex(async (to) => writeFileSync(to, text)))).not.toContain(secret)
    },
  ) // prettier-ignore
})

describe('a prompt', () => {
  const problems = [{ id: '1', problem: secret }]
  const asked = (changes: Readonly<Record<string, Change>>, prompt: string) => {
    const folder = nanoFolder(changes)
    folders.push(folder)
    return reader.ask('prompts', 'prompt', { tokenizer: textsOf(folder), prompt, problems }, control)
  }
  it.each([
    ['a template that raises it', { 'chat_template.jinja': `{{ raise_exception('${secret}') }}` }],
    ['a template that raises the problem', { 'chat_template.jinja': '{{ raise_exception(messages[0].content) }}' }],
    ['a template with a filter that there is not', { 'chat_template.jinja': `{{ messages[0].content | ${secret} }}` }],
    ['a character that no token has', { 'tokenizer.json': edited((json) => Object.assign(json.model, { unk_token: null, vocab: { $: 2, a: 15 } })) }],
  ])('is refused without a word of %s', async (_, changes) => {
    const thrown = asked(changes, 'default')
    const isRead = await thrown.then(
      () => true,
      () => false,
    )
    if (!isRead) expect(await said(thrown)).not.toContain(secret)
  }) // prettier-ignore
})

describe('a data file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'placebo-quotes-'))
  folders.push(folder)
  const good = '{"problem": "1+1", "answer": "2"}'
  it.each([
    ['is no JSON', `${good}\n${secret}:x:0:0:root`],
    ['is torn', `${good}\n{"problem": "${secret}`],
    ['is a list of texts', `"${secret}"\n`],
    ['has an answer that is an object', `{"problem": "1+1", "answer": {"a": "${secret}"}}`],
    ['has two answers to one statement', `{"problem": "1+1", "answer": "${secret}"}\n${good}`],
    ['has one id twice', `{"id": "${secret}", "problem": "1", "answer": "2"}\n{"id": "${secret}", "problem": "2", "answer": "2"}`],
    ['is no Parquet', `PAR1${secret.repeat(10)}PAR1`],
    ['is no UTF-8', Buffer.concat([Buffer.from(secret), Buffer.from([0xff, 0xfe])])],
  ])('that %s is refused without a word of it', async (_, content) => {
    const path = join(folder, 'data')
    writeFileSync(path, content)
    const data = { source: 'file:///data', duplicates: 'drop' } as const
    const ask = { data, files: [{ path, name: 'file:///data' }], sizeBytes: readFileSync(path).length, to: `${path}.out` }
    expect(await said(reader.ask('data', 'data', ask, control))).not.toContain(secret)
  }) // prettier-ignore
})
