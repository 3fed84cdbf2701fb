/**
 * Text to tokens and back, and chats to text, as the policy's own files define them: tokenizer.json by
 * @huggingface/tokenizers, the chat template (chat_template.jinja, or chat_template in tokenizer_config.json) by
 * @huggingface/jinja. Agreement with the Rust and Python originals is tested on golden encodings and chats.
 * Departures: text is exactly what the tokens say (`clean_up_tokenization_spaces` is ignored: it rewrites " ." in an
 * answer), and today is the spec's date (strftime.ts): a prompt never depends on when it was rendered. Where a spec has
 * none, a template that takes a `date_string` gets Llama 3's own default. Errors of the two libraries quote what they
 * read, so that theirs are said in other words. Left out: tools, documents, multi-part messages.
 */
import { readFile } from 'node:fs/promises'
import { Template } from '@huggingface/jinja'
import * as tokenizers from '@huggingface/tokenizers'
import { momentOf } from '../contracts/moment.ts'
import { foundOf } from '../faults/found.ts'
import { isObject, type Json } from './objects.ts'
import { readJson, type At } from './open.ts'
import { inItsWords } from './parts.ts'
import { PromptRefused } from './refused.ts'
import { CorruptModel, type PolicyFile } from './safetensors.ts'
import { dateForm, strftime } from './strftime.ts'
import { checkCount, checkTokenizer } from './vocabulary.ts'

export { PromptRefused, PromptTooLong } from './refused.ts'

export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** Decodes a growing completion: `push` gives the text that a token adds, once it cannot change any more. */
export interface TextStream {
  push(token: number): string
}

export interface Tokenizer {
  readonly hasTemplate: boolean
  /** `special` adds what the tokenizer puts around a text (Llama's begin-of-text); a template writes its own. */
  encode(text: string, options?: { readonly special?: boolean }): number[]
  /** Special tokens are left out of the text, as are ids that no token has. */
  decode(tokens: readonly number[]): string
  stream(): TextStream
  /** The token of an id, undefined where none has it. */
  tokenOf(id: number): string | undefined
  /** The id of a token, undefined where there is none. */
  idOf(token: string): number | undefined
  /** The chat as the policy expects it, up to where the assistant's next turn begins. */
  renderChat(messages: readonly Message[], options?: Rendering): string
}

export interface Rendering {
  readonly addGenerationPrompt?: boolean
  /** What a template is told when it asks for today: the spec's, in the form of strftime.ts. */
  readonly date?: string
}

