/**
 * A model as it is taken in: opened as sampling and training will open it, and its tokenizer and template tried on a
 * few texts, because a pattern that takes for ever looks harmless until it meets the wrong text.
 */
import { readFile } from 'node:fs/promises'
import { openPolicy, readConfig, readJson, type At } from '../policy/open.ts'
import { CorruptModel } from '../policy/safetensors.ts'
import { openTokenizer, PromptRefused, type Tokenizer } from '../policy/tokenizer.ts'
import { checkRows, isObject, shown } from '../policy/vocabulary.ts'
import type { Job } from './jobs.ts'
import { named } from './named.ts'

const corrupt = (message: string, options: ErrorOptions) => new CorruptModel(message, options)

/** Runs of one letter, of blanks, and what follows them, are what patterns with nested repetitions take for ever on. */
const trials = [
  'What is $1+1$? Let\u2019s see:\n\n\\boxed{2}. \u00e9\u4f60\u{1f600}\t"x" 3.14159',
  `${'a'.repeat(2000)}!`,
  `${' '.repeat(2000)}x`,
  `${'1'.repeat(2000)}.`,
  `${'\n'.repeat(500)}x`,
  `${'ab '.repeat(500)}$`,
]

export const readModel: Job<'model'> = async ({ files }, steps) => {
  await named(steps, corrupt, async (at) => {
    const { config } = await openPolicy(files, at)
    const tokenizer = await openTokenizer(files, at)
    checkRows(await readJson(files, 'tokenizer.json'), config.vocabulary)
    tryOut(tokenizer, at)
  })
  return null
}

export const readConfiguration: Job<'config'> = ({ files }, steps) =>
  named(steps, corrupt, (at) => readConfig(files, at))

/** The weight files of an index. Nothing but their names is believed: each must be a file beside it. */
export const readIndex: Job<'index'> = ({ path }, steps) =>
  named(steps, corrupt, async (at) => {
    const name = 'model.safetensors.index.json'
    at(name)
    const wrong = (expected: string, found: unknown) =>
      new CorruptModel(`${name}: expected ${expected}, found ${shown(found)}`)
    const text = await readFile(path, 'utf8')
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      throw wrong('JSON', text.trim() === '' ? 'an empty file' : `…${text.slice(-60)} at its end`)
    }
    const map = isObject(json) ? json.weight_map : undefined
    if (!isObject(map)) throw wrong('an object with weight_map, which maps tensors to files', map ?? json)
    const found = [...new Set(Object.values(map))]
    if (found.length === 0) throw wrong('a weight_map with tensors in it', map)
    for (const file of found)
      if (typeof file !== 'string' || !/^[^/\\\0]+\.safetensors$/.test(file) || file.startsWith('.'))
        throw wrong('names of .safetensors files beside it', file)
    return found as string[]
  })

function tryOut(tokenizer: Tokenizer, at: At): void {
  for (const text of trials) {
    at(`tokenizer.json: encoding ${shown(text).slice(0, 12)}… (${text.length} characters)`)
    const tokens = encoded(tokenizer, text)
    at(`tokenizer.json: decoding ${tokens.length} tokens`)
    tokenizer.decode(tokens)
    const stream = tokenizer.stream()
    for (const token of tokens.slice(0, 500)) stream.push(token)
  }
  if (!tokenizer.hasTemplate) return
  at('chat template: rendering one question')
  try {
    encoded(tokenizer, tokenizer.renderChat([{ role: 'user', content: 'What is $1+1$?' }]))
  } catch (error) {
    // Whoever asks through the template is told; a prompt that is plain text does without.
    if (!(error instanceof PromptRefused)) throw error
  }
}

/** A small vocabulary has no tokens for most of what is tried. */
function encoded(tokenizer: Tokenizer, text: string): number[] {
  try {
    return tokenizer.encode(text, { special: true })
  } catch (error) {
    if (error instanceof PromptRefused) return []
    throw error
  }
}
