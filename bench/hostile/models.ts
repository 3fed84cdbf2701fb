/** Model folders that nobody should have: copies of a nano model, each with one thing wrong. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Hostile } from './inputs.ts'
import { tiny } from '../tiny.ts'

const nano = fileURLToPath(new URL('../../models/nano/coder', import.meta.url))

type Json = Record<string, unknown>

/** `build` gets a whole copy of the model to spoil. */
interface Folder {
  readonly name: string
  readonly build: (folder: string) => void
  readonly expect: RegExp
  readonly prompt?: string
}

const file = (name: string, text: string) => (folder: string) => writeFileSync(join(folder, name), text)

/** Changes one JSON file of the model. */
const edited = (name: string, edit: (json: Json) => unknown) => (folder: string) => {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, 'utf8')) as Json)))
}

const templated = (template: string) => file('chat_template.jinja', template)

/** A header of the weights instead of theirs, with the data behind it. */
const headed = (header: string) => (folder: string) => {
  const path = join(folder, 'model.safetensors')
  const bytes = readFileSync(path)
  const size = Number(bytes.readBigUInt64LE(0))
  const text = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8))
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(BigInt(text.length))
  writeFileSync(path, Buffer.concat([prefix, text, bytes.subarray(8 + size)]))
}

const indexed = (text: string) => (folder: string) => {
  rmSync(join(folder, 'model.safetensors'))
  file('model.safetensors.index.json', text)(folder)
}

const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const model = /^(CorruptModel|UnsupportedModel|ModelUnavailable|PromptRefused|Reading\w+)$/

const folders: readonly Folder[] = [
  { name: 'a config of 1e9 layers', build: edited('config.json', (c) => ({ ...c, num_hidden_layers: 1e9 })), expect: model },
  { name: 'a vocabulary of 1e12', build: edited('config.json', (c) => ({ ...c, vocab_size: 1e12 })), expect: model },
  { name: 'a config without heads', build: edited('config.json', (c) => ({ ...c, num_attention_heads: 0 })), expect: model },
  { name: 'a config that is null', build: file('config.json', 'null'), expect: model },
  { name: 'a config nested 100,000 deep', build: file('config.json', deep(1e5)), expect: model },
  { name: 'a config of 2 GB', build: (folder) => truncateSync(join(folder, 'config.json'), 2 * 2 ** 30), expect: model },
  { name: 'a tokenizer that is null', build: file('tokenizer.json', 'null'), expect: model },
  { name: 'a tokenizer without a vocabulary', build: edited('tokenizer.json', (t) => ({ ...t, model: { type: 'BPE', vocab: null, merges: 3 } })), expect: model },
  { name: 'a pre-tokenizer that explodes', build: edited('tokenizer.json', (t) => ({ ...t, pre_tokenizer: { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated', invert: false } })), expect: model },
  { name: 'forty doubling normalizers', build: edited('tokenizer.json', (t) => ({ ...t, normalizer: { type: 'Sequence', normalizers: Array.from({ length: 40 }, () => ({ type: 'Replace', pattern: { String: 'a' }, content: 'aa' })) } })), expect: model },
  { name: 'a vocabulary beyond the embedding', build: edited('config.json', (c) => ({ ...c, vocab_size: 32 })), expect: model },
  { name: 'a template that loops 1e8 times', build: templated('{% for i in range(100000000) %}x{% endfor %}'), expect: model },
  { name: 'a template that doubles a text', build: templated(`{% set ns = namespace(t='aaaaaaaa') %}{% for i in range(60) %}{% set ns.t = ns.t + ns.t %}{% endfor %}{{ ns.t }}`), expect: model },
  { name: 'a template that raises', build: templated("{{ raise_exception('roles must alternate') }}"), expect: model },
  { name: 'a template that does not parse', build: templated('{% for %}{{'), expect: model },
  { name: 'templates that are a list of null', build: edited('tokenizer_config.json', (t) => ({ ...t, chat_template: [null] })), expect: model },
  { name: 'an index cut in the middle', build: indexed('{"metadata": {"total_size": 1}, "weight_map": {"model.emb'), expect: model },
  { name: 'an index that is empty', build: indexed(''), expect: model },
  { name: 'an index without a map', build: indexed('{"weight_map": null}'), expect: model },
  { name: 'an index that leads elsewhere', build: indexed('{"weight_map": {"a": "../../credentials"}}'), expect: model },
  { name: 'weights whose header is null', build: headed('null'), expect: model },
  { name: 'weights whose header claims 2^60 values', build: headed(JSON.stringify({ 'model.norm.weight': { dtype: 'F32', shape: [2 ** 30, 2 ** 30], data_offsets: [0, 2 ** 62] } })), expect: model },
  { name: 'weights cut in the middle', build: (folder) => truncateSync(join(folder, 'model.safetensors'), 1000), expect: model },
  { name: 'weights that are empty', build: (folder) => truncateSync(join(folder, 'model.safetensors'), 0), expect: model },
  { name: 'a config that is a FIFO', build: (folder) => { rmSync(join(folder, 'config.json')); execFileSync('mkfifo', [join(folder, 'config.json')]) }, expect: model },
  { name: 'weights that are a device', build: (folder) => { rmSync(join(folder, 'model.safetensors')); symlinkSync('/dev/zero', join(folder, 'model.safetensors')) }, expect: /^(ModelUnavailable|NotAllowed|CorruptModel)$/ },
  { name: 'a weight that is not a number', build: spoiltWeight, expect: /^NonFinite(Logits|Loss)$/, prompt: 'plain' },
] // prettier-ignore

/** The first weight of the final norm becomes NaN; the header is intact. */
function spoiltWeight(folder: string): void {
  const path = join(folder, 'model.safetensors')
  const bytes = readFileSync(path)
  const size = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.subarray(8, 8 + size).toString()) as Record<
    string,
    { data_offsets: [number, number] }
  >
  bytes.writeFloatLE(NaN, 8 + size + header['model.norm.weight']!.data_offsets[0])
  writeFileSync(path, bytes)
}

/** Each as a run on such a model. `url` is the allowed folder's. */
export function hostileModels(folder: string, url: string): Hostile[] {
  return folders.map(({ name, build, expect, prompt = 'default' }, i) => {
    const own = join(folder, `model-${i}`)
    mkdirSync(own)
    cpSync(nano, own, { recursive: true })
    build(own)
    return { name, type: 'train', input: { ...tiny, model: `${url}/model-${i}`, prompt }, expect }
  })
}
