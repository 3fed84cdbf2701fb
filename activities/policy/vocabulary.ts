/**
 * What a tokenizer.json must be before it is opened: the parts that are read have the types that the library takes for
 * granted, ids are ids, and decoding costs no more than what is decoded.
 *
 * Decoding runs beside sampling, where nothing can stop it, so its decoder is of a closed list, without regular
 * expressions and without replacements that make texts longer. What encoding may cost is bounded where it is done.
 */
import { foundOf } from '../faults/found.ts'
import { UnsupportedModel } from './config.ts'
import { isObject, type Json } from './objects.ts'
import { partFault } from './parts.ts'
import { CorruptModel } from './safetensors.ts'

/** Tokens are a few hundred characters at most (runs of blanks); each is repeated in completions. */
const longestToken = 1024
/** Decoding looks through the added tokens for each token. The largest published vocabularies add some 7,000. */
const mostAdded = 8000
/** Published decoders have up to five parts. */
const mostParts = 16

const file = 'tokenizer.json'
const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** Throws CorruptModel or UnsupportedModel, naming the place, what was expected and what was found. */
export function checkTokenizer(json: unknown): void {
  if (!isObject(json)) throw corrupt('', 'a JSON object', json)
  const { model, added_tokens: added, decoder } = json
  if (!isObject(model)) throw corrupt('model', 'an object', model)
  const { vocab, merges } = model
  if (Array.isArray(vocab)) checkPieces(vocab)
  else if (isObject(vocab))
    for (const [i, [token, id]] of Object.entries(vocab).entries())
      checkToken(token, id, `model.vocab, entry ${i + 1}`)
  else throw corrupt('model.vocab', 'an object or a list', vocab)
  if (merges !== undefined) checkMerges(merges)
  else if (model.type === 'BPE') throw corrupt('model.merges', 'a list', merges)
  if (!Array.isArray(added)) throw corrupt('added_tokens', 'a list', added)
  checkCount(file, 'added_tokens', added)
  for (const [i, token] of added.entries()) {
    if (!isObject(token) || typeof token.content !== 'string')
      throw corrupt(`added_tokens[${i}]`, 'an object with content and id', token)
    checkToken(token.content, token.id, `added_tokens[${i}]`)
  }
  if (decoder !== null) checkDecoder(decoder, { parts: 0 })
  const fault = partFault(json)
  if (fault !== null)
    throw new UnsupportedModel(`${file}: ${fault}; otherwise its tokens are not those of Rust's tokenizers`)
}

/** Throws UnsupportedModel where a list of special tokens is longer than any that was published. */
export function checkCount(where: string, name: string, list: unknown): void {
  if (Array.isArray(list) && list.length > mostAdded)
    throw new UnsupportedModel(`${where}: ${name}: expected at most ${mostAdded}, found ${list.length}`)
}

/**
 * Refuses a token of the vocabulary that the embedding has no row for. An added token may lie beyond: only a prompt
 * that uses it is refused.
 */
export function checkRows(json: unknown, rows: number): void {
  const { model, added_tokens } = json as { model: Json; added_tokens: readonly { content: string }[] }
  const vocab = Array.isArray(model.vocab)
    ? (model.vocab as [string, number][]).map(([token], id) => [token, id] as const)
    : Object.entries(model.vocab as Record<string, number>)
  const beyond = vocab.filter(([, id]) => id >= rows)
  if (beyond.length === 0) return
  const added = new Set(added_tokens.map(({ content }) => content))
  for (const [token, id] of beyond) if (!added.has(token)) throw noRow(id, rows)
}

export const noRow = (id: number, rows: number) =>
  new CorruptModel(
    `${file}: a token has id ${id}, the embedding of config.json has ${rows} rows (0..${rows - 1})`,
  )

function checkPieces(pieces: readonly unknown[]): void {
  for (const [id, piece] of pieces.entries()) {
    if (!Array.isArray(piece) || typeof piece[0] !== 'string' || typeof piece[1] !== 'number')
      throw corrupt(`model.vocab[${id}]`, 'a token and its score', piece)
    checkToken(piece[0], id, `model.vocab[${id}]`)
  }
}

