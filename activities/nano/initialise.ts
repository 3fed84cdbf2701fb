/**
 * A nano model before its first update: the files of a Hugging Face folder, each weight a function of (seed, tensor, index).
 *
 * Normal weights with std 0.05, output and down projections 0.05/sqrt(2 x layers) as in GPT-2 (section 2.3 of "Language
 * Models are Unsupervised Multitask Learners"), norms 1, biases 0. The embedding is larger than the rest: it is read
 * without a scale, and at 0.05 the residual stream would begin far below what the first blocks add to it.
 */
import { stream } from '../seed.ts'
import { nanoConfig, shape, type Layout } from './config.ts'
import { nanoTokenizerConfig, nanoTokenizerJson, vocabularySize } from './tokenizer.ts'

export const standardDeviation = {
  embedding: 0.1,
  weight: 0.05,
  projectionOut: 0.05 / Math.sqrt(2 * shape.layers),
} as const

export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array<ArrayBuffer>
}

/** Tensors by their Hugging Face names; matrices are [out, in]. */
export function initialise(layout: Layout, seed: number): Map<string, Tensor> {
  const { width: D, feedForward: F } = shape
  const tensors = new Map<string, Tensor>()
  const constant = (name: string, size: number, value: number) =>
    tensors.set(name, { shape: [size], data: new Float32Array(size).fill(value) })
  const normal = (name: string, rows: number, columns: number, deviation: number) => {
    const numbers = stream({ seed, purpose: 'initialise', problem: name })
    const data = Float32Array.from({ length: rows * columns }, (_, i) => deviation * numbers.normal(i))
    tensors.set(name, { shape: [rows, columns], data })
  }
  const { embedding, weight, projectionOut } = standardDeviation
  normal('model.embed_tokens.weight', vocabularySize, D, embedding) // [V, D], the head too
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `model.layers.${layer}`
    constant(`${at}.input_layernorm.weight`, D, 1)
    for (const part of ['q', 'k', 'v']) {
      normal(`${at}.self_attn.${part}_proj.weight`, D, D, weight)
      if (layout === 'qwen2') constant(`${at}.self_attn.${part}_proj.bias`, D, 0)
    }
    normal(`${at}.self_attn.o_proj.weight`, D, D, projectionOut)
    constant(`${at}.post_attention_layernorm.weight`, D, 1)
    normal(`${at}.mlp.gate_proj.weight`, F, D, weight)
    normal(`${at}.mlp.up_proj.weight`, F, D, weight)
    normal(`${at}.mlp.down_proj.weight`, D, F, projectionOut)
  }
  constant('model.norm.weight', D, 1)
  return tensors
}

/** The whole folder. The same layout and seed give the same bytes. */
export function initialFiles(layout: Layout, seed: number): { name: string; bytes: Uint8Array }[] {
  const json = (content: object) => new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`)
  return [
    { name: 'config.json', bytes: json(nanoConfig(layout)) },
    { name: 'tokenizer.json', bytes: json(nanoTokenizerJson()) },
    { name: 'tokenizer_config.json', bytes: json(nanoTokenizerConfig()) },
    { name: 'model.safetensors', bytes: safetensors(initialise(layout, seed)) },
  ]
}

/** https://huggingface.co/docs/safetensors: u64 header length, JSON header padded to 8 bytes, little-endian data. */
function safetensors(tensors: ReadonlyMap<string, Tensor>): Uint8Array {
  let offset = 0
  const header: Record<string, object> = { __metadata__: { format: 'pt' } }
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
  }
  const text = JSON.stringify(header)
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8))
  const bytes = new Uint8Array(8 + head.length + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true)
  bytes.set(head, 8)
  let at = 8 + head.length
  for (const { data } of tensors.values()) {
    bytes.set(new Uint8Array(data.buffer), at) // every machine that runs this is little-endian
    at += data.byteLength
  }
  return bytes
}
