"""Writes the 0.8M Llama of the benchmarks as a Hugging Face folder.

    python bench/peers/make_small.py FOLDER

Width 128, 4 layers, 4 heads, 2 KV heads, SwiGLU 384, vocabulary 96, untied, float32, random weights (seed 0, std 0.02). The
tokenizer has one token a character: <|end|>, newline, and ASCII from blank to }.
"""

import json
import pathlib
import sys

import tokenizers
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

folder = pathlib.Path(sys.argv[1])
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=96,
    hidden_size=128,
    intermediate_size=384,
    num_hidden_layers=4,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=2048,
    rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    tie_word_embeddings=False,
    bos_token_id=None,
    eos_token_id=0,
    pad_token_id=0,
)
model = LlamaForCausalLM(config)
model.generation_config = GenerationConfig(eos_token_id=0, pad_token_id=0)
model.save_pretrained(folder)

characters = ["\n", *map(chr, range(32, 126))]
vocabulary = {"<|end|>": 0} | {c: i + 1 for i, c in enumerate(characters)}
tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
tokenizer.decoder = tokenizers.decoders.Fuse()
tokenizer.add_special_tokens([tokenizers.AddedToken("<|end|>", special=True, normalized=False)])
tokenizer.save(str(folder / "tokenizer.json"))
settings = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "eos_token": "<|end|>",
    "pad_token": "<|end|>",
    "clean_up_tokenization_spaces": False,
    "model_max_length": 2048,
}
(folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")
print(f"{folder}: {sum(p.numel() for p in model.parameters())} parameters, {len(vocabulary)} tokens")
