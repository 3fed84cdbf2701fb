/** What a hostile or torn model is called when it is taken in: a row a kind, with the place, the expected and the found. */
import { rmSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { openReader } from '../../activities/reading/pool.ts'
import type { Explicit } from '../../activities/reading/reader.ts'
import { edited, filesOf, nanoFolder, safetensors, type Change, type Json } from './folder.ts'
import { control, reader, readIndex } from './shared.ts'

const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })))

function open(changes: Readonly<Record<string, Change>>, by = reader): Promise<Explicit> {
  const folder = nanoFolder(changes)
  folders.push(folder)
  return by.ask('model', 'model m', { files: filesOf(folder) }, control)
}

const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
const config = (fields: object) => ({ 'config.json': edited((json) => Object.assign(json, fields)) })
const tokenizer = (edit: (json: Json) => void) => ({ 'tokenizer.json': edited(edit) })
const settings = (fields: object) => ({
  'tokenizer_config.json': edited((json) => Object.assign(json, fields)),
})
const header = (entries: unknown, bytes = 0) => ({ 'model.safetensors': safetensors(entries, bytes) })
const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content })

describe('a model as nano/coder is', () => {
  it('is read', async () => expect(await open({})).toEqual({ notes: [], written: [] }))

  it.each([
    ['more layers than tensors', config({ num_hidden_layers: 1e9 }), 'CorruptModel', 'config.json: num_hidden_layers: expected no more than tensors in the files (38), found 1000000000'],
    ['half a layer', config({ num_hidden_layers: 2.5 }), 'UnsupportedModel', 'num_hidden_layers: expected an integer, found 2.5'],
    ['no head', config({ num_attention_heads: 0 }), 'UnsupportedModel', 'num_attention_heads: expected a positive number, found 0'],
    ['a number as text', config({ hidden_size: '64' }), 'UnsupportedModel', 'hidden_size: expected a positive number, found a text of 2 characters'],
    ['a vocabulary beyond any embedding', config({ vocab_size: 1e15 }), 'CorruptModel', 'tensor model.embed_tokens.weight: expected [1000000000000000,64], found [64,64]'],
    ['no object as configuration', { 'config.json': 'null' }, 'UnsupportedModel', 'config.json: expected a JSON object, found null'],
    ['a configuration nested 100,000 deep', { 'config.json': deep }, 'UnsupportedModel', 'config.json: expected a JSON object, found a list of 1'],
    ['a generation_config.json that is a list', { 'generation_config.json': '[1]' }, 'UnsupportedModel', 'generation_config.json: expected a JSON object, found [1]'],

    ['a header that is null', header(null), 'CorruptModel', 'model.safetensors: expected a JSON object of tensors as header, found null'],
    ['a header that is a list', header([]), 'CorruptModel', 'as header, found []'],
    ['a tensor that is null', header({ x: null }), 'CorruptModel', 'tensor x: expected dtype F32, F16 or BF16, found nothing'],
    ['a tensor without a type', header({ x: { shape: [1], data_offsets: [0, 4] } }, 4), 'CorruptModel', 'tensor x: expected dtype'],
    ['negative offsets', header({ x: { dtype: 'F32', shape: [1], data_offsets: [-4, 0] } }), 'CorruptModel', 'tensor x: expected two data offsets, found [-4,0]'],
    ['offsets that no number holds', header('{"x":{"dtype":"F32","shape":[1],"data_offsets":[9007199254740993,9007199254740997]}}'), 'CorruptModel', 'tensor x: expected two data offsets'],
    ['a shape of a million dimensions', header({ x: { dtype: 'F32', shape: Array(1e6).fill(2), data_offsets: [0, 4] } }, 4), 'CorruptModel', 'tensor x: expected Infinity bytes'],

    ['no object as tokenizer', { 'tokenizer.json': 'null' }, 'CorruptModel', 'tokenizer.json: expected a JSON object, found null'],
    ['a tokenizer nested 100,000 deep', { 'tokenizer.json': deep }, 'CorruptModel', 'tokenizer.json: expected a JSON object, found a list of 1'],
    ['no vocabulary', tokenizer((json) => (json.model.vocab = null)), 'CorruptModel', 'model.vocab: expected an object or a list, found null'],
    ['an id that is text', tokenizer((json) => (json.model.vocab = { ...json.model.vocab, a: '15' })), 'CorruptModel', 'model.vocab, entry 16: id: expected a whole number of 0 or more, found a text of 2 characters'],
    ['an id that the embedding has no row for', tokenizer((json) => (json.model.vocab = { ...json.model.vocab, zz: 64 })), 'CorruptModel', 'tokenizer.json: a token has id 64, the embedding of config.json has 64 rows (0..63)'],
    ['a merge of one token', tokenizer((json) => (json.model.merges = [['a']])), 'CorruptModel', 'model.merges[0]: expected two tokens, found a list of 1'],
    ['a key twice', { 'config.json': '{"vocab_size": 1,\n"vocab_size": 2}' }, 'CorruptModel', 'config.json: expected JSON; line 2, column 1: expected a key that its object does not have yet'],
    ['a key twice in its settings', { 'tokenizer_config.json': '{"a": 1, "a": 2}' }, 'CorruptModel', 'tokenizer_config.json: expected JSON; line 1, column 10'],
    ['a name that a terminal would obey', { 'model.safetensors': safetensors({ '\u001b[31m\u009bx"': { dtype: 'F8', shape: [1], data_offsets: [0, 4] } }, 4) }, 'CorruptModel', String.raw`tensor "\u001b[31m\u009bx\"": expected dtype`],
    ['an added token that is null', tokenizer((json) => json.added_tokens.push(null)), 'CorruptModel', 'added_tokens[3]: expected an object with content and id, found null'],
    ['10,003 added tokens', tokenizer((json) => json.added_tokens.push(...Array.from({ length: 10_000 }, (_, i) => ({ id: 100 + i, content: `<${i}>` })))), 'UnsupportedModel', 'added_tokens: expected at most 8000, found 10003'],
    ['10,000 special tokens in its settings', { 'tokenizer_config.json': JSON.stringify({ additional_special_tokens: Array(10_000).fill('<x>') }) }, 'UnsupportedModel', 'tokenizer_config.json: additional_special_tokens: expected at most 8000, found 10000'],
    ['a token of 5,000 letters', tokenizer((json) => json.added_tokens.push({ id: 100, content: 'x'.repeat(5000) })), 'UnsupportedModel', 'expected at most 1024 characters, found 5000'],
    ['a pattern that is none', tokenizer((json) => (json.pre_tokenizer = { type: 'Split', pattern: { Regex: '(a' } })), 'CorruptModel', 'tokenizer.json: cannot be opened: a pattern is no regular expression'],
    ['a regular expression in its decoder', tokenizer((json) => (json.decoder = replace({ Regex: '(a+)+$' }, ''))), 'UnsupportedModel', 'decoder Replace: expected a text as pattern'],
    ['a decoder that makes texts longer', tokenizer((json) => (json.decoder = { type: 'Sequence', decoders: Array(9).fill(replace({ String: 'a' }, 'aa')) })), 'UnsupportedModel', 'decoder Replace: expected content that is no longer than its pattern'],
    ['a decoder that writes between all letters', tokenizer((json) => (json.decoder = { type: 'BPEDecoder', suffix: '' })), 'UnsupportedModel', 'decoder BPEDecoder: expected a suffix that is a text and not empty'],

    ['a chat template that is a list with null', settings({ chat_template: [null] }), 'CorruptModel', 'chat_template: expected a text, or a list of { name, template }, found a list of 1'],
    ['a chat template that is a number', settings({ chat_template: 3 }), 'CorruptModel', 'chat_template: expected a text, or a list of { name, template }, found 3'],
    ['chat templates without a default', settings({ chat_template: [{ name: 'tools', template: '' }] }), 'CorruptModel', 'chat_template: expected one with the name "default"'],
    ['a chat template that does not parse', { 'chat_template.jinja': '{% for %}' }, 'CorruptModel', 'chat_template.jinja: chat template: expected Jinja, found what cannot be parsed'],
    ['settings that are a text', { 'tokenizer_config.json': '"x"' }, 'CorruptModel', 'tokenizer_config.json: expected a JSON object, found a text of 1 character'],
  ] as const)('but with %s is refused by name', async (_, changes, name, message) => {
    const refused = open(changes)
    await expect(refused).rejects.toMatchObject({ name })
    await expect(refused).rejects.toThrow(message)
  }) // prettier-ignore
})

