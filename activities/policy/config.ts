/**
 * What a config.json says about a transformer, and the model families as rows of data.
 *
 * Read as transformers 5.23 reads it, in both layouts: rope_theta and rope_scaling at the top (as on the Hub), or
 * rope_parameters. A departure that would change a single logit (another activation, a sliding window in use, another
 * kind of rope) is refused by name rather than ignored. Rope frequencies are rounded to float32 where torch rounds
 * them; the llama3 rule is that of transformers' modeling_rope_utils.
 */
import { nameOf } from '../faults/found.ts'
import { Fields, UnsupportedModel } from './fields.ts'
import { isObject } from './objects.ts'

export { UnsupportedModel } from './fields.ts'

export type Family = 'qwen2' | 'llama' | 'olmo2'

export interface RopeScaling {
  readonly type: 'llama3'
  readonly factor: number
  readonly lowFreqFactor: number
  readonly highFreqFactor: number
  readonly originalMaxPositions: number
}

export interface ModelConfig {
  readonly family: Family
  readonly width: number // D of the residual stream
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly hidden: number // width of the MLP
  readonly vocabulary: number
  readonly normEps: number
  readonly ropeTheta: number
  readonly ropeScaling: RopeScaling | null
  /** The head is the embedding, transposed. */
  readonly tied: boolean
  readonly maxPositions: number
  readonly endTokens: readonly number[]
}

/** Weights of one layer, named after `model.layers.<i>.`; norms follow the row's `norm`. */
export interface LayerNames {
  readonly attentionNorm: string
  readonly q: string
  readonly k: string
  readonly v: string
  readonly o: string
  readonly mlpNorm: string
  readonly gate: string
  readonly up: string
  readonly down: string
}

export interface FamilyRow {
  readonly architecture: string
  readonly qkvBias: boolean
  /** 'full': an RMS norm over all heads' queries (and keys) together, before rope. */
  readonly qkNorm: 'none' | 'full'
  /** 'pre' normalises what enters attention and MLP, 'post' what comes out, before it joins the residual. */
  readonly norm: 'pre' | 'post'
  readonly names: LayerNames
}

const names: LayerNames = {
  attentionNorm: 'input_layernorm',
  q: 'self_attn.q_proj',
  k: 'self_attn.k_proj',
  v: 'self_attn.v_proj',
  o: 'self_attn.o_proj',
  mlpNorm: 'post_attention_layernorm',
  gate: 'mlp.gate_proj',
  up: 'mlp.up_proj',
  down: 'mlp.down_proj',
}

export const families: { readonly [K in Family]: FamilyRow } = {
  qwen2: { architecture: 'Qwen2ForCausalLM', qkvBias: true, qkNorm: 'none', norm: 'pre', names },
  llama: { architecture: 'LlamaForCausalLM', qkvBias: false, qkNorm: 'none', norm: 'pre', names },
  olmo2: {
    architecture: 'Olmo2ForCausalLM',
    qkvBias: false,
    qkNorm: 'full',
    norm: 'post',
    names: { ...names, attentionNorm: 'post_attention_layernorm', mlpNorm: 'post_feedforward_layernorm' },
  },
}

/** Norms over the whole projections, where the family has them. */
export const qkNormNames = { q: 'self_attn.q_norm', k: 'self_attn.k_norm' } as const

export const embeddingName = 'model.embed_tokens.weight'
export const finalNormName = 'model.norm.weight'
export const headName = 'lm_head.weight'

/** The full name of a layer's tensor: `layerTensor(3, names.q)` is model.layers.3.self_attn.q_proj.weight. */
export function layerTensor(layer: number, name: string, kind: 'weight' | 'bias' = 'weight'): string {
  return `model.layers.${layer}.${name}.${kind}`
}

/** Every tensor a model of this configuration has, with its shape, in Hugging Face's names and layout [out, in]. */
export function tensorShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { width, hidden, vocabulary } = config
  const row = families[config.family]
  const [q, kv] = [config.heads * config.headDim, config.kvHeads * config.headDim]
  const shapes = new Map<string, readonly number[]>([[embeddingName, [vocabulary, width]]])
  for (let layer = 0; layer < config.layers; layer++) {
    const set = (name: string, ...shape: number[]) => shapes.set(layerTensor(layer, name), shape)
    set(row.names.attentionNorm, width)
    set(row.names.q, q, width)
    set(row.names.k, kv, width)
    set(row.names.v, kv, width)
    set(row.names.o, width, q)
    set(row.names.mlpNorm, width)
    set(row.names.gate, hidden, width)
    set(row.names.up, hidden, width)
    set(row.names.down, width, hidden)
    if (row.qkNorm === 'full') {
      set(qkNormNames.q, q)
      set(qkNormNames.k, kv)
    }
    if (row.qkvBias)
      for (const [name, size] of [
        [row.names.q, q],
        [row.names.k, kv],
        [row.names.v, kv],
      ] as const)
        shapes.set(layerTensor(layer, name, 'bias'), [size])
  }
  shapes.set(finalNormName, [width])
  if (!config.tied) shapes.set(headName, [vocabulary, width])
  return shapes
}

/** cos and sin of every position's angles, each [positions, headDim / 2]. */
export function ropeTables(
  config: ModelConfig,
  positions: number,
): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const frequencies = ropeFrequencies(config)
  const half = frequencies.length
  const cos = new Float32Array(positions * half)
  const sin = new Float32Array(positions * half)
  for (let position = 0; position < positions; position++)
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * frequencies[i]!) // torch multiplies in float32
      cos[position * half + i] = Math.cos(angle)
      sin[position * half + i] = Math.sin(angle)
    }
  return { cos, sin }
}

