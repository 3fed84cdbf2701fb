"""What the peer scripts share: threads, random token ids, timing, and the one JSON line each prints."""

import json
import statistics
import time

import torch


def set_threads(n):
    torch.set_num_threads(n)
    torch.set_num_interop_threads(1)


def random_ids(vocabulary, shape, seed=0):
    """Token ids in [3, vocabulary): the low ids are special tokens in the models measured here."""
    return torch.randint(3, vocabulary, shape, generator=torch.Generator().manual_seed(seed))


def seconds(work, repeats, warmup=1):
    """Wall seconds of each repeat, after `warmup` calls that are not counted."""
    for _ in range(warmup):
        work()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


def median(values):
    return statistics.median(values)


def peak_memory_mib():
    """VmHWM: the largest resident set this process ever had."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def emit(**figures):
    print(json.dumps(figures), flush=True)
