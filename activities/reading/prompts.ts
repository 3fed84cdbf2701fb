/**
 * What a policy reads for its problems: rendered and encoded here, because a text can make a harmless-looking pattern
 * explode. Opened tokenizers are kept, by the digests of their files: a run asks for its own at every step.
 */
import { readConfig, type At } from '../policy/open.ts'
import { openTokenizer, PromptRefused, PromptTooLong, type Tokenizer } from '../policy/tokenizer.ts'
import { noRow } from '../policy/vocabulary.ts'
import type { Problem } from '../benchmarks/problem.ts'
import { canRead, promptOf, type PromptText } from '../spec/prompt.ts'
import type { Job } from './jobs.ts'
import { named } from './named.ts'
import type { Asking, TextFile } from './reader.ts'

interface Opened {
  readonly tokenizer: Tokenizer
  /** Rows of the embedding, and how many tokens the model can hold. */
  readonly rows: number
  readonly positions: number
}

/** A run's own, and that of one which is evaluated beside it. */
const kept = 2
const opened = new Map<string, Opened>()

/** What all prompts of one request may have: they cross to the worker, which holds them while it samples. */
const mostCharacters = 2 ** 26

export const readable: Job<'canRead'> = ({ tokenizer, prompt, date }, steps) =>
  named(steps, refused, async (at) => {
    const policy = await open(tokenizer, at)
    at('the prompt around a problem')
    const empty = { id: '', problem: '', answer: '' }
    promptFor(policy, { prompt, date }, empty, 'an empty problem')
    return canRead(policy.tokenizer, prompt, date)
  })

export const promptsOf: Job<'prompts'> = ({ tokenizer, prompt, date, problems }, steps) =>
  named(steps, refused, async (at) => {
    const policy = await open(tokenizer, at)
    const texts: PromptText[] = []
    let characters = 0
    for (const { id, ...asked } of problems) {
      const place = `problem ${JSON.stringify(id)}`
      at(place)
      const text = promptFor(policy, { prompt, date }, { id, ...asked, answer: '' }, place)
      characters += text.text.length + text.tokens.length
      if (characters > mostCharacters)
        throw new PromptTooLong(
          `${place}: expected at most ${mostCharacters} characters in all prompts, found more`,
        )
      texts.push(text)
    }
    return texts
  })

function promptFor(
  { tokenizer, rows, positions }: Opened,
  { prompt, date }: Pick<Asking, 'prompt'> & { readonly date: string | undefined },
  problem: Problem,
  place: string,
): PromptText {
  const text = promptOf(tokenizer, prompt, problem, date)
  const { length } = text.tokens
  if (length >= positions)
    throw new PromptTooLong(
      `${place}: expected fewer tokens than the model's ${positions} positions, found ${length}`,
    )
  const beyond = text.tokens.find((token) => token >= rows)
  if (beyond !== undefined) throw noRow(beyond, rows)
  return text
}

const refused = (message: string, options: ErrorOptions) => new PromptRefused(message, options)

async function open(files: readonly TextFile[], at: At): Promise<Opened> {
  const key = files.map(({ digest }) => digest).join()
  const known = opened.get(key)
  opened.delete(key) // so that it is the last to go
  const found = known ?? (await read(files, at))
  opened.set(key, found)
  const oldest = opened.keys().next().value
  if (opened.size > kept && oldest !== undefined) opened.delete(oldest)
  return found
}

async function read(files: readonly TextFile[], at: At): Promise<Opened> {
  const { vocabulary: rows, maxPositions: positions } = await readConfig(files, at)
  return { tokenizer: await openTokenizer(files, at), rows, positions }
}
