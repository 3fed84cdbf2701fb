/** Configurations that plans are counted by hand for: a nano model, and SmolLM2-135M as its config.json has it. */
import { nanoConfig } from '../../activities/nano/config.ts'
import { parseConfig } from '../../activities/policy/config.ts'

export const nano = parseConfig(nanoConfig('qwen2'), 'config.json')

export const smollm2Json = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 576,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  intermediate_size: 1536,
  vocab_size: 49_152,
  hidden_act: 'silu',
  rms_norm_eps: 1e-5,
  rope_theta: 100_000,
  max_position_embeddings: 8192,
  tie_word_embeddings: true,
  eos_token_id: 2,
}
export const smollm2 = parseConfig(smollm2Json, 'config.json')
