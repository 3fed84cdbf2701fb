"""Checks an update: the same GRPO steps in torch, and how far the engine's weight change is from torch's.

    python bench/peers/check_update.py --before FOLDER --after FOLDER --update update.json
    python bench/peers/check_update.py --before FOLDER --after FOLDER --settings update.json --step-folder runs/…/steps/000001

update.json is what the engine's `update` was given, field by field:

    { "objective":   { "name": "grpo", "clip": [0.2, 0.2] | null, "kl": 0, "average": "tokens" | "sequence",
                       "scale": "group" | "batch" | "none" } | { "name": "nll" },
      "optimizer":   { "name": "adamw", "learningRate": 1e-6, "betas": [0.9, 0.95], "eps": 1e-8, "weightDecay": 0,
                       "maxGradNorm": 1 } | { "name": "sgd", "learningRate": 0.2, "maxGradNorm": 1 },
      "minibatches": [ { "learningRate": 1e-6 (optional), "sequences": [ { "prompt": [ids], "completion": [ids],
                         "logprobs": [log π_old a token], "advantage": 0.7 }, … ] }, … ] }

One optimizer step a minibatch, in order, from a fresh optimizer (so: a run's first step). With --step-folder the minibatches
are one, made of all rows of rollouts*.parquet joined with rewards*.parquet by (problem, occurrence, sample); the advantage is
value - mean of its (problem, occurrence), by `scale` divided by the standard deviation of the sample (ddof 1) + 1e-6.

Both folders are read as float32. Each sequence runs alone, without padding, in eager attention. Prints a line a step (loss,
gradient norm, largest difference of log-probabilities to the stored ones), then one JSON line:

    relative       |ours - torch| / |torch| over all weights' changes, 2-norms
    worst          the tensor where that ratio is largest
    signFlips      share of the weights that moved in opposite directions
    explained      the same ratio without weights whose first gradient is below --tiny (1e-4) times its tensor's root mean square
    exact          with --exact: gradients from torch in float64, the optimizer in float32; then `ours` and `torch` are the
                   ratios of the engine's and of torch's float32 change to that one: what rounding alone costs each

Adam's first step is the learning rate times g / (|g| + eps): the sign of the gradient. A weight whose gradient is rounding noise
moves a full step either way, so `relative` has a floor of about sqrt(4 x share of such weights) whatever the engine;
The change of a weight near 1 is a few units in its
last place besides. `explained` and `exact` tell both from a fault. With sgd the change is the gradient itself and there is no such floor.
"""

import argparse
import glob
import json
import pathlib
import time

import torch
from figures import emit, set_threads
from transformers import AutoModelForCausalLM


def load(folder, dtype=torch.float32):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()


def step_folder_minibatch(folder, scale):
    """One minibatch of every stored rollout, with advantages from the stored rewards."""
    import pyarrow.parquet

    def rows(pattern):
        paths = sorted(glob.glob(str(pathlib.Path(folder) / pattern)))
        assert paths, f"check_update: no {pattern} in {folder}"
        return [row for path in paths for row in pyarrow.parquet.read_table(path).to_pylist()]

    values = {(r["problem"], r["occurrence"], r["sample"]): r["value"] for r in rows("rewards*.parquet")}
    rollouts = sorted(rows("rollouts*.parquet"), key=lambda r: (r["problem"], r["occurrence"], r["sample"]))
    groups, sequences = {}, []
    for r in rollouts:
        groups.setdefault((r["problem"], r["occurrence"]), []).append(values[r["problem"], r["occurrence"], r["sample"]])
    everything = torch.tensor([v for g in groups.values() for v in g], dtype=torch.float64)
    for r in rollouts:
        group = torch.tensor(groups[r["problem"], r["occurrence"]], dtype=torch.float64)
        spread = {"group": group, "batch": everything}.get(scale)
        divisor = 1.0 if spread is None else spread.std().item() + 1e-6
        advantage = (values[r["problem"], r["occurrence"], r["sample"]] - group.mean().item()) / divisor
        sequences.append(
            {
                "prompt": ids_of(r["promptTokens"]),
                "completion": ids_of(r["tokens"]),
                "logprobs": ids_of(r["logprobs"]),
                "advantage": advantage,
            }
        )
    return {"sequences": sequences}


def ids_of(cell):
    """A list column, stored as a Parquet list or as JSON text."""
    return json.loads(cell) if isinstance(cell, str | bytes) else list(cell)


def logps_of(model, prompt, completion):
    logits = model(torch.tensor([prompt + completion]), use_cache=False).logits[0, len(prompt) - 1 : -1]
    return torch.log_softmax(logits, -1).gather(1, torch.tensor(completion)[:, None])[:, 0]  # [T]


def sequence_loss(logps, sequence, objective):
    """Sum over the sequence's tokens of the loss, not yet averaged."""
    if objective["name"] == "nll":
        return -logps.sum()
    log_ratio = logps - torch.tensor(sequence["logprobs"])
    ratio, advantage, clip = log_ratio.exp(), sequence["advantage"], objective["clip"]
    gain = ratio * advantage
    if clip is not None:
        gain = torch.minimum(gain, ratio.clamp(1 - clip[0], 1 + clip[1]) * advantage)
    kl = (-log_ratio).exp() + log_ratio - 1  # k3, against the sampler's policy
    return (objective.get("kl", 0) * kl - gain).sum()


