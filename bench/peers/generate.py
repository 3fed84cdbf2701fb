"""Peer of sampling: tokens/s of transformers `generate`.

    python bench/peers/generate.py --model FOLDER --groups 4 --samples 16 --prompt 128 --new 64

`groups` random prompts of `prompt` tokens, `samples` completions of each (num_return_sequences, which computes the prompt
once a sample), exactly `new` tokens a completion: there is no end token. Temperature 1, the whole distribution, float32,
sdpa attention, which is transformers' default and its fastest on a CPU. Prints one JSON line; tokensPerSecond counts
sampled tokens over the median of the whole call, prefill included.
"""

import argparse

import torch
import transformers
from figures import emit, median, peak_memory_mib, random_ids, seconds, set_threads
from transformers import AutoModelForCausalLM, GenerationConfig

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--groups", type=int, default=1)
parser.add_argument("--samples", type=int, default=1)
parser.add_argument("--prompt", type=int, default=128)
parser.add_argument("--new", type=int, default=64)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--repeats", type=int, default=1)
parser.add_argument("--warmup", type=int, default=1, help="uncounted calls, of 4 new tokens each")
args = parser.parse_args()

set_threads(args.threads)
torch.manual_seed(0)
model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).eval()
ids = random_ids(model.config.vocab_size, (args.groups, args.prompt))
model.generation_config = GenerationConfig(pad_token_id=0)  # forgets the folder's end token


def sample(new):
    settings = GenerationConfig(
        max_new_tokens=new,
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        num_return_sequences=args.samples,
        pad_token_id=0,
    )
    with torch.no_grad():
        out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=settings)
    rows = args.groups * args.samples
    assert out.shape == (rows, args.prompt + new), (
        f"generate: expected {rows} x {args.prompt + new} ids, found {tuple(out.shape)}"
    )


for _ in range(args.warmup):
    sample(4)
taken = seconds(lambda: sample(args.new), args.repeats, warmup=0)
emit(
    peer=f"transformers {transformers.__version__}, torch {torch.__version__}",
    work="generate",
    model=args.model,
    groups=args.groups,
    samples=args.samples,
    prompt=args.prompt,
    new=args.new,
    threads=args.threads,
    seconds=median(taken),
    allSeconds=taken,
    tokensPerSecond=args.groups * args.samples * args.new / median(taken),
    peakMemoryMiB=peak_memory_mib(),
)
