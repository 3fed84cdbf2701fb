import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseConfig, ropeTables, tensorShapes, UnsupportedModel } from '../../activities/policy/config.ts'
import { folderFiles } from './folders.ts'

function json(folder: string, name = 'config.json'): Record<string, unknown> {
  const { path } = folderFiles(folder).find((file) => file.name === name)!
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
}

const size = {
  width: 32,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  hidden: 48,
  vocabulary: 64,
  maxPositions: 512,
}
const llama3 = {
  type: 'llama3',
  factor: 8,
  lowFreqFactor: 1,
  highFreqFactor: 4,
  originalMaxPositions: 64,
}

describe('a configuration', () => {
  it('is read in the layout of the Hub', () => {
    expect(parseConfig(json('qwen2-tied'), 'config.json')).toEqual({
      ...size,
      family: 'qwen2',
      normEps: 1e-6,
      ropeTheta: 1e4,
      ropeScaling: null,
      tied: true,
      endTokens: [2],
    })
  })

  it('keeps each end token once, without those that no token has, and at most 1,000', () => {
    const ended = (eos_token_id: unknown, vocab_size = 2000) =>
      parseConfig({ ...(json('qwen2-tied') as object), vocab_size, eos_token_id }, 'config.json').endTokens
    expect(ended([7, 2, 7, 2000, 1999, 2])).toEqual([7, 2, 1999])
    expect(ended(Array.from({ length: 1_000_000 }, (_, i) => i % 1000))).toHaveLength(1000)
    const most = Array.from({ length: 1001 }, (_, i) => i)
    expect(() => ended(most)).toThrow('eos_token_id: expected at most 1000 token ids, found 1001')
    expect(() => ended([2 ** 53])).toThrow('eos_token_id: expected token ids')
  })

  it('is read in the layout of transformers 5, and its end tokens from generation_config.json', () => {
    const config = parseConfig(
      json('llama3-tied'),
      'config.json',
      json('llama3-tied', 'generation_config.json'),
    )
    expect(config).toEqual({
      ...size,
      family: 'llama',
      normEps: 1e-6,
      ropeTheta: 500,
      ropeScaling: llama3,
      tied: true,
      endTokens: [2, 3],
    })
    expect(parseConfig(json('llama3-untied'), 'config.json')).toMatchObject({
      ropeTheta: 500,
      ropeScaling: llama3,
    })
  })

  it.each([
    [
      'another architecture',
      { architectures: ['MistralForCausalLM'] },
      'config.json: architectures: expected one of Qwen2ForCausalLM, LlamaForCausalLM, Olmo2ForCausalLM, ' +
        'found "MistralForCausalLM"',
    ],
    ['another activation', { hidden_act: 'gelu' }, 'config.json: hidden_act: expected "silu", found "gelu"'],
    [
      'a sliding window in use',
      { use_sliding_window: true },
      'config.json: use_sliding_window: expected false, found true',
    ],
    ...['linear', 'dynamic', 'yarn', 'longrope', 'su'].flatMap((kind): [string, object, string][] => [
      [
        `${kind} rope by its older name`,
        { rope_scaling: { type: kind, factor: 4, short_factor: [1] } },
        `config.json: rope_scaling: type: expected default or llama3, found "${kind}"`,
      ],
      [
        `${kind} rope`,
        { rope_parameters: { rope_type: kind, rope_theta: 1e4 } },
        `config.json: rope_parameters: rope_type: expected default or llama3, found "${kind}"`,
      ],
    ]),
    [
      'a rope for each kind of layer',
      { rope_parameters: { full_attention: { rope_type: 'default', rope_theta: 1e4 } } },
      'config.json: rope_parameters: full_attention: expected one set of numbers for all layers, found an object of 2 fields',
    ],
    [
      'a word for true',
      { tie_word_embeddings: 'false' },
      'config.json: tie_word_embeddings: expected true or false, found a text of 5 characters',
    ],
    [
      'heads that the key-value heads do not divide',
      { num_key_value_heads: 3 },
      'config.json: num_key_value_heads: expected a divisor of 4 heads, found 3',
    ],
    [
      'a missing size',
      { hidden_size: null },
      'config.json: hidden_size: expected a positive number, found nothing',
    ],
    [
      'half a layer',
      { num_hidden_layers: 1.5 },
      'config.json: num_hidden_layers: expected an integer, found 1.5',
    ],
  ])('is refused for %s', (_name, change, message) => {
    const parse = () => parseConfig({ ...json('qwen2-tied'), ...change }, 'config.json')
    expect(parse).toThrow(UnsupportedModel)
    expect(parse).toThrow(message)
  })

  it('names every tensor with its shape: 2 layers of 9 matrices and norms, biases, embedding and final norm', () => {
    const shapes = tensorShapes(parseConfig(json('qwen2-tied'), 'config.json'))
    expect(shapes.size).toBe(2 * (9 + 3) + 2)
    expect(shapes.get('model.layers.1.self_attn.k_proj.weight')).toEqual([2 * 8, 32])
    expect(shapes.get('model.layers.1.self_attn.k_proj.bias')).toEqual([2 * 8])
    expect(tensorShapes(parseConfig(json('olmo2'), 'config.json')).get('lm_head.weight')).toEqual([64, 32])
  })
})

describe('rope', () => {
  it('has the angle position / theta^(2i / headDim)', () => {
    const config = parseConfig(json('qwen2-tied'), 'config.json')
    const { cos, sin } = ropeTables(config, 4)
    expect(cos.slice(0, 4)).toEqual(Float32Array.of(1, 1, 1, 1))
    // position 3, i = 2: 3 / 10000^(4/8) = 0.03
    expect(cos[3 * 4 + 2]).toBeCloseTo(Math.cos(0.03), 6)
    expect(sin[3 * 4 + 2]).toBeCloseTo(Math.sin(0.03), 6)
  })

  it('keeps short wavelengths, divides long ones by the factor and blends those between (llama3)', () => {
    const config = parseConfig(json('llama3-tied'), 'config.json')
    const angle = (i: number) => {
      const { cos, sin } = ropeTables(config, 2)
      return Math.atan2(sin[4 + i]!, cos[4 + i]!)
    }
    // theta 500, wavelengths 2 pi 500^(i/4): 6.28, 29.7, 140, 664, against 64 / 4 = 16 and 64 / 1 = 64.
    expect(angle(0)).toBeCloseTo(1, 6)
    const plain = 500 ** -0.25
    const smooth = ((64 * plain) / (2 * Math.PI) - 1) / (4 - 1)
    expect(angle(1)).toBeCloseTo(((1 - smooth) * plain) / 8 + smooth * plain, 6)
    expect(angle(2)).toBeCloseTo(500 ** -0.5 / 8, 6)
    expect(angle(3)).toBeCloseTo(500 ** -0.75 / 8, 6)
  })
})
