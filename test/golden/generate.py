"""Golden values for the engine, from torch and transformers.

    python test/golden/generate.py          # writes every folder beside this file

Needs torch, transformers and tokenizers; the versions that wrote the committed files are in versions.json. Everything is
seeded and computed by one thread in float32, so a second run on the same machine writes the same bytes; another CPU may
differ in the last digits.

Model folders (qwen2-untied, qwen2-tied, llama3-untied, llama3-tied, olmo2): a random Hugging Face checkpoint of width 32
and 2 layers, and beside it

  golden.json         prompts          two prompts (token ids)
                      greedy           12 greedy tokens after each, the end token ignored; greedyGap is the smallest
                                       distance between the best and the second logit on the way
                      grpo.rollouts    completions with advantage and oldLogprobs (inputs); logprobs, entropies
                                       (temperature 1, nats) and ratios of each token (outputs)
                      grpo.loss        -1/tokens * sum over all tokens of min(r A, clip(r, 1-low, 1+high) A), r = exp(logp - old)
                      grpo.clippedLow  tokens with A < 0 and r < 1 - low;   grpo.clippedHigh: A > 0 and r > 1 + high
                      grpo.gradNorm    2-norm over all tensors, a tied head counted once, before clipping
                      optimizer        AdamW; the gradient is scaled by min(1, maxGradNorm / (gradNorm + 1e-6)) first (olmo2's limit does not bind)
  golden.safetensors  logits.0, logits.1   [tokens, vocabulary] after each prompt
                      gradient.NAME    of the loss, before clipping
                      change.NAME      weights after one AdamW step minus before (from the weights in float32)
                      change2.NAME     after a second step on the same rollouts and old log-probabilities (two models only)

Adam's first step is nearly the sign of the gradient, so an element that is rounding noise would move a full step either way.
The seeds are chosen so that no gradient has one: every element is 0 or above 1e-5 of its tensor's root mean square.

The stored weights are rounded to the folder's dtype first; everything is computed from them cast to float32.
Layout of the configs, all of which a reader meets: qwen2-* and llama3-untied as on the Hub (rope_theta and rope_scaling at
the top, torch_dtype), llama3-tied and olmo2 as transformers 5 writes them (rope_parameters, dtype). llama3-untied comes in
two shards with an index.

tokenizer/: a byte-level BPE of 384 tokens laid out like Qwen2's, a ChatML template with a default system prompt, and
golden.json with encodings, decodings and rendered chats.
"""

import json
import pathlib
import shutil

import tokenizers
import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, GenerationConfig, LlamaConfig, Olmo2Config, PreTrainedTokenizerFast, Qwen2Config

HERE = pathlib.Path(__file__).parent

SHAPE = dict(
    vocab_size=64,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=512,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=0,
)
# Head width 8 has four frequencies of wavelength 6.3, 29.7, 140 and 664; with these numbers the first stays, the second is
# blended and the last two are divided by the factor: every branch of the rule.
LLAMA3_ROPE = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)

MODELS = {
    "qwen2-untied": dict(
        seed=103, config=Qwen2Config, tied=False, dtype="float32", hub=True, rope=dict(rope_type="default", rope_theta=1e6)
    ),
    "qwen2-tied": dict(
        seed=120,
        config=Qwen2Config,
        tied=True,
        dtype="bfloat16",
        hub=True,
        rope=dict(rope_type="default", rope_theta=1e4),
        twice=True,
    ),
    "llama3-untied": dict(
        seed=104, config=LlamaConfig, tied=False, dtype="float16", hub=True, rope=LLAMA3_ROPE | dict(rope_theta=500.0), shards=2
    ),
    "llama3-tied": dict(
        seed=122, config=LlamaConfig, tied=True, dtype="bfloat16", hub=False, rope=LLAMA3_ROPE | dict(rope_theta=500.0)
    ),
    "olmo2": dict(
        seed=104,
        config=Olmo2Config,
        tied=False,
        dtype="float32",
        hub=False,
        rope=dict(rope_type="default", rope_theta=5e5),
        twice=True,
        max_grad_norm=10.0,
    ),
}

PROMPT_LENGTHS = (5, 9)
COMPLETION_LENGTHS = ((4, 7, 2), (6, 1, 5))
ADVANTAGES = ((1.2, -0.7, -0.5), (-1.1, 0.4, 0.7))
# log-ratios the old log-probabilities are made from; none lands near a clip edge
LOG_RATIOS = (0.05, 0.4, -0.1, -0.5, 0.15, -0.3, 0.3)
CLIP = (0.2, 0.2)
OPTIMIZER = dict(name="adamw", learningRate=1e-3, betas=[0.9, 0.95], eps=1e-8, weightDecay=0.0)


