/** Token ids of 1,000 texts beside those of Rust's tokenizers, for every part that is taken; and parts that are refused. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openTokenizer } from '../../activities/policy/tokenizer.ts'

const golden = join(import.meta.dirname, '..', 'golden', 'vocabularies')
const read = <T>(name: string) => JSON.parse(readFileSync(join(golden, name), 'utf8')) as T
const texts = read<string[]>('texts.json')
const kinds = read<Record<string, { ids: number[][]; digests: string[] }>>('golden.json')

const digest = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex')
const open = (path: string) => openTokenizer([{ name: 'tokenizer.json', path }])

it('there are 1,000 texts, and the blanks, digits and scripts that readers disagree on are among them', () => {
  expect(texts).toHaveLength(1000)
  for (const sign of ['\ufeff', '\u0085', '½', '٣', 'नमस्ते', '▁', '<0x41>', '<|end|> '])
    expect(texts.some((text) => text.includes(sign))).toBe(true)
})

it('a blank that not all readers take for one is refused beside a token that takes the blanks', async () => {
  const tokenizer = await open(join(golden, 'added.json'))
  expect(tokenizer.encode('x <|mark|>')).toEqual(tokenizer.encode('x<|mark|>'))
  expect(() => tokenizer.encode('x\u0085<|mark|>')).toThrow('U+0085 or U+FEFF in the text')
})

describe.each(Object.entries(kinds))('a tokenizer of the kind %s', (kind, { ids, digests }) => {
  it('gives the ids of Rust, with its own special tokens and without', async () => {
    const tokenizer = await open(join(golden, `${kind}.json`))
    const isTaken = kind !== 'added' ? () => true : (text: string) => !/[\u0085\ufeff]/.test(text)
    expect(
      texts
        .slice(7, 12)
        .filter(isTaken)
        .map((text) => tokenizer.encode(text)),
    ).toEqual(ids)
    const hundreds = Array.from({ length: 10 }, (_, i) => texts.slice(100 * i, 100 * (i + 1)).filter(isTaken))
    const found = hundreds.map((some) =>
      digest([
        some.map((text) => tokenizer.encode(text)),
        some.map((text) => tokenizer.encode(text, { special: true })),
      ]),
    )
    expect(found).toEqual(digests)
  })
})

interface Held {
  model: Record<string, unknown> & { vocab: unknown; merges: unknown[] }
  added_tokens: Record<string, unknown>[]
  normalizer: unknown
  pre_tokenizer: unknown
  post_processor: unknown
  decoder: unknown
}

describe('what the library reads otherwise than Rust is refused by name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'placebo-parts-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  function openWith(kind: string, edit: (held: Held) => void) {
    const held = read<Held>(`${kind}.json`)
    edit(held)
    const path = join(folder, 'tokenizer.json')
    writeFileSync(path, JSON.stringify(held))
    return open(path)
  }
  // Rust's ids and texts, by tokenizers 0.23.3.
  it('texts are split first by tokens that are not normalised, without a normalizer, too', async () => {
    const tokenizer = await openWith('llama3', (held) =>
      held.added_tokens.push(
        { id: 420, content: '<|ab', normalized: true, special: false },
        { id: 421, content: 'abcd|>', normalized: false, special: false },
      ),
    )
    expect(tokenizer.encode('<|abcd|>')).toEqual([334, 421])
  })

  it('decoding keeps byte order marks, and suffixes that no decoder removes', async () => {
    const metaspace = await openWith('metaspace', () => {})
    expect(metaspace.decode(metaspace.encode('a\ufeffb'))).toBe('a\ufeffb')
    const suffix = await openWith('gpt2', (held) => {
      held.model['end_of_word_suffix'] = '</w>'
      held.added_tokens.push({ id: 420, content: 'é</w>', special: false })
    })
    // Added tokens are bytes like others to ByteLevel: é is E9 alone.
    expect(suffix.decode([420, 223])).toBe('\ufffd</w> ')
  })

  const pre = (part: object) => (held: Held) => (held.pre_tokenizer = part)
  const norm = (part: object) => (held: Held) => (held.normalizer = part)
  const model = (fields: object) => (held: Held) => Object.assign(held.model, fields)
  const string = { String: ' ' }

  it.each<[string, string, (held: Held) => unknown, string]>([
    ['an id that is not the next one', 'gpt2', (held) => held.added_tokens.push({ id: 429, content: '<|gap|>' }), 'added_tokens[3]: expected id 420, the next one, found 429'],
    ['another id than that of the vocabulary', 'gpt2', (held) => held.added_tokens.push({ id: 420, content: 'é' }), 'added_tokens[3]: expected id 168, which its content has in the vocabulary, found 420'],
    ['one character that a normalizer changes', 'llama2', (held) => held.added_tokens.push({ id: 676, content: '|', normalized: true }), 'added_tokens[3]: expected more than one character, or one of the vocabulary, beside a normalizer'],
    ['one content twice', 'gpt2', (held) => held.added_tokens.push({ id: 420, content: '<s>' }), 'added_tokens[3]: expected another content than that of added_tokens[1]'],
    ['tokens that overlap, behind a Metaspace of the first word', 'llama2-first', (held) => held.added_tokens.push({ id: 676, content: '<|ab', normalized: true }, { id: 677, content: 'abcd|>', normalized: false }), 'expected normalized false beside a Metaspace with prepend_scheme first'],
    ['single_word', 'gpt2', (held) => Object.assign(held.added_tokens[1]!, { single_word: true }), 'added_tokens[1]: expected single_word false'],
    ['lstrip beside a token of blanks', 'added', (held) => Object.assign(held.added_tokens[0]!, { content: '\n\n' }), 'expected lstrip and rstrip false beside a token with a blank at its end'],
    ['normalised tokens behind a Metaspace of the first word', 'llama2-first', (held) => { held.normalizer = { type: 'NFC' }; held.added_tokens[0]!.normalized = true }, 'expected normalized false beside a Metaspace with prepend_scheme first'],
    ['a character map', 'gpt2', norm({ type: 'Precompiled', precompiled_charsmap: 'AAAA' }), 'normalizer Precompiled: expected one of Sequence, NFC'],
    ['small letters', 'gpt2', norm({ type: 'Lowercase' }), 'normalizer Lowercase: expected one of'],
    ['a dollar in a replacement', 'gpt2', norm({ type: 'Replace', pattern: string, content: '$&' }), 'normalizer Replace: expected content that is a text without "$"'],
    ['pieces merged with the next', 'gpt2', pre({ type: 'Split', pattern: string, behavior: 'MergedWithNext', invert: false }), 'pre_tokenizer Split: expected behavior Isolated or Removed'],
    ['a text that is removed', 'gpt2', pre({ type: 'Split', pattern: string, behavior: 'Removed', invert: false }), 'pre_tokenizer Split: expected a regular expression without groups of its own'],
    ['a group in what is removed', 'gpt2', pre({ type: 'Split', pattern: { Regex: '(a)b' }, behavior: 'Removed', invert: false }), 'without groups of its own'],
    ['isolated and inverted', 'gpt2', pre({ type: 'Split', pattern: string, behavior: 'Isolated', invert: true }), 'expected invert false with behavior Isolated'],
    ['signs one by one, in a sequence', 'gpt2', pre({ type: 'Sequence', pretokenizers: [{ type: 'Punctuation', behavior: 'Isolated' }] }), 'pre_tokenizer Punctuation: expected behavior Contiguous'],
    ['scripts', 'gpt2', pre({ type: 'UnicodeScripts' }), 'pre_tokenizer UnicodeScripts: expected one of Sequence, ByteLevel'],
    ['a part that nobody knows', 'gpt2', pre({ type: 'hunter2' }), 'pre_tokenizer: expected one of Sequence, ByteLevel'],
    ['words by rank', 'gpt2', (held) => (held.model = { type: 'WordPiece', unk_token: '<unk>', vocab: held.model.vocab, merges: [] }), 'model WordPiece: expected one of BPE, Unigram'],
    ['no type', 'gpt2', (held) => delete held.model['type'], 'model: expected one of BPE, Unigram'],
    ['dropout', 'gpt2', model({ dropout: 0.1 }), 'model BPE: expected no dropout'],
    ['a prefix of later pieces', 'gpt2', model({ continuing_subword_prefix: '##' }), 'model BPE: expected no continuing_subword_prefix'],
    ['unknown words that are fused', 'whitespace', model({ fuse_unk: true }), 'model BPE: expected fuse_unk false, or byte_fallback true'],
    ['merges into what is no token', 'gpt2', (held) => held.model.merges.push(['Ġ', '<unk>']), 'model BPE: expected merges of characters and tokens in its vocabulary'],
    ['merges with the unknown token', 'whitespace', (held) => held.model.merges.push(['<unk>', 'a']), 'model BPE: expected merges of characters'],
    ['no unknown token', 'unigram', model({ unk_id: null }), 'model Unigram: expected unk_id of one of its tokens'],
    ['words cut for a Unigram without bytes', 'unigram-metaspace', model({ byte_fallback: false }), 'model Unigram: expected byte_fallback true behind a pre-tokenizer'],
    ['two ids for one special token', 'llama2', (held) => Object.assign(held, { post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }], special_tokens: { '<s>': { id: '<s>', ids: [1, 2], tokens: ['<s>', '</s>'] } } } }), 'post_processor TemplateProcessing: expected single of the sequence A'],
    ['another id for a special token', 'roberta', (held) => Object.assign(held.post_processor as object, { cls: ['<s>', 7] }), 'post_processor RobertaProcessing: expected cls and sep that are tokens with their ids'],
    ['cleaning up behind words', 'gpt2', (held) => (held.decoder = { type: 'WordPiece', prefix: '##', cleanup: true }), 'decoder WordPiece: expected cleanup false'],
  ])('%s', async (_, kind, edit, message) => {
    const opened = openWith(kind, edit)
    await expect(opened).rejects.toMatchObject({ name: 'UnsupportedModel' })
    await expect(opened).rejects.toThrow('tokenizer.json: ')
    await expect(opened).rejects.toThrow(message)
  }) // prettier-ignore
})
