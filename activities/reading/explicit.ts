/**
 * What a model's files leave to whoever reads them, written down in them when they are taken in: that its head is its
 * own, and which token ends a completion. So the policy's digest names what is computed, every reader of an exported
 * checkpoint reads the same, and what was taken in before keeps its digest and its reading. A person is told.
 */
import { isObject, type Json } from '../policy/objects.ts'
import { readJson, type OpenPolicy } from '../policy/open.ts'
import type { Tokenizer } from '../policy/tokenizer.ts'
import type { Explicit } from './reader.ts'

type Files = OpenPolicy['files']

export async function explicitOf({ files, config }: OpenPolicy, tokenizer: Tokenizer): Promise<Explicit> {
  const notes: string[] = []
  const written: { name: string; text: string }[] = []
  const write = (name: string, json: Json, fields: Json) =>
    written.push({ name, text: `${JSON.stringify({ ...json, ...fields }, null, 2)}\n` })

  const said = (await readJson(files, 'config.json')) as Json
  if (said.tie_word_embeddings === true && !config.tied) {
    notes.push(
      'Model: its lm_head.weight differs from its embedding, although config.json says that they are one ' +
        '(tie_word_embeddings); both are kept',
    )
    write('config.json', said, { tie_word_embeddings: false })
  }
  if (config.endTokens.length === 0) {
    const end = await endOf(files, tokenizer, config.vocabulary)
    if (end === null)
      notes.push(
        'Model: no end token, neither in its configuration nor in its tokenizer: every completion will be cut',
      )
    else {
      notes.push(
        `Model: no end token in config.json or generation_config.json; it is the eos_token of ${end.file}, token ${end.id}`,
      )
      const generation = await readJson(files, 'generation_config.json', { optional: true })
      write('generation_config.json', isObject(generation) ? generation : {}, { eos_token_id: end.id })
    }
  }
  return { notes, written }
}

/** The tokenizer's own end token: a text, or an object with its content. */
async function endOf(
  files: Files,
  tokenizer: Tokenizer,
  rows: number,
): Promise<{ id: number; file: string } | null> {
  for (const file of ['tokenizer_config.json', 'special_tokens_map.json']) {
    const json = await readJson(files, file, { optional: true })
    const named = isObject(json) ? json.eos_token : undefined
    const content = isObject(named) ? named.content : named
    const id = typeof content === 'string' ? tokenizer.idOf(content) : undefined
    if (id !== undefined && id < rows) return { id, file }
  }
  return null
}