def random_model(row, generator):
    config = row["config"](**SHAPE, tie_word_embeddings=row["tied"], rope_parameters=row["rope"])
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    dtype = getattr(torch, row["dtype"])
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if "norm" in name:
                p.copy_(1 + 0.2 * noise)
            elif name.endswith("bias"):
                p.copy_(0.3 * noise)
            else:
                p.copy_((0.3 if "embed" in name or "lm_head" in name else 0.2) * noise)
            p.copy_(p.to(dtype).float())
    return model


def hub_config(config):
    """The layout of config.json before transformers 5, which most models on the Hub have."""
    rope = dict(config.pop("rope_parameters"))
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    config["torch_dtype"] = config.pop("dtype")
    return config


def save_model(model, row, folder):
    """The checkpoint as transformers writes it, in the row's dtype and number of shards."""
    model.generation_config = GenerationConfig(bos_token_id=1, eos_token_id=[2, 3], pad_token_id=0)
    copy = AutoModelForCausalLM.from_config(model.config).to(getattr(torch, row["dtype"]))
    copy.load_state_dict(model.state_dict())
    copy.generation_config = model.generation_config
    size = sum(p.numel() * p.element_size() for p in copy.parameters())
    copy.save_pretrained(folder, max_shard_size=int(size * 0.6) if row.get("shards") == 2 else "1GB")
    if row["hub"]:
        path = folder / "config.json"
        write_json(path, hub_config(json.loads(path.read_text())))


def log_softmax(model, ids):
    return torch.log_softmax(model(torch.tensor([ids])).logits[0], -1)


def greedy(model, prompt, n):
    ids, gap = list(prompt), float("inf")
    for _ in range(n):
        best = model(torch.tensor([ids])).logits[0, -1].topk(2)
        gap = min(gap, (best.values[0] - best.values[1]).item())
        ids.append(best.indices[0].item())
    return ids[len(prompt) :], gap


def sample(model, prompt, n, generator):
    ids = list(prompt)
    for _ in range(n):
        ids.append(torch.multinomial(log_softmax(model, ids)[-1].exp(), 1, generator=generator).item())
    return ids[len(prompt) :]


def completion_logps(model, prompt, completion):
    """Log-probability of each completion token and entropy of the distribution it came from, both [tokens]."""
    logps = log_softmax(model, prompt + completion)[len(prompt) - 1 : -1]
    return logps.gather(1, torch.tensor(completion)[:, None])[:, 0], -(logps.exp() * logps).sum(-1)


def make_rollouts(model, prompts, generator):
    rollouts, i = [], 0
    for p, prompt in enumerate(prompts):
        for length, advantage in zip(COMPLETION_LENGTHS[p], ADVANTAGES[p]):
            completion = sample(model, prompt, length, generator)
            logps, entropies = completion_logps(model, prompt, completion)
            shift = torch.tensor([LOG_RATIOS[(i + t) % len(LOG_RATIOS)] for t in range(length)])
            i += length
            old = [round(x, 4) for x in (logps - shift).tolist()]
            rollouts.append(
                dict(
                    prompt=p,
                    completion=completion,
                    advantage=advantage,
                    oldLogprobs=old,
                    logprobs=logps.tolist(),
                    entropies=entropies.tolist(),
                    ratios=(logps - torch.tensor(old)).exp().tolist(),
                )
            )
    return rollouts


def grpo_loss(model, prompts, rollouts):
    """Returns (loss, clipped low, clipped high, tokens)."""
    tokens = sum(len(r["completion"]) for r in rollouts)
    loss, low, high = 0.0, 0, 0
    for r in rollouts:
        logps, _ = completion_logps(model, prompts[r["prompt"]], r["completion"])
        ratio, a = (logps - torch.tensor(r["oldLogprobs"])).exp(), r["advantage"]
        loss = loss - torch.minimum(ratio * a, ratio.clamp(1 - CLIP[0], 1 + CLIP[1]) * a).sum() / tokens
        low += int((ratio < 1 - CLIP[0]).sum()) if a < 0 else 0
        high += int((ratio > 1 + CLIP[1]).sum()) if a > 0 else 0
    return loss, low, high, tokens


