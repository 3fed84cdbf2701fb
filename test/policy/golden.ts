/** The committed golden models (test/golden/generate.py) as policies, sequences and expected values. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Control, Sequence } from '../../activities/engine/port.ts'
import type { Optimizer } from '../../activities/contracts.ts'
import { openPolicy, type OpenPolicy } from '../../activities/policy/open.ts'
import { indexTensors, readTensor } from '../../activities/policy/safetensors.ts'

export const goldenModels = ['qwen2-untied', 'qwen2-tied', 'llama3-untied', 'llama3-tied', 'olmo2'] as const

interface Document {
  readonly prompts: number[][]
  readonly grpo: {
    readonly clip: [number, number]
    readonly loss: number
    readonly tokens: number
    readonly clippedLow: number
    readonly clippedHigh: number
    readonly gradNorm: number
    readonly secondLoss?: number
    readonly secondGradNorm?: number
    readonly rollouts: {
      prompt: number
      completion: number[]
      advantage: number
      oldLogprobs: number[]
      logprobs: number[]
      entropies: number[]
      ratios: number[]
    }[]
  }
  readonly optimizer: Extract<Optimizer, { name: 'adamw' }>
}

export interface Golden {
  readonly policy: OpenPolicy
  readonly document: Document
  readonly sequences: Sequence[]
  tensor(name: string): Promise<Float32Array>
}

export async function readGolden(name: string): Promise<Golden> {
  const folder = join(import.meta.dirname, '..', 'golden', name)
  const names = (await readdir(folder)).filter((file) => !file.startsWith('golden'))
  const policy = await openPolicy(names.map((file) => ({ name: file, path: join(folder, file) })))
  const document = JSON.parse(await readFile(join(folder, 'golden.json'), 'utf8')) as Document
  const path = join(folder, 'golden.safetensors')
  const tensors = await indexTensors([{ name: 'golden.safetensors', path }])
  return {
    policy,
    document,
    sequences: document.grpo.rollouts.map((r) => ({
      group: `${r.prompt}`,
      prompt: document.prompts[r.prompt]!,
      completion: r.completion,
      logprobs: r.oldLogprobs,
      advantage: r.advantage,
    })),
    tensor: (tensor) => readTensor(tensors.get(tensor)!),
  }
}

/** A control that never stops anything; what it was told is kept. */
export function quiet(): Control & { readonly told: unknown[] } {
  const told: unknown[] = []
  return { signal: new AbortController().signal, told, progress: (at) => told.push(at) }
}

/** ‖found - expected‖ / ‖expected‖ */
export function relativeDifference(found: Float32Array, expected: Float32Array): number {
  let [difference, size] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i]! - expected[i]!) ** 2
    size += expected[i]! ** 2
  }
  return Math.sqrt(difference / size)
}
