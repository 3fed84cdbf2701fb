/**
 * The parts of a tokenizer.json from which @huggingface/tokenizers gives the ids that Rust's tokenizers give, which
 * transformers and everybody else use. Closed lists: a part that it computes otherwise, ignores or does not know is
 * refused by name when a model is taken in (a character map of `Precompiled`, a `Split` that merges, `single_word`).
 * Where another way of writing a part is the same to Rust and right in the library, `inItsWords` writes it so. Compared
 * over 1,000 texts in test/golden/vocabularies; departures that stay: characters that were assigned after Unicode 15.
 */
import { addedFault, splitsTwice } from './added.ts'
import { isObject, type Json } from './objects.ts'

/** What is expected of a part instead; null where the library does as Rust does. */
type Check = (part: Json, whole: Json) => string | null
type Checks = Readonly<Record<string, Check>>

const fine: Check = () => null
const isText = (value: unknown): value is string => typeof value === 'string'
const isAbsent = (value: unknown) => value === undefined || value === null

/** A pattern's text or regular expression. */
function patternOf({ pattern }: Json): { readonly text?: string; readonly regex?: string } {
  if (!isObject(pattern)) return {}
  if (isText(pattern.String)) return { text: pattern.String }
  return isText(pattern.Regex) ? { regex: pattern.Regex } : {}
}

const normalizers: Checks = {
  NFC: fine,
  NFD: fine,
  NFKC: fine,
  NFKD: fine,
  Prepend: ({ prepend }) => (isText(prepend) ? null : 'prepend that is a text'),
  Replace: (part) => {
    const { text, regex } = patternOf(part)
    if (text === '' || (text === undefined && regex === undefined)) return 'a pattern'
    // In JavaScript a dollar in a replacement may stand for what was matched.
    return isText(part.content) && !part.content.includes('$') ? null : 'content that is a text without "$"'
  },
}

const isInverted = ({ invert }: Json) => invert === true
const behaviorOf = ({ behavior }: Json) => (isText(behavior) ? behavior : 'Isolated')