def golden_updates(model, row, prompts, rollouts):
    """Two AdamW steps on the same rollouts: the first one's loss and gradient, and the weights' change after each."""
    tensors, before = {}, {n: p.detach().clone() for n, p in model.named_parameters()}
    adamw = torch.optim.AdamW(
        model.parameters(),
        lr=OPTIMIZER["learningRate"],
        betas=OPTIMIZER["betas"],
        eps=OPTIMIZER["eps"],
        weight_decay=OPTIMIZER["weightDecay"],
        foreach=False,
    )
    grpo = {}
    for step, key in enumerate(("change", "change2") if row.get("twice") else ("change",)):
        adamw.zero_grad()
        loss, low, high, tokens = grpo_loss(model, prompts, rollouts)
        loss.backward()
        if step == 0:
            tensors |= {f"gradient.{n}": p.grad.clone() for n, p in model.named_parameters()}
            for name, p in model.named_parameters():
                smallest = p.grad[p.grad != 0].abs().min() / p.grad.square().mean().sqrt()
                assert smallest > 1e-5, f"{name}: an element of the gradient is {smallest:.1e} of the rms, take another seed"
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), row.get("max_grad_norm", 1.0)).item()
        if step == 0:
            grpo = dict(clip=list(CLIP), loss=loss.item(), tokens=tokens, clippedLow=low, clippedHigh=high, gradNorm=norm)
        else:
            grpo |= dict(secondLoss=loss.item(), secondGradNorm=norm)
        adamw.step()
        tensors |= {f"{key}.{n}": (p.detach() - before[n]).clone() for n, p in model.named_parameters()}
    return grpo, tensors


def golden_model(name, row):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    generator = torch.Generator().manual_seed(row["seed"])
    model = random_model(row, generator)
    save_model(model, row, folder)
    prompts = [torch.randint(4, 64, (n,), generator=generator).tolist() for n in PROMPT_LENGTHS]
    with torch.no_grad():
        tensors = {f"logits.{i}": model(torch.tensor([p])).logits[0].clone() for i, p in enumerate(prompts)}
        greedies = [greedy(model, p, 12) for p in prompts]
        rollouts = make_rollouts(model, prompts, generator)
    grpo, updates = golden_updates(model, row, prompts, rollouts)
    save_file({k: v.contiguous() for k, v in (tensors | updates).items()}, folder / "golden.safetensors")
    golden = dict(
        prompts=prompts,
        greedy=[g for g, _ in greedies],
        greedyGap=min(gap for _, gap in greedies),
        grpo=grpo | dict(rollouts=rollouts),
        optimizer=OPTIMIZER | dict(maxGradNorm=row.get("max_grad_norm", 1.0)),
    )
    write_json(folder / "golden.json", golden)
    print(
        f"{name}: loss {grpo['loss']:.6f}, gradient norm {grpo['gradNorm']:.4f}, clipped {grpo['clippedLow']} low {grpo['clippedHigh']} high of {grpo['tokens']}"
    )


