/** The golden checkpoints of test/golden as a policy's files, each with the golden tokenizer beside it. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PolicyFile } from '../../activities/policy/safetensors.ts'

export const models = ['qwen2-untied', 'qwen2-tied', 'llama3-untied', 'llama3-tied', 'olmo2'] as const
const golden = fileURLToPath(new URL('../golden/', import.meta.url))

export function folderFiles(folder: string): PolicyFile[] {
  return readdirSync(join(golden, folder))
    .filter((name) => !name.startsWith('golden.') && name !== 'model.safetensors.index.json')
    .map((name) => ({ name, path: join(golden, folder, name) }))
}

export function policyFiles(model: string): PolicyFile[] {
  return [...folderFiles(model), ...folderFiles('tokenizer')]
}

/** What the generator recorded about a folder, parsed. */
export function goldenOf<T>(folder: string): T {
  return JSON.parse(readFileSync(join(golden, folder, 'golden.json'), 'utf8')) as T
}

export function goldenTensorFile(model: string): PolicyFile {
  return { name: 'golden.safetensors', path: join(golden, model, 'golden.safetensors') }
}