/** Radians per position, [headDim / 2]; llama3 stretches long wavelengths and blends those in between. */
function ropeFrequencies({ headDim, ropeTheta, ropeScaling }: ModelConfig): Float32Array {
  const plain = Float32Array.from(
    { length: headDim / 2 },
    (_, i) => 1 / Math.fround(ropeTheta ** Math.fround((2 * i) / headDim)),
  )
  if (ropeScaling === null) return plain
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = ropeScaling
  return plain.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency
    if (wavelength > originalMaxPositions / lowFreqFactor) return frequency / factor
    if (wavelength < originalMaxPositions / highFreqFactor) return frequency
    const smooth = (originalMaxPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor)
    return ((1 - smooth) * frequency) / factor + smooth * frequency
  })
}

/**
 * The configuration in a parsed config.json; `generation`, the parsed generation_config.json, overrides the end tokens
 * as it does in transformers. `file` is for messages. Throws UnsupportedModel.
 */
export function parseConfig(json: unknown, file: string, generation?: unknown): ModelConfig {
  const read = new Fields(json, file)
  const architectures = read.value('architectures')
  const architecture: unknown = Array.isArray(architectures) ? architectures[0] : undefined
  const found = Object.entries(families).find(([, row]) => row.architecture === architecture)
  if (found === undefined) {
    const known = Object.values(families).map((row) => row.architecture)
    throw read.refuse('architectures', `one of ${known.join(', ')}`, architecture, classNames)
  }
  const family = found[0] as Family
  read.expect('hidden_act', 'silu', activations)
  read.expect('attention_bias', family === 'qwen2' ? undefined : false)
  read.expect('mlp_bias', false)
  read.expect('use_sliding_window', false)
  read.expect('partial_rotary_factor', 1)
  const width = read.count('hidden_size')
  const heads = read.count('num_attention_heads')
  const kvHeads = read.count('num_key_value_heads', heads)
  const headDim = read.count('head_dim', width / heads)
  if (heads % kvHeads !== 0) throw read.refuse('num_key_value_heads', `a divisor of ${heads} heads`)
  if (headDim % 2 !== 0) throw read.refuse('head_dim', 'an even number')
  const rope = ropeOf(read)
  return {
    family,
    width,
    layers: read.count('num_hidden_layers'),
    heads,
    kvHeads,
    headDim,
    hidden: read.count('intermediate_size'),
    vocabulary: read.count('vocab_size'),
    normEps: read.positive('rms_norm_eps'),
    ropeTheta:
      rope.value('rope_theta') === undefined
        ? read.positive('rope_theta', 10000)
        : rope.positive('rope_theta'),
    ropeScaling: ropeScalingOf(rope),
    // In all three families a head of its own is what is meant where nothing is said.
    tied: read.flag('tie_word_embeddings'),
    maxPositions: read.count('max_position_embeddings'),
    endTokens: endTokensOf(read, generation, read.count('vocab_size')),
  }
}

/** The field that holds it: rope_parameters as transformers 5 writes it, or rope_scaling, which may be null. */
function ropeOf(read: Fields): Fields {
  const name = read.value('rope_parameters') === undefined ? 'rope_scaling' : 'rope_parameters'
  const rope = new Fields(read.value(name) ?? {}, `${read.file}: ${name}`)
  const inner = rope.names().find((key) => isObject(rope.value(key)))
  // transformers has one set for each kind of layer in models that have several kinds.
  if (inner !== undefined)
    throw rope.refuse(nameOf(inner), 'one set of numbers for all layers', rope.value(inner))
  return rope
}

function ropeScalingOf(rope: Fields): RopeScaling | null {
  const name = rope.value('rope_type') === undefined ? 'type' : 'rope_type'
  const type = rope.value(name) ?? 'default'
  if (type === 'default') return null
  if (type !== 'llama3') throw rope.refuse(name, 'default or llama3', type, ropeTypes)
  rope.expect('partial_rotary_factor', 1)
  return {
    type,
    factor: rope.positive('factor'),
    lowFreqFactor: rope.positive('low_freq_factor'),
    highFreqFactor: rope.positive('high_freq_factor'),
    originalMaxPositions: rope.count('original_max_position_embeddings'),
  }
}

/** What may be said of a file's words: transformers' own names, and nothing else. */
const ropeTypes = /^(default|linear|dynamic|yarn|longrope|su|ntk|mrope|proportional|llama3)$/
const activations =
  /^(gelu|gelu_\w{1,20}|quick_gelu|relu|relu2|relu6|silu|swish|swiglu|mish|tanh|sigmoid|elu|leaky_relu)$/
const classNames =
  /^[A-Z][A-Za-z0-9]{1,40}(ForCausalLM|LMHeadModel|ForConditionalGeneration|ForSequenceClassification|ForTokenClassification|ForMaskedLM|ForQuestionAnswering|Model)$/

/** Each once, without ids that no token can have: every sampled token is looked for among them. */
function endTokensOf(config: Fields, generation: unknown, vocabulary: number): number[] {
  const overriding = generation === undefined ? undefined : new Fields(generation, 'generation_config.json')
  const source = overriding?.value('eos_token_id') === undefined ? config : overriding
  const found = source.value('eos_token_id') ?? []
  const ids: unknown[] = Array.isArray(found) ? found : [found]
  const known = new Set<number>()
  for (const id of ids) {
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0)
      throw source.refuse('eos_token_id', 'token ids')
    if (id < vocabulary) known.add(id)
  }
  if (known.size > mostEndTokens)
    throw new UnsupportedModel(
      `${source.file}: eos_token_id: expected at most ${mostEndTokens} token ids, found ${known.size}`,
    )
  return [...known]
}

/** Published models have five at most. */
const mostEndTokens = 1000