# Qwen2's split: contractions, words with one leading character, single digits, punctuation, newlines, blanks.
SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CORPUS = [
    "Let's compute the answer step by step. The final answer is \\boxed{42}.",
    "First multiply, then add: 3*4 = 12 and then 12 + 5 = 17. So the answer is 17.",
    "```python\nfor i in range(10):\n    print(i * i)\n```\nThe output is the sum of the squares.",
    "What is the value of x if 2x + 3 = 11? We have 2x = 8, so x = 4.",
    "Please reason step by step, and put your final answer within \\boxed{}.",
    "The fraction \\frac{1}{2} is equal to 0.5, and \\sqrt{2} is not rational.",
]
CHAT_TEMPLATE = (
    "{%- if messages[0]['role'] == 'system' %}\n"
    "    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}\n"
    "{%- else %}\n"
    "    {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}\n"
    "{%- endif %}\n"
    "{%- for message in messages %}\n"
    "    {%- if message.role == 'user' or (message.role == 'system' and not loop.first) or message.role == 'assistant' %}\n"
    "        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n"
    "    {%- endif %}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n"
    "    {{- '<|im_start|>assistant\\n' }}\n"
    "{%- endif %}\n"
)
TEXTS = [
    "",
    " ",
    "   leading and trailing   ",
    "\n\n\n",
    "\ttab\r\nwindows newline\r",
    "Let's compute: it's 3*4 = 12.",
    "I'LL SHOUT, YOU'VE WON",
    "1234567890",
    "3.14159 and -2,718",
    "\\boxed{\\frac{1}{2}}",
    "$x^2 + y_{i,j} \\leq \\sqrt[3]{z}$",
    "```python\nprint('hi')\n```",
    "caf\u00e9",
    "cafe\u0301 composes under NFC",
    "na\u00efve co\u00f6perate \u00c5ngstr\u00f6m \u212b",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002",
    "\u65e5\u672c\u8a9e\u306e\u30c6\u30b9\u30c8",
    "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab",
    "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "\U0001f600\U0001f680",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 family",
    "flag \U0001f1e9\U0001f1ea, skin \U0001f44d\U0001f3fd",
    "zero\u200bwidth\u00a0nbsp\ufeffbom",
    "\u0000\u0001\u001f control",
    "math \U0001d7d8\U0001d7d9 \u00bd \u2460 \u0663",
    "<|im_start|>user\nhello<|im_end|>\n",
    "<|im_start|> <|im_end|><|endoftext|>",
    "<|im_start |> not special <|im_",
    "a<|endoftext|>b",
    "a" * 70,
    "   \n  \n x",
    "...!!!???",
    "word" + " " * 9 + "word",
    "\u2028line\u2029paragraph\u0085next",
]
CHATS = [
    dict(messages=[dict(role="user", content="What is 3*4?")], addGenerationPrompt=True),
    dict(
        messages=[
            dict(role="system", content="Put your final answer within \\boxed{}."),
            dict(role="user", content="  1 + 1?\n"),
        ],
        addGenerationPrompt=True,
    ),
    dict(
        messages=[
            dict(role="user", content="hi"),
            dict(role="assistant", content="Hello \U0001f600"),
            dict(role="user", content="<|im_end|>{{ 7*7 }}"),
        ],
        addGenerationPrompt=True,
    ),
    dict(
        messages=[
            dict(role="user", content="'quoted' \"twice\""),
            dict(role="system", content="late system"),
            dict(role="assistant", content="done"),
        ],
        addGenerationPrompt=False,
    ),
]


def train_tokenizer(folder):
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.normalizer = tokenizers.normalizers.NFC()
    split = tokenizers.pre_tokenizers.Split(tokenizers.Regex(SPLIT), "isolated")
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [split, tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.post_processor = tokenizers.processors.ByteLevel(trim_offsets=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=381, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([tokenizers.AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    added = {
        str(tokenizer.token_to_id(t)): dict(
            content=t, lstrip=False, normalized=False, rstrip=False, single_word=False, special=True
        )
        for t in SPECIAL
    }
    config = dict(
        add_bos_token=False,
        add_prefix_space=False,
        added_tokens_decoder=added,
        additional_special_tokens=SPECIAL[1:],
        bos_token=None,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        eos_token="<|im_end|>",
        errors="replace",
        model_max_length=512,
        pad_token="<|endoftext|>",
        tokenizer_class="PreTrainedTokenizerFast",
        unk_token=None,
    )
    write_json(folder / "tokenizer_config.json", config)


def golden_tokenizer():
    folder = HERE / "tokenizer"
    shutil.rmtree(folder, ignore_errors=True)
    train_tokenizer(folder)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)

    def decode(ids):
        return dict(ids=ids, text=tokenizer.decode(ids), textWithoutSpecial=tokenizer.decode(ids, skip_special_tokens=True))

    encodings = [dict(input=text, **decode(tokenizer.encode(text, add_special_tokens=False))) for text in TEXTS]
    # completions end anywhere, also inside a character
    cut = tokenizer.encode("x\U0001f600\U0001f680 \u4f60", add_special_tokens=False)
    decodings = [decode(cut[:n]) for n in range(1, len(cut))] + [decode(cut[3:]), decode(cut[2:4] + cut[1:2])]
    chats = []
    for chat in CHATS:
        text = tokenizer.apply_chat_template(chat["messages"], tokenize=False, add_generation_prompt=chat["addGenerationPrompt"])
        chats.append(chat | dict(text=text, ids=tokenizer.encode(text, add_special_tokens=False)))
    write_json(folder / "golden.json", dict(encodings=encodings, decodings=decodings, chats=chats))
    print(f"tokenizer: {len(tokenizer)} tokens, {len(encodings)} encodings, {len(decodings)} decodings, {len(chats)} chats")


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for model_name, model_row in MODELS.items():
        golden_model(model_name, model_row)
    golden_tokenizer()
    write_json(
        HERE / "versions.json",
        dict(torch=torch.__version__, transformers=transformers.__version__, tokenizers=tokenizers.__version__),
    )
