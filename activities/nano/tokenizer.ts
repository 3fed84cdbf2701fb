/**
 * The nano tokenizer: one character a token, 64 of them, written as a Hugging Face tokenizer.json.
 *
 * A byte-level BPE without merges splits into characters and no more; byte-level because transformers gives every model of
 * the Qwen2 layout a byte-level pre-tokenizer, whatever its tokenizer.json says. `$` is the end token; a special token, so that decoded
 * completions do not show it. The alphabet covers the nano traces and the `arithmetic` problems; anything else becomes
 * `<unk>`, which is visible, where leaving it out would silently change a problem.
 */
export const pad = 0
export const unknown = 1
export const end = 2

const special = ['<pad>', '<unk>', '$'] as const
const alphabet = [...'\n 0123456789abcdefghijklmnopqrstuvwxyz+-*/=#(){}[]\\.,:?!<>^_C']
const tokens: readonly string[] = [...special, ...alphabet]
const ids = new Map(tokens.map((token, id) => [token, id]))

/** How a byte-level vocabulary writes the two characters that cannot be seen. */
const byteLevel: Readonly<Record<string, string>> = { ' ': 'Ġ', '\n': 'Ċ' }

export const vocabularySize = tokens.length // 64

/** Token ids of a text, `$` as the end token. Throws on a character outside the alphabet. */
export function encode(text: string): number[] {
  return [...text].map((character, i) => {
    const id = ids.get(character)
    if (id === undefined)
      throw new RangeError(
        `nano tokenizer: character ${i} is ${JSON.stringify(character)}, not in the alphabet`,
      )
    return id
  })
}

/** Content of tokenizer.json; loads in @huggingface/tokenizers, tokenizers (Rust, Python) and transformers. */
export function nanoTokenizerJson(): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: special[unknown],
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [byteLevel[token] ?? token, id])),
      merges: [],
    },
  }
}

/** Content of tokenizer_config.json. */
export function nanoTokenizerConfig(): object {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    pad_token: special[pad],
    unk_token: special[unknown],
    eos_token: special[end],
    clean_up_tokenization_spaces: false,
    model_max_length: 512,
  }
}
