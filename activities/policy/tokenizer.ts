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
import { readJson } from './open.ts'
import { CorruptModel, type PolicyFile } from './safetensors.ts'

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

export async function openTokenizer(files: readonly PolicyFile[]): Promise<Tokenizer> {
  const json = (await readJson(files, 'tokenizer.json')) as object
  const settings = ((await readJson(files, 'tokenizer_config.json', true)) ?? {}) as Record<string, unknown>
  const tokenizer = open(json, settings)
  const template = await readTemplate(files, settings)
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
          throw new Error(`tokenizer: no token for ${JSON.stringify(tokens[i])} in the text`)
        return id
      })
    },
    stream: () => stream(decode),
    renderChat(messages, { addGenerationPrompt = true } = {}) {
      if (template === null) throw new Error('chat: the policy has no chat template')
      return template.render({
        ...specials,
        messages: messages.map((message) => ({ ...message })),
        add_generation_prompt: addGenerationPrompt,
        date_string: fixedDate,
      })
    },
  }
}

function open(json: object, settings: object): LibraryTokenizer {
  try {
    return new (tokenizers as unknown as Library).Tokenizer(json, settings)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CorruptModel(`tokenizer.json: cannot be opened: ${reason}`, { cause })
  }
}

async function readTemplate(
  files: readonly PolicyFile[],
  settings: Record<string, unknown>,
): Promise<Template | null> {
  const own = files.find(({ name }) => name === 'chat_template.jinja')
  const source = own ? await readFile(own.path, 'utf8') : defaultTemplate(settings.chat_template)
  if (source === undefined) return null
  try {
    return new Template(source)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CorruptModel(`${own?.name ?? 'tokenizer_config.json'}: chat template: ${reason}`, { cause })
  }
}

/** One template, or several by name, of which `default` is meant. */
function defaultTemplate(found: unknown): string | undefined {
  if (typeof found === 'string') return found
  if (!Array.isArray(found)) return undefined
  return (found as { name: string; template: string }[]).find(({ name }) => name === 'default')?.template
}

/** bos_token and the like, which templates write themselves; some files wrap them in objects. */
function specialStrings(settings: Record<string, unknown>): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of ['bos_token', 'eos_token', 'unk_token', 'pad_token']) {
    const value = settings[name]
    const content =
      typeof value === 'object' && value !== null ? (value as { content?: unknown }).content : value
    if (typeof content === 'string') found[name] = content
  }
  return found
}

/**
 * Tokens are decoded a few at a time: from the last settled point, because a decoder may treat a text's first token
 * apart, and only emitted when the bytes at the end make whole characters.
 */
function stream(decode: (tokens: readonly number[]) => string): TextStream {
  let settled: number[] = [] // decoded before, kept as context
  let pending: number[] = []
  return {
    push(token) {
      pending.push(token)
      const before = decode(settled)
      const text = decode([...settled, ...pending])
      if (text.endsWith(replacement)) return ''
      settled = pending
      pending = []
      return text.slice(before.length)
    },
  }
}