const preTokenizers: Checks = {
  ByteLevel: fine,
  Digits: fine,
  Whitespace: fine,
  WhitespaceSplit: fine,
  Punctuation: (part) => (behaviorOf(part) === 'Contiguous' ? null : 'behavior Contiguous'),
  Metaspace: ({ replacement = '\u2581', str_rep = replacement, prepend_scheme = 'always', split = true }) => {
    if (!isText(replacement) || [...replacement].length !== 1) return 'a replacement of one character'
    if (str_rep !== replacement) return 'str_rep that is its replacement'
    if (split !== false && replacement !== '\u2581') return 'split false, or "\u2581" as replacement'
    return ['always', 'first', 'never'].includes(String(prepend_scheme))
      ? null
      : 'prepend_scheme always, first or never'
  },
  Split: (part) => {
    const { text, regex } = patternOf(part)
    if (text === '' || (text === undefined && regex === undefined)) return 'a pattern'
    const behavior = behaviorOf(part)
    if (behavior === 'Isolated') return isInverted(part) ? 'invert false with behavior Isolated' : null
    if (behavior !== 'Removed') return 'behavior Isolated or Removed'
    if (isInverted(part)) return null
    // What a group of a pattern matches would be kept by JavaScript's split.
    const hasGroup = regex === undefined || /(?<!\\)(?:\\\\)*\((?!\?)/.test(regex)
    return hasGroup ? 'a regular expression without groups of its own, with behavior Removed' : null
  },
}

/** The id that the library finds for a token that a post-processor names. */
function idOf(token: unknown, { added_tokens, model }: Json): unknown {
  const added = (added_tokens as readonly Json[]).find(({ content }) => content === token)
  if (added !== undefined) return added.id
  const { vocab } = model as Json
  return isText(token) && isObject(vocab) && Object.hasOwn(vocab, token) ? vocab[token] : undefined
}

/** [token, id], as two of Rust's processors name what they put around a text. */
const isNamedRight = (pair: unknown, whole: Json) =>
  Array.isArray(pair) && pair[1] !== undefined && idOf(pair[0], whole) === pair[1]
const around: Check = ({ cls, sep }, whole) =>
  isNamedRight(cls, whole) && isNamedRight(sep, whole) ? null : 'cls and sep that are tokens with their ids'

const postProcessors: Checks = {
  ByteLevel: fine,
  BertProcessing: around,
  RobertaProcessing: around,
  TemplateProcessing: ({ single, special_tokens: specials }, whole) => {
    if (!Array.isArray(single)) return 'a list as single'
    const isKnown = (item: unknown) => {
      if (!isObject(item)) return false
      if (isObject(item.Sequence)) return item.Sequence.id === 'A'
      const token = isObject(item.SpecialToken) ? item.SpecialToken.id : undefined
      const named =
        isText(token) && isObject(specials) && Object.hasOwn(specials, token) ? specials[token] : undefined
      const ids = isObject(named) ? named.ids : undefined
      return Array.isArray(ids) && ids.length === 1 && ids[0] === idOf(token, whole)
    }
    if (!single.every(isKnown)) return 'single of the sequence A and of special tokens, each with its one id'
    return single.filter((item) => isObject((item as Json).Sequence)).length === 1
      ? null
      : 'the sequence A once'
  },
}

/** Whether texts are cut before the model sees them. */
const isCut = ({ pre_tokenizer: pre }: Json) =>
  isObject(pre) && !(pre.type === 'Metaspace' && pre.split === false)

/** What stands for a byte of a character that has no token. */
const isByte = /^<0x[0-9A-F]{2}>$/

const models: Checks = {
  BPE: (part, whole) => {
    const {
      dropout,
      continuing_subword_prefix: prefix,
      fuse_unk,
      byte_fallback,
      vocab,
      merges,
      unk_token,
    } = part
    if (!isAbsent(dropout) && dropout !== 0) return 'no dropout'
    if (!isAbsent(prefix) && prefix !== '') return 'no continuing_subword_prefix'
    // The library fuses unknown characters of neighbouring words, too; where every byte has a token there are none.
    if (fuse_unk === true && byte_fallback !== true && isCut(whole) && !isByteLevel(whole))
      return 'fuse_unk false, or byte_fallback true, behind a pre-tokenizer'
    const known = vocab as Json
    // Rust merges what stands for unknown characters with its neighbours, the library only what was in the text.
    const isPart = (token: string) =>
      Object.hasOwn(known, token) && token !== unk_token && !isByte.test(token)
    const all = (merges as readonly (string | readonly string[])[]).every((merge) => {
      const [left = '', right = ''] = typeof merge === 'string' ? merge.split(' ') : merge
      return isPart(left) && isPart(right) && Object.hasOwn(known, left + right)
    })
    return all ? null : 'merges of characters and tokens in its vocabulary into one that is there, too'
  },
  Unigram: ({ vocab, unk_id: unknown, byte_fallback }, whole) => {
    const size = (vocab as readonly unknown[]).length
    if (!Number.isSafeInteger(unknown) || (unknown as number) < 0 || (unknown as number) >= size)
      return 'unk_id of one of its tokens'
    return isCut(whole) && byte_fallback !== true ? 'byte_fallback true behind a pre-tokenizer' : null
  },
}

function isByteLevel({ pre_tokenizer: pre }: Json): boolean {
  if (!isObject(pre)) return false
  if (pre.type === 'ByteLevel') return true
  return pre.type === 'Sequence' && Array.isArray(pre.pretokenizers) && pre.pretokenizers.some((one) => isByteLevel({ pre_tokenizer: one })) // prettier-ignore
}

/** Published tokenizers have five at most. */
const mostParts = 64

/** Where and why a tokenizer would not give Rust's ids: `pre_tokenizer Split: expected …`; null where it does. */
export function partFault(whole: Json): string | null {
  const { model } = whole
  const type = String((model as Json).type)
  const modelFault = Object.hasOwn(models, type) ? models[type]?.(model as Json, whole) : named(models)
  if (typeof modelFault === 'string') return said('model', model as Json, modelFault)
  return (
    faultIn('normalizer', 'normalizers', whole, normalizers) ??
    faultIn('pre_tokenizer', 'pretokenizers', whole, preTokenizers) ??
    faultIn('post_processor', 'processors', whole, postProcessors) ??
    addedFault(whole)
  )
}

const named = (checks: Checks, ...more: string[]) => `one of ${[...more, ...Object.keys(checks)].join(', ')}`

function faultIn(place: string, inner: string, whole: Json, checks: Checks): string | null {
  const waiting: unknown[] = [whole[place]]
  for (let seen = 0; waiting.length > 0; seen++) {
    if (seen > mostParts) return `${place}: expected at most ${mostParts} parts, found more`
    const part = waiting.shift()
    if (isAbsent(part)) continue
    if (!isObject(part)) return `${place}: expected an object or null`
    if (part.type === 'Sequence') {
      const parts = part[inner]
      if (!Array.isArray(parts)) return `${place} Sequence: expected ${inner} that is a list`
      waiting.push(...(parts as unknown[]))
      continue
    }
    const type = String(part.type)
    const fault = Object.hasOwn(checks, type) ? checks[type]?.(part, whole) : named(checks, 'Sequence')
    if (typeof fault === 'string') return said(place, part, fault)
  }
  return null
}

/** Types of Rust's that may be named; any other text is only said to be one. */
const rustTypes = /^(BPE|Unigram|WordPiece|WordLevel|BertNormalizer|Precompiled|Strip|StripAccents|Lowercase|Nmt|ByteLevel|NF(C|D|KC|KD)|Prepend|Replace|Sequence|Whitespace|WhitespaceSplit|Metaspace|CharDelimiterSplit|Split|Punctuation|Digits|UnicodeScripts|FixedLength|BertPreTokenizer|BertProcessing|RobertaProcessing|TemplateProcessing)$/ // prettier-ignore

function said(place: string, { type }: Json, fault: string): string {
  const name = isText(type) && rustTypes.test(type) ? ` ${type}` : ''
  return `${place}${name}: expected ${fault}`
}

/** The pattern of Rust's ByteLevel. */
const words = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
/** What Rust's \w matches, within brackets. */
const word = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}'

