/**
 * A model as it is taken in: opened as sampling and training will open it, and its tokenizer and template tried on a
 * few texts, because a pattern that takes for ever looks harmless until it meets the wrong text.
 */
import { foundOf, nameOf } from '../faults/found.ts'
import { isObject } from '../policy/objects.ts'
import { openPolicy, readConfig, readJson, type At, type OpenPolicy } from '../policy/open.ts'
import { CorruptModel } from '../policy/safetensors.ts'
import { openTokenizer, PromptRefused, type Tokenizer } from '../policy/tokenizer.ts'
import { checkRows } from '../policy/vocabulary.ts'
import { explicitOf } from './explicit.ts'
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

export const readModel: Job<'model'> = ({ files }, steps) =>
  named(steps, corrupt, async (at) => {
    const policy = await openPolicy(files, at)
    await checkIndex(policy, at)
    const tokenizer = await openTokenizer(files, at)
    checkRows(await readJson(files, 'tokenizer.json'), policy.config.vocabulary)
    tryOut(tokenizer, at)
    return explicitOf(policy, tokenizer)
  })

export const readConfiguration: Job<'config'> = ({ files }, steps) =>
  named(steps, corrupt, (at) => readConfig(files, at))

const index = 'model.safetensors.index.json'

/** The weight files of an index. Nothing but their names is believed: each must be a file beside it. */
export const readIndex: Job<'index'> = ({ path }, steps) =>
  named(steps, corrupt, async (at) => {
    const map = await weightMap([{ name: index, path }], at)
    const found = [...new Set(Object.values(map ?? {}))]
    if (found.length === 0) throw wrong('a weight_map with tensors in it', map)
    for (const file of found)
      if (typeof file !== 'string' || !/^[^/\\\p{Cc}]+\.safetensors$/u.test(file) || file.startsWith('.'))
        throw wrong('names of .safetensors files beside it', file)
    return found as string[]
  })

const wrong = (expected: string, found: unknown) =>
  new CorruptModel(`${index}: expected ${expected}, found ${foundOf(found)}`)

/** Which file holds which tensor, as the index says; null without one. */
async function weightMap(
  files: OpenPolicy['files'],
  at: At,
): Promise<Readonly<Record<string, unknown>> | null> {
  if (!files.some(({ name }) => name === index)) return null
  const json = await readJson(files, index, { at, distinctKeys: true })
  const map = isObject(json) ? json.weight_map : undefined
  if (!isObject(map)) throw wrong('an object with weight_map, which maps tensors to files', map ?? json)
  return map
}

/** Other readers open only the shard that the index names for a tensor. */
async function checkIndex({ files, tensors }: OpenPolicy, at: At): Promise<void> {
  const map = (await weightMap(files, at)) ?? {}
  for (const [name, file] of Object.entries(map)) {
    const found = tensors.get(name)?.file
    if (found === file) continue
    throw new CorruptModel(
      `${index}: weight_map: expected of each tensor the file that holds it, found that ` +
        `${tensors.has(name) ? `${nameOf(name)} is in ${nameOf(found ?? '')}` : 'one is in no file'}`,
    )
  }
}

function tryOut(tokenizer: Tokenizer, at: At): void {
  for (const text of trials) {
    at(`tokenizer.json: encoding ${text.slice(0, 12)}… (${text.length} characters)`)
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
