/**
 * Text to tokens and back, and chats to text, as the policy's own files define them: tokenizer.json by
 * @huggingface/tokenizers, the chat template (chat_template.jinja, or chat_template in tokenizer_config.json) by
 * @huggingface/jinja. Agreement with the Rust and Python originals is tested on golden encodings and chats.
 * Departures: text is exactly what the tokens say (`clean_up_tokenization_spaces` is ignored: it rewrites " ." in an
 * answer), and a template that asks for today gets Llama 3's own default date, so that a prompt never depends on when
 * it was rendered. Left out: tools, documents, multi-part messages.
 */
import { readFile } from 'node:fs/promises'
import { Template } from '@huggingface/jinja'
import * as tokenizers from '@huggingface/tokenizers'
import { readJson, type At } from './open.ts'
import { CorruptModel, type PolicyFile } from './safetensors.ts'
import { checkCount, checkTokenizer, isObject, shown } from './vocabulary.ts'

export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** A prompt that this policy's own files cannot write: its template refuses the chat, or it has no token for a text. */
export class PromptRefused extends Error {
  override readonly name = 'PromptRefused'
}

/** A prompt that leaves no room for its completion. */
export class PromptTooLong extends Error {
  override readonly name = 'PromptTooLong'
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
  /** The chat as the policy expects it, up to where the assistant's next turn begins. */
  renderChat(messages: readonly Message[], options?: { readonly addGenerationPrompt?: boolean }): string
}

/** What is used of the library, whose own declarations NodeNext cannot resolve. */
interface Library {
  readonly Tokenizer: new (json: object, settings: object) => LibraryTokenizer
}
interface LibraryTokenizer {
  encode(
    text: string,
    options: { add_special_tokens: boolean },
  ): { ids: (number | undefined)[]; tokens: string[] }
  decode(
    ids: number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string
  id_to_token(id: number): string | undefined
}

const fixedDate = '26 Jul 2024'
// What a cut UTF-8 sequence decodes to.
const replacement = '\ufffd'

/** `at` is told what is read, before it is. */
export async function openTokenizer(files: readonly PolicyFile[], at: At = () => {}): Promise<Tokenizer> {
  const json = await readJson(files, 'tokenizer.json', { at })
  const settings = (await readJson(files, 'tokenizer_config.json', { at, optional: true })) ?? {}
  if (!isObject(settings))
    throw new CorruptModel(`tokenizer_config.json: expected a JSON object, found ${shown(settings)}`)
  at('tokenizer.json')
  checkCount('tokenizer_config.json', 'additional_special_tokens', settings['additional_special_tokens'])
  const tokenizer = open(json, settings)
  const template = await readTemplate(files, settings, at)
  const specials = specialStrings(settings)

  const decode = (tokens: readonly number[]): string => {
    const known = tokens.filter((id) => tokenizer.id_to_token(id) !== undefined)
    if (known.length === 0) return ''
    return tokenizer.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false })
  }
  return {
    hasTemplate: template !== null,
    decode,
    encode(text, { special = false } = {}) {
      const { ids, tokens } = tokenizer.encode(text, { add_special_tokens: special })
      return ids.map((id, i) => {
        if (id === undefined)
          throw new PromptRefused(`tokenizer.json: no token for ${JSON.stringify(tokens[i])} in the text`)
        return id
      })
    },
    stream: () => stream(decode),
    tokenOf: (id) => tokenizer.id_to_token(id),
    renderChat(messages, { addGenerationPrompt = true } = {}) {
      if (template === null) throw new Error('chat: the policy has no chat template')
      const given = {
        ...specials,
        messages: messages.map((message) => ({ ...message })),
        add_generation_prompt: addGenerationPrompt,
        date_string: fixedDate,
      }
      try {
        return template.parsed.render(given)
      } catch (cause) {
        const roles = messages.map(({ role }) => role).join(', ')
        throw new PromptRefused(
          `${template.file}: the chat template refuses (${roles}): ${messageOf(cause)}`,
          {
            cause,
          },
        )
      }
    },
  }
}

function open(json: unknown, settings: object): LibraryTokenizer {
  checkTokenizer(json)
  try {
    return new (tokenizers as unknown as Library).Tokenizer(json as object, settings)
  } catch (cause) {
    throw new CorruptModel(`tokenizer.json: cannot be opened: ${messageOf(cause)}`, { cause })
  }
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
    return { file, parsed: new Template(source) }
  } catch (cause) {
    throw new CorruptModel(`${file}: chat template: ${messageOf(cause)}`, { cause })
  }
}

/** One template, or several by name, of which `default` is meant. */
function defaultTemplate(found: unknown): string | null {
  if (found === undefined || found === null) return null
  if (typeof found === 'string') return found
  const wrong = (expected: string) =>
    new CorruptModel(`tokenizer_config.json: chat_template: expected ${expected}, found ${shown(found)}`)
  const isNamed = (one: unknown): one is { readonly name: string; readonly template: string } =>
    isObject(one) && typeof one.name === 'string' && typeof one.template === 'string'
  if (!Array.isArray(found) || !found.every(isNamed)) throw wrong('a text, or a list of { name, template }')
  const chosen = found.find(({ name }) => name === 'default')
  if (chosen === undefined) throw wrong('one with the name "default"')
  return chosen.template
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

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
