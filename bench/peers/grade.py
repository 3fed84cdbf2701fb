"""Peer of grading: gradings/s of Math-Verify.

    python bench/peers/grade.py --cases CASES.jsonl [--limit 2000]

A line is {gold, prediction} with an optional `expected` (boolean) and `config.raw` (the prediction is an answer, not a
completion: it is put in \\boxed{}), or {gold, completion}. Each grading parses both sides and verifies, one process, with
Math-Verify's default timeouts. Prints one JSON line; `agree` is the share of cases whose verdict is the expected one, and
`faults` the gradings that raised.
"""

import argparse
import json
import logging
import time
from importlib.metadata import version

from figures import emit
from math_verify import parse, verify

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cases", required=True)
parser.add_argument("--limit", type=int)
args = parser.parse_args()
logging.disable(logging.CRITICAL)  # Math-Verify logs every timeout


def load(path, limit):
    """(gold, completion, expected or None) of each line."""
    cases = []
    with open(path) as lines:
        for line in lines:
            case = json.loads(line)
            if case.get("kind", "grade") != "grade":
                continue
            completion = case.get("completion", case.get("prediction"))
            if case.get("config", {}).get("raw"):
                completion = f"\\boxed{{{completion}}}"
            cases.append((str(case["gold"]), str(completion), case.get("expected")))
    return cases[:limit]


def grade(gold, completion):
    # A bare gold answer is put where Math-Verify finds it; one that is a formula or a text with a box is found as it is.
    framed = gold if "$" in gold or "\\boxed" in gold else f"\\boxed{{{gold}}}"
    return verify(parse(framed), parse(completion))


cases = load(args.cases, args.limit)
assert cases, f"grade: no cases in {args.cases}"
grade("1", "\\boxed{1}")  # imports and compiles
verdicts, faults = [], 0
start = time.perf_counter()
for gold, completion, _ in cases:
    try:
        verdicts.append(grade(gold, completion))
    except Exception:  # a fault of the peer is counted, and the rest still measured
        faults += 1
        verdicts.append(None)
taken = time.perf_counter() - start
labelled = [(v, expected) for v, (_, _, expected) in zip(verdicts, cases, strict=True) if expected is not None]
emit(
    peer=f"math-verify {version('math-verify')}",
    work="grade",
    cases=args.cases,
    gradings=len(cases),
    seconds=taken,
    gradingsPerSecond=len(cases) / taken,
    agree=sum(v == e for v, e in labelled) / len(labelled) if labelled else None,
    faults=faults,
)