/** What is used of the library, whose own declarations NodeNext cannot resolve. */
interface Library {
  readonly Tokenizer: new (json: object, settings: object) => LibraryTokenizer
}
interface LibraryDecoder {
  end_of_word_suffix?: string | null
  text_decoder?: { decode(bytes: Uint8Array): string }
  readonly byte_decoder?: Readonly<Record<string, number>>
  decode_chain(tokens: readonly string[]): string[]
  readonly decoders?: readonly LibraryDecoder[]
}
interface LibraryTokenizer {
  readonly decoder: LibraryDecoder | null
  encode(
    text: string,
    options: { add_special_tokens: boolean },
  ): { ids: (number | undefined)[]; tokens: string[] }
  decode(
    ids: number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string
  id_to_token(id: number): string | undefined
  token_to_id(token: string): number | undefined
}

const fixedDate = '26 Jul 2024'
// What a cut UTF-8 sequence decodes to.
const replacement = '\ufffd'

/** `at` is told what is read, before it is. */
export async function openTokenizer(files: readonly PolicyFile[], at: At = () => {}): Promise<Tokenizer> {
  const json = await readJson(files, 'tokenizer.json', { at })
  const reading = { at, optional: true, distinctKeys: true }
  const settings = (await readJson(files, 'tokenizer_config.json', reading)) ?? {}
  if (!isObject(settings))
    throw new CorruptModel(`tokenizer_config.json: expected a JSON object, found ${foundOf(settings)}`)
  at('tokenizer.json')
  checkCount('tokenizer_config.json', 'additional_special_tokens', settings['additional_special_tokens'])
  const tokenizer = open(json, settings)
  const template = await readTemplate(files, settings, at)
  const specials = specialStrings(settings)
  const fallback = byteFallback(json as Json, tokenizer)
  const added = (json as { readonly added_tokens: readonly Json[] }).added_tokens
  const strips = added.some(({ lstrip, rstrip }) => lstrip === true || rstrip === true)

  const decode = (tokens: readonly number[]): string => {
    const known = tokens.filter((id) => tokenizer.id_to_token(id) !== undefined)
    if (known.length === 0) return ''
    return tokenizer.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false })
  }
  return {
    hasTemplate: template !== null,
    decode,
    encode(text, { special = false } = {}) {
      if (strips && /[\u0085\ufeff]/.test(text))
        throw new PromptRefused(
          'tokenizer.json: added tokens with lstrip or rstrip, and U+0085 or U+FEFF in the text, which not all readers take for blanks',
        )
      const { ids, tokens } = tokenizer.encode(text, { add_special_tokens: special })
      return tokens.flatMap((token, i) => {
        const bytes = fallback(token)
        if (bytes !== null) return bytes
        const id = ids[i]
        if (id === undefined)
          throw new PromptRefused(`tokenizer.json: no token for a part of the text (token ${i + 1} of it)`)
        return [id]
      })
    },
    stream: () => stream(decode),
    tokenOf: (id) => tokenizer.id_to_token(id),
    idOf: (token) => tokenizer.token_to_id(token),
    renderChat(messages, { addGenerationPrompt = true, date } = {}) {
      if (template === null) throw new Error('chat: the policy has no chat template')
      const given = {
        ...specials,
        messages: messages.map((message) => ({ ...message })),
        add_generation_prompt: addGenerationPrompt,
        ...today(date),
      }
      try {
        return template.parsed.render(given)
      } catch (error) {
        const roles = messages.map(({ role }) => role).join(', ')
        const why = error instanceof PromptRefused ? error.message : 'it raises an exception'
        throw new PromptRefused(`${template.file}: the chat template refuses (${roles}): ${why}`)
      }
    },
  }
}

/** What a template may call: `date_string` is Llama's, which asks for `strftime_now` where it is not given one. */
function today(date: string | undefined): { date_string: string; [ours]: (format: unknown) => string } {
  if (date === undefined)
    return {
      date_string: fixedDate,
      [ours]: () => {
        throw new PromptRefused(`it asks for today's date (strftime_now), expected ${dateForm} in the spec`)
      },
    }
  const moment = momentOf(date)
  if (moment === null) throw new PromptRefused(`date: expected ${dateForm}`)
  return {
    date_string: strftime('%d %b %Y', moment),
    [ours]: (format) => strftime(String(format), moment),
  }
}

