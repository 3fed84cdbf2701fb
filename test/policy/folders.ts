/** The golden checkpoints of test/golden as a policy's files, each with the golden tokenizer beside it. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseConfig, tensorShapes } from '../../activities/policy/config.ts'
import { writeSafetensors, type PolicyFile } from '../../activities/policy/safetensors.ts'
import { stream } from '../../activities/seed.ts'

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

/** A random Llama of two layers with the golden tokenizer; norms are 1, everything else normal with deviation 0.2. */
export async function randomPolicy(folder: string, heads: number, kvHeads: number): Promise<PolicyFile[]> {
  const json = {
    architectures: ['LlamaForCausalLM'],
    hidden_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    intermediate_size: 48,
    vocab_size: 64,
    rms_norm_eps: 1e-6,
    max_position_embeddings: 512,
    eos_token_id: [2, 3],
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json))
  const tensors = [...tensorShapes(parseConfig(json, 'config.json'))].map(([name, shape]) => {
    const noise = stream({ seed: 1, purpose: 'initialise', problem: name })
    const size = shape.reduce((n, d) => n * d, 1)
    const data = Float32Array.from({ length: size }, (_, i) =>
      name.includes('norm') ? 1 : 0.2 * noise.normal(i),
    )
    return { name, shape, data }
  })
  const [path] = await writeSafetensors(tensors, join(folder, 'model'))
  return [
    { name: 'config.json', path: join(folder, 'config.json') },
    { name: 'model.safetensors', path: path! },
    ...folderFiles('tokenizer'),
  ]
}