def weight_of(sequence, sequences, objective):
    average = objective.get("average", "tokens")
    if average == "tokens":
        return 1 / sum(len(s["completion"]) for s in sequences)
    if average == "sequence":
        return 1 / (len(sequences) * len(sequence["completion"]))
    raise SystemExit(
        f"check_update: average should be tokens or sequence (microbatch depends on the engine's cut), found {average}"
    )


def accumulate(model, minibatch, objective):
    """Adds the minibatch's gradient; returns (loss, largest |logp - stored logp|)."""
    total, difference = 0.0, 0.0
    sequences = minibatch["sequences"]
    for sequence in sequences:
        logps = logps_of(model, list(sequence["prompt"]), list(sequence["completion"]))
        if sequence.get("logprobs"):
            difference = max(difference, (logps.detach() - torch.tensor(sequence["logprobs"])).abs().max().item())
        loss = sequence_loss(logps, sequence, objective) * weight_of(sequence, sequences, objective)
        loss.backward()
        total += loss.item()
    return total, difference


def optimizer_of(model, settings):
    if settings["name"] == "sgd":
        return torch.optim.SGD(model.parameters(), lr=settings["learningRate"])
    return torch.optim.AdamW(
        model.parameters(),
        lr=settings["learningRate"],
        betas=settings["betas"],
        eps=settings["eps"],
        weight_decay=settings["weightDecay"],
        foreach=False,
    )


def update(folder, given, dtype=torch.float32):
    """Returns (change of each tensor, gradient of each tensor at the first step); weights are float32, gradients `dtype`."""
    model, weights, first = load(folder, dtype), load(folder), {}
    before = {n: p.detach().clone() for n, p in weights.named_parameters()}
    optimizer = optimizer_of(weights, given["optimizer"])
    for i, minibatch in enumerate(given["minibatches"]):
        start = time.perf_counter()
        model.load_state_dict(weights.state_dict())
        model.zero_grad()
        loss, difference = accumulate(model, minibatch, given["objective"])
        for weight, parameter in zip(weights.parameters(), model.parameters(), strict=True):
            weight.grad = parameter.grad.float()
        if i == 0:
            first = {n: p.grad.clone() for n, p in weights.named_parameters()}
        norm = torch.nn.utils.clip_grad_norm_(weights.parameters(), given["optimizer"]["maxGradNorm"]).item()
        for group in optimizer.param_groups:
            group["lr"] = minibatch.get("learningRate", given["optimizer"]["learningRate"])
        optimizer.step()
        emit(
            step=i,
            dtype=str(dtype),
            sequences=len(minibatch["sequences"]),
            loss=loss,
            gradNorm=norm,
            logprobDifferenceMax=difference,
            seconds=time.perf_counter() - start,
        )
    return {n: p.detach() - before[n] for n, p in weights.named_parameters()}, first


def ratio(ours, theirs, keep=None):
    """|ours - theirs| / |theirs| over all tensors, in float64; `keep` masks elements."""
    difference = reference = 0.0
    for name, change in theirs.items():
        mask = 1.0 if keep is None else keep[name]
        difference += (((ours[name] - change) * mask).double() ** 2).sum().item()
        reference += ((change * mask).double() ** 2).sum().item()
    return (difference / reference) ** 0.5 if reference > 0 else float("inf") if difference > 0 else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", required=True)
    parser.add_argument("--after", required=True)
    parser.add_argument("--update", help="update.json with minibatches")
    parser.add_argument("--settings", help="update.json with objective and optimizer, for --step-folder")
    parser.add_argument("--step-folder")
    parser.add_argument("--tiny", type=float, default=1e-4)
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    assert bool(args.update) != bool(args.settings and args.step_folder), (
        "check_update: give --update, or --settings and --step-folder"
    )
    set_threads(args.threads)
    given = json.loads(pathlib.Path(args.update or args.settings).read_text())
    if args.step_folder:
        given["minibatches"] = [step_folder_minibatch(args.step_folder, given["objective"].get("scale", "group"))]

    theirs, gradient = update(args.before, given)
    before = dict(load(args.before).named_parameters())
    after = dict(load(args.after).named_parameters())
    assert before.keys() == after.keys(), f"check_update: tensors differ, {sorted(before.keys() ^ after.keys())}"
    ours = {n: after[n].detach() - before[n].detach() for n in before}
    keep = {n: (g.abs() > args.tiny * g.square().mean().sqrt()).float() for n, g in gradient.items()}
    by_tensor = {n: ratio({n: ours[n]}, {n: theirs[n]}) for n in theirs}
    worst = max(by_tensor, key=by_tensor.get)
    flips = sum(((ours[n] * theirs[n]) < 0).sum().item() for n in theirs)
    figures = dict(
        relative=ratio(ours, theirs),
        explained=ratio(ours, theirs, keep),
        worst=dict(tensor=worst, relative=by_tensor[worst]),
        signFlips=flips / sum(c.numel() for c in theirs.values()),
        change=sum(c.double().square().sum().item() for c in theirs.values()) ** 0.5,
    )
    if args.exact:
        exact, _ = update(args.before, given, torch.float64)
        figures["exact"] = dict(ours=ratio(ours, exact), torch=ratio(theirs, exact))
    emit(**figures)


if __name__ == "__main__":
    main()