/** The bytes of what a Unigram vocabulary has no token for, as tokens, where it has one for each; null for a token. */
function byteFallback(json: Json, tokenizer: LibraryTokenizer): (token: string) => number[] | null {
  const { type, byte_fallback: falls } = json.model as Json
  if (type !== 'Unigram' || falls !== true) return () => null
  const names = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`)
  const ids = names.map((name) => tokenizer.token_to_id(name))
  return (token) => {
    if (tokenizer.token_to_id(token) !== undefined) return null
    const found = Array.from(new TextEncoder().encode(token), (byte) => ids[byte])
    return found.every((id) => id !== undefined) ? found : null
  }
}

/** Of the settings only what Rust reads too: the others would change texts before they are tokens. */
function open(json: unknown, { additional_special_tokens }: Json): LibraryTokenizer {
  checkTokenizer(json)
  try {
    const opened = new (tokenizers as unknown as Library).Tokenizer(inItsWords(json as Json), {
      ...(Array.isArray(additional_special_tokens) && { additional_special_tokens }),
    })
    if (opened.decoder) keepAll(opened.decoder)
    return opened
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const why =
      error instanceof SyntaxError ? 'a pattern is no regular expression' : 'a part lacks what it needs'
    throw new CorruptModel(`tokenizer.json: cannot be opened: ${why}`)
  }
}

/**
 * Decoding as Rust does: a byte order mark stays, a suffix of words is a decoder's business alone, and added tokens stand
 * for bytes like others, where all of their characters do.
 */
function keepAll(decoder: LibraryDecoder): void {
  decoder.end_of_word_suffix = null
  const text = new TextDecoder('utf-8', { ignoreBOM: true })
  if (decoder.text_decoder) decoder.text_decoder = text
  const { byte_decoder: byteOf } = decoder
  if (byteOf !== undefined) {
    const bytesOf = (token: string) => {
      const bytes = Array.from(token, (sign) => byteOf[sign])
      return bytes.includes(undefined) ? [...new TextEncoder().encode(token)] : (bytes as number[])
    }
    decoder.decode_chain = (tokens) => [text.decode(Uint8Array.from(tokens.flatMap(bytesOf)))]
  }
  for (const part of decoder.decoders ?? []) keepAll(part)
}

interface OwnTemplate {
  readonly file: string
  readonly parsed: Template
}

async function readTemplate(
  files: readonly PolicyFile[],
  settings: Readonly<Record<string, unknown>>,
  at: At,
): Promise<OwnTemplate | null> {
  const own = files.find(({ name }) => name === 'chat_template.jinja')
  const file = own?.name ?? 'tokenizer_config.json'
  at(`${file}: chat template`)
  const source = own ? await readFile(own.path, 'utf8') : defaultTemplate(settings.chat_template)
  if (source === null) return null
  try {
    const parsed = new Template(source)
    // The library's own `strftime_now` reads the clock, and cannot be replaced by what a template is given.
    bodyOf(parsed).unshift(...bodyOf(new Template(`{%- set strftime_now = ${ours} -%}`)))
    return { file, parsed }
  } catch {
    throw new CorruptModel(`${file}: chat template: expected Jinja, found what cannot be parsed`)
  }
}

/** A template's statements, which the library's own declarations do not show to NodeNext. */
const bodyOf = (template: Template) =>
  (template as unknown as { readonly parsed: { readonly body: unknown[] } }).parsed.body

/** What a template's `strftime_now` is given by. */
const ours = 'strftime_of_the_spec'

/** One template, or several by name, of which `default` is meant. */
function defaultTemplate(found: unknown): string | null {
  if (found === undefined || found === null) return null
  if (typeof found === 'string') return found
  const wrong = (expected: string) =>
    new CorruptModel(`tokenizer_config.json: chat_template: expected ${expected}, found ${foundOf(found)}`)
  const isNamed = (one: unknown): one is { readonly name: string; readonly template: string } =>
    isObject(one) && typeof one.name === 'string' && typeof one.template === 'string'
  if (!Array.isArray(found) || !found.every(isNamed)) throw wrong('a text, or a list of { name, template }')
  const chosen = found.find(({ name }) => name === 'default')
  if (chosen === undefined) throw wrong('one with the name "default"')
  return chosen.template
}

/** bos_token and the like, which templates write themselves; some files wrap them in objects. */
function specialStrings(settings: Readonly<Record<string, unknown>>): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of ['bos_token', 'eos_token', 'unk_token', 'pad_token']) {
    const value = settings[name]
    const content =
      typeof value === 'object' && value !== null ? (value as { content?: unknown }).content : value
    if (typeof content === 'string') found[name] = content
  }
  return found
}

/** A character has at most four bytes, so that more tokens than this wait only where something is cut for good. */
const mostWaiting = 8

/**
 * Tokens are decoded a few at a time: after some that were said before, because a decoder may treat a text's first
 * token apart, and only emitted when the bytes at the end make whole characters. Where they do not for long (tokens
 * that end within characters, one after another), all but the cut character at the end is.
 */
function stream(decode: (tokens: readonly number[]) => string): TextStream {
  let tokens: number[] = [] // what was said before, as context, and what waits
  let waiting = 0
  let said = 0 // characters of their text
  return {
    push(token) {
      tokens.push(token)
      waiting++
      const text = decode(tokens)
      const isCut = text.endsWith(replacement)
      if (isCut && waiting < mostWaiting) return ''
      const added = text.slice(said, isCut ? -1 : undefined)
      tokens = tokens.slice(-waiting)
      // A context may begin within a character; only its last one can still change, and only where the text is cut.
      const context = decode(tokens)
      said = context.length - (isCut && context.endsWith(replacement) ? 1 : 0)
      waiting = 0
      return added
    },
  }
}
