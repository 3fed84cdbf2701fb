"""Checks greedy decoding: the same prompts in transformers, and every first divergence with the gap that explains it.

    python bench/peers/check_greedy.py --model FOLDER --completions GREEDY.jsonl

A line is {"prompt_ids": [ids], "completion_ids": [ids]} as the engine decoded it at temperature 0. transformers runs over
prompt and completion at once, in float32: where its best token is not the engine's, that is the first divergence (later ones
follow from it and are not counted). Prints a JSON line for each, with both tokens and the gap between the two best logits,
and a summary; `unexplained` counts divergences whose gap is above --near (1e-3), and the exit status is 1 if there are any.
"""

import argparse
import json
import sys

import torch
from figures import emit, set_threads
from transformers import AutoModelForCausalLM, AutoTokenizer

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--completions", required=True)
parser.add_argument("--near", type=float, default=1e-3)
parser.add_argument("--threads", type=int, default=2)
args = parser.parse_args()

set_threads(args.threads)
model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).eval()
tokenizer = AutoTokenizer.from_pretrained(args.model)
with open(args.completions) as lines:
    rows = [json.loads(line) for line in lines if line.strip()]

divergences, tokens, unexplained = 0, 0, 0
for number, row in enumerate(rows):
    prompt, completion = row["prompt_ids"], row["completion_ids"]
    tokens += len(completion)
    with torch.no_grad():
        logits = model(torch.tensor([prompt + completion]), use_cache=False).logits[0, len(prompt) - 1 : -1]  # [T, V]
    wrong = (logits.argmax(-1) != torch.tensor(completion)).nonzero()[:, 0]
    if len(wrong) == 0:
        continue
    at = wrong[0].item()
    top = logits[at].topk(2)
    gap = (top.values[0] - top.values[1]).item()
    ours = completion[at]
    divergences += 1
    unexplained += gap > args.near or ours != top.indices[1].item()
    emit(
        row=number,
        token=at,
        of=len(completion),
        ours=ours,
        oursText=tokenizer.decode([ours]),
        theirs=top.indices[0].item(),
        theirsText=tokenizer.decode([top.indices[0].item()]),
        gap=gap,
        ourLogitBelowBest=(top.values[0] - logits[at, ours]).item(),
    )
emit(rows=len(rows), tokens=tokens, divergences=divergences, unexplained=unexplained)
sys.exit(1 if unexplained else 0)
