"""Peer of training: forward and backward of a causal language model in eager PyTorch, and AdamW.

    python bench/peers/train.py --model FOLDER --batch 4 --tokens 256 [--adamw]

Cross entropy over all tokens of `batch` rows of `tokens` random ids, float32, sdpa attention, no gradient checkpointing;
gradients start as None. With --adamw also the seconds of one optimizer step over all parameters, by torch's default
implementation on a CPU and by the fused one. Prints one JSON line; medians.
"""

import argparse
import time

import torch
import transformers
from figures import emit, median, peak_memory_mib, random_ids, seconds, set_threads
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--tokens", type=int, default=256)
parser.add_argument("--adamw", action="store_true")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--repeats", type=int, default=3)
parser.add_argument("--warmup", type=int, default=1)
args = parser.parse_args()

set_threads(args.threads)
model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).train()
ids = random_ids(model.config.vocab_size, (args.batch, args.tokens))
forward_seconds, backward_seconds = [], []


def forward_backward():
    model.zero_grad(set_to_none=True)
    start = time.perf_counter()
    loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    middle = time.perf_counter()
    loss.backward()
    forward_seconds.append(middle - start)
    backward_seconds.append(time.perf_counter() - middle)


taken = seconds(forward_backward, args.repeats, args.warmup)
figures = dict(
    peer=f"torch {torch.__version__}, transformers {transformers.__version__}",
    work="train",
    model=args.model,
    parameters=sum(p.numel() for p in model.parameters()),
    batch=args.batch,
    tokens=args.tokens,
    threads=args.threads,
    seconds=median(taken),
    allSeconds=taken,
    forwardSeconds=median(forward_seconds[args.warmup :]),
    backwardSeconds=median(backward_seconds[args.warmup :]),
    tokensPerSecond=args.batch * args.tokens / median(taken),
)
if args.adamw:
    for name, fused in (("adamwSeconds", False), ("adamwFusedSeconds", True)):
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, betas=(0.9, 0.95), fused=fused)
        figures[name] = median(seconds(optimizer.step, args.repeats, args.warmup))
        del optimizer
emit(**figures, peakMemoryMiB=peak_memory_mib())