function checkToken(token: string, id: unknown, place: string): void {
  if (!isId(id)) throw corrupt(`${place}: id`, 'a whole number of 0 or more', id)
  if (token.length > longestToken)
    throw new UnsupportedModel(
      `${file}: ${place}: expected at most ${longestToken} characters, found ${token.length}`,
    )
}

function checkMerges(merges: unknown): void {
  if (!Array.isArray(merges)) throw corrupt('model.merges', 'a list', merges)
  const wrong = merges.findIndex((merge) => {
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge
    return (
      !Array.isArray(pair) ||
      pair.length !== 2 ||
      !pair.every((part) => typeof part === 'string' && part !== '')
    )
  })
  if (wrong >= 0) throw corrupt(`model.merges[${wrong}]`, 'two tokens', merges[wrong])
}

type Decoder = (decoder: Json) => string | null

/** Why a decoder of this type is refused, or null. */
const decoders: Readonly<Record<string, Decoder>> = {
  ByteLevel: () => null,
  ByteFallback: () => null,
  Fuse: () => null,
  WordPiece: ({ prefix = '', cleanup }) =>
    typeof prefix === 'string' ? isNotCleaned(cleanup) : 'a prefix that is a text',
  Metaspace: ({ replacement = '\u2581' }) => notEmpty(replacement, 'replacement'),
  BPEDecoder: ({ suffix = '' }) => notEmpty(suffix, 'suffix'),
  CTC: ({ pad_token: pad = '', word_delimiter_token: delimiter = '', cleanup }) =>
    notEmpty(pad, 'pad_token') ?? notEmpty(delimiter, 'word_delimiter_token') ?? isNotCleaned(cleanup),
  Strip: ({ content = ' ', start = 0, stop = 0 }) =>
    typeof content === 'string' && isId(start) && isId(stop) ? null : 'a text and two counts',
  Replace: ({ pattern, content = '' }) => {
    const text = isObject(pattern) && pattern.Regex === undefined ? pattern.String : undefined
    if (typeof text !== 'string') return 'a text as pattern (regular expressions are not run while sampling)'
    if (typeof content !== 'string' || content.length > text.length)
      return 'content that is no longer than its pattern'
    // In JavaScript a dollar in a replacement may stand for what was matched.
    return content.includes('$') ? 'content without "$"' : notEmpty(text, 'pattern')
  },
}

/** The library knows fewer of the rules by which Rust joins words and signs. */
const isNotCleaned = (cleanup: unknown) => (cleanup === false ? null : 'cleanup false')

const notEmpty = (value: unknown, name: string) =>
  typeof value === 'string' && value !== '' ? null : `a ${name} that is a text and not empty`

function checkDecoder(decoder: unknown, seen: { parts: number }): void {
  if (!isObject(decoder)) throw corrupt('decoder', 'an object or null', decoder)
  seen.parts++
  if (seen.parts > mostParts)
    throw new UnsupportedModel(`${file}: decoder: expected at most ${mostParts} parts, found more`)
  if (decoder.type === 'Sequence') {
    const { decoders: parts } = decoder
    if (!Array.isArray(parts)) throw corrupt('decoder.decoders', 'a list', parts)
    for (const part of parts) checkDecoder(part, seen)
    return
  }
  const type = String(decoder.type)
  const known = Object.hasOwn(decoders, type) ? decoders[type] : undefined
  const expected = known ? known(decoder) : `one of Sequence, ${Object.keys(decoders).join(', ')}`
  if (expected === null) return
  const name = known ? `decoder ${type}` : 'decoder'
  throw new UnsupportedModel(`${file}: ${name}: expected ${expected}, found another`)
}

function corrupt(place: string, expected: string, found: unknown): CorruptModel {
  return new CorruptModel(
    `${[file, place].filter(Boolean).join(': ')}: expected ${expected}, found ${foundOf(found)}`,
  )
}
