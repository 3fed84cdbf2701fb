/**
 * The nano models' shape, as a Hugging Face config.json in two real layouts: Qwen2's (biases on q, k and v; 155,648
 * parameters) and Llama's (none; 155,072), so that what a model does can be told apart from how it is built.
 */
import { end, pad, vocabularySize } from './tokenizer.ts'

export type Layout = 'qwen2' | 'llama'

export const shape = { width: 64, layers: 3, heads: 4, feedForward: 176 } as const

const families = {
  qwen2: { architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', use_sliding_window: false },
  llama: { architectures: ['LlamaForCausalLM'], model_type: 'llama', attention_bias: false, mlp_bias: false },
} as const

export function nanoConfig(layout: Layout) {
  return {
    ...families[layout],
    vocab_size: vocabularySize,
    hidden_size: shape.width,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.heads,
    intermediate_size: shape.feedForward,
    hidden_act: 'silu',
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    rope_scaling: null,
    max_position_embeddings: 512,
    tie_word_embeddings: true,
    attention_dropout: 0,
    bos_token_id: null,
    eos_token_id: end,
    pad_token_id: pad,
    torch_dtype: 'float32',
  }
}