const split = (regex: string, kept: 'all' | 'matches' | 'others'): Json => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: kept === 'all' ? 'Isolated' : 'Removed',
  invert: kept === 'matches',
})
const sequence = (...pretokenizers: readonly Json[]): Json => ({ type: 'Sequence', pretokenizers })

/**
 * What the library reads differently from Rust, in words that mean to it what Rust means: its blanks, digits and letters
 * are JavaScript's or ASCII's, and its Metaspace does not split.
 */
export function inItsWords(whole: Json): Json {
  const { pre_tokenizer: pre, decoder, normalizer } = whole
  return {
    ...whole,
    // With one, if it does nothing, texts are split by the tokens that are not normalised first.
    normalizer: splitsTwice(whole) ? { type: 'Sequence', normalizers: [] } : normalizer,
    pre_tokenizer: isObject(pre) ? preInItsWords(pre) : null,
    decoder: isObject(decoder) ? decoderInItsWords(decoder) : decoder,
  }
}

function preInItsWords(part: Json): Json {
  const { type } = part
  if (type === 'Sequence')
    return { ...part, pretokenizers: (part.pretokenizers as readonly Json[]).map(preInItsWords) }
  if (type === 'Digits') return split(part.individual_digits === true ? '\\p{N}' : '\\p{N}+', 'all')
  if (type === 'Whitespace') return split(`[${word}]+|[^${word}\\p{White_Space}]+`, 'matches')
  if (type === 'WhitespaceSplit') return split('\\s+', 'others')
  if (type === 'ByteLevel' && part.use_regex !== false) {
    const bytes = { ...part, use_regex: false, add_prefix_space: false }
    // At its very beginning, unless a blank is there.
    const blank = { type: 'Replace', pattern: { Regex: '\\A[^ ]' }, content: ' $&' }
    return sequence(...(part.add_prefix_space === true ? [blank] : []), split(words, 'all'), bytes)
  }
  if (type !== 'Metaspace') return part
  const spaced = { ...part, prepend_scheme: schemeOf(part) }
  return part.split === false ? spaced : sequence(spaced, split('\u2581?[^\u2581]*', 'matches'))
}

/** An older way to write `never`. */
const schemeOf = ({ add_prefix_space: prefix, prepend_scheme: scheme }: Json) =>
  prefix === false ? 'never' : (scheme ?? 'always')

function decoderInItsWords(part: Json): Json {
  if (part.type === 'Sequence')
    return { ...part, decoders: (part.decoders as readonly Json[]).map(decoderInItsWords) }
  if (part.type !== 'Metaspace' || schemeOf(part) !== 'never') return part
  return { type: 'Replace', pattern: { String: part.replacement ?? '\u2581' }, content: ' ' }
}
