/** A folder with nano/coder's files, of which some are written anew: what a hostile hand would change, and no more. */
import { cpSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TextFile } from '../../activities/reading/reader.ts'

const nano = join(import.meta.dirname, '..', '..', 'models', 'nano', 'coder')

/** A file's new content: a text, bytes, or what its JSON becomes. */
export type Change = string | Uint8Array | ((json: Json) => unknown)

/** What tests change of a tokenizer.json; other files are read as if they had it. */
export interface Json {
  model: { vocab: Record<string, unknown> | null; merges: unknown }
  added_tokens: unknown[]
  normalizer: unknown
  pre_tokenizer: unknown
  decoder: unknown
}

/** Changed in place. */
export const edited =
  (edit: (json: Json) => void) =>
  (json: Json): unknown => {
    edit(json)
    return json
  }

export function nanoFolder(changes: Readonly<Record<string, Change>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'placebo-hostile-'))
  cpSync(nano, folder, { recursive: true })
  for (const [name, change] of Object.entries(changes)) {
    const path = join(folder, name)
    const bytes =
      typeof change === 'function'
        ? JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')) as Json))
        : change
    writeFileSync(path, bytes)
  }
  return folder
}

export const filesOf = (folder: string): TextFile[] =>
  readdirSync(folder).map((name) => ({ name, path: join(folder, name), digest: `${folder}/${name}` }))

/** What prompts are read with: no weights. */
export const textsOf = (folder: string): TextFile[] =>
  filesOf(folder).filter(({ name }) => !name.endsWith('.safetensors'))

/** A safetensors file with this header, and so many bytes of data. */
export function safetensors(header: unknown, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + json.length + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  return bytes
}