describe('what would never end, or needs more than there is', () => {
  // 2 s of patience, not 8; and room for Node itself and half as much again.
  const hasty = openReader({ patience: 0.25, memoryBytes: 200 * 2 ** 20 })
  const slow = openReader({ memoryBytes: 200 * 2 ** 20 })
  afterAll(() => Promise.all([hasty.close(), slow.close()]))

  it.each([
    ['a pattern that goes back for ever', tokenizer((json) => (json.pre_tokenizer = { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated' })), 'model m: tokenizer.json: encoding aaaaaaaaaaaa… (2001 characters): no answer within 2 s'],
    ['a template that loops 100,000,000 times', { 'chat_template.jinja': '{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}' }, 'model m: chat template: rendering one question: no answer within 2 s'],
  ])('%s is ReadingTimedOut, and what was read is said', async (_, changes, message) => {
    await expect(open({}, hasty)).resolves.toBeDefined() // its code is loaded now
    const refused = open(changes, hasty)
    await expect(refused).rejects.toMatchObject({ name: 'ReadingTimedOut' })
    await expect(refused).rejects.toThrow(message)
  }) // prettier-ignore

  it.each([
    ['a tokenizer.json of nested brackets', { 'tokenizer.json': `${'['.repeat(2e7)}${']'.repeat(2e7)}` }, 'model m: tokenizer.json: memory: expected at most 200 MiB, found '],
    ['a template that lists 100,000,000 numbers', { 'chat_template.jinja': '{% for i in range(100000000) %}x{% endfor %}' }, 'model m: chat template: rendering one question: memory: expected at most 200 MiB, found '],
    ['forty normalizers that each double a text', tokenizer((json) => (json.normalizer = { type: 'Sequence', normalizers: Array(40).fill(replace({ String: 'a' }, 'aa')) })), 'characters): memory: expected at most 200 MiB, found '],
  ])('%s is ReadingTooLarge', async (_, changes, message) => {
    const refused = open(changes, slow)
    await expect(refused).rejects.toMatchObject({ name: 'ReadingTooLarge' })
    await expect(refused).rejects.toThrow(message)
  }) // prettier-ignore
})

describe('an index', () => {
  const read = (text: string) =>
    readIndex(async (to) => {
      writeFileSync(to, text)
    })

  it('names its files, each once', async () => {
    const map = { a: 'model-2.safetensors', b: 'model-1.safetensors', c: 'model-2.safetensors' }
    expect(await read(JSON.stringify({ weight_map: map }))).toEqual([
      'model-2.safetensors',
      'model-1.safetensors',
    ])
  })

  it.each([
    ['is torn', '{"weight_map": {"a": "model-0', 'expected JSON; its end (line 1, column 30): expected the end of a text'],
    ['is empty', '', 'expected JSON; the file is empty'],
    ['has no map', '{}', 'expected an object with weight_map, which maps tensors to files, found an object of 0 fields'],
    ['has null as its map', '{"weight_map": null}', 'expected an object with weight_map'],
    ['has a list as its map', '{"weight_map": ["a"]}', 'expected an object with weight_map, which maps tensors to files, found a list of 1'],
    ['maps nothing', '{"weight_map": {}}', 'expected a weight_map with tensors in it, found an object of 0 fields'],
    ['maps to no name', '{"weight_map": {"a": 3}}', 'expected names of .safetensors files beside it, found 3'],
    ['leads elsewhere', '{"weight_map": {"a": "../../secret.safetensors"}}', 'expected names of .safetensors files beside it, found a text of 24 characters'],
    ['names the folder above', '{"weight_map": {"a": ".."}}', 'expected names of .safetensors files beside it, found a text of 2 characters'],
    ['names another kind of file', '{"weight_map": {"a": "tokenizer.json"}}', 'expected names of .safetensors files beside it, found a text of 14 characters'],
  ])('that %s is CorruptModel', async (_, text, message) => {
    await expect(read(text)).rejects.toMatchObject({ name: 'CorruptModel' })
    await expect(read(text)).rejects.toThrow(`model.safetensors.index.json: ${message}`)
  }) // prettier-ignore
})
