"""Checks an exported folder: transformers loads it, and its logits are the engine's.

    python bench/peers/check_export.py --model FOLDER --logits logits.json

logits.json: {"rows": [{"ids": [ids], "logits": [[V numbers] a position]}]}, or in place of logits "logprobs": the
log-probability of each token from the second on, where a whole vocabulary a position is too much to write. float32. Also
checks that the tokenizer loads and that no tensor was missing, unexpected or of another shape. Prints one JSON line and exits
with 1 if the largest difference exceeds --tolerance (1e-3).
"""

import argparse
import json
import sys

import torch
from figures import emit, set_threads
from transformers import AutoModelForCausalLM, AutoTokenizer

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--logits", required=True)
parser.add_argument("--tolerance", type=float, default=1e-3)
parser.add_argument("--threads", type=int, default=2)
args = parser.parse_args()

set_threads(args.threads)
model, loading = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32, output_loading_info=True)
model.eval()
tokenizer = AutoTokenizer.from_pretrained(args.model)
with open(args.logits) as file:
    rows = json.load(file)["rows"]

difference = 0.0
for row in rows:
    ids = torch.tensor([row["ids"]])
    with torch.no_grad():
        theirs = model(ids, use_cache=False).logits[0]  # [T, V]
    if "logits" in row:
        ours = torch.tensor(row["logits"])
    else:
        theirs = torch.log_softmax(theirs[:-1], -1).gather(1, ids[0, 1:, None])[:, 0]
        ours = torch.tensor(row["logprobs"])
    assert ours.shape == theirs.shape, (
        f"check_export: shapes differ, ours {tuple(ours.shape)}, transformers' {tuple(theirs.shape)}"
    )
    difference = max(difference, (ours - theirs).abs().max().item())

faults = {k: sorted(map(str, loading[k])) for k in ("missing_keys", "unexpected_keys", "mismatched_keys") if loading.get(k)}
emit(
    model=args.model,
    architecture=type(model).__name__,
    parameters=sum(p.numel() for p in model.parameters()),
    tokenizer=len(tokenizer),
    chatTemplate=tokenizer.chat_template is not None,
    rows=len(rows),
    difference=difference,
    **faults,
)
sys.exit(1 if difference > args.tolerance or faults else 0)
