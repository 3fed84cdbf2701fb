"""A Parquet file of the layout that DAPO's training data have: 17,000 prompts, each 100 times, 1.7 million rows.

    pip install pyarrow==26.0.1
    python test/golden/dapo.py FILE [GROUP]

Columns: data_source, prompt (a list of messages), ability, reward_model (ground_truth, style), extra_info (index).
GROUP rows make a row group (all rows in one, unless given). Statements are made of numbers, so nothing is copied.
"""

import sys

import numpy
import pyarrow
import pyarrow.parquet

prompts, copies = 17_000, 100
path = sys.argv[1]
group = int(sys.argv[2]) if len(sys.argv) > 2 else prompts * copies
asked = (
    "Solve the following problem step by step. The last line of your response should be of the form Answer: $Answer "
    "(without quotes) where $Answer is the answer to the problem.\n\n{problem}\n\n"
    'Remember to put your answer on its own line after "Answer:".'
)
words = numpy.random.default_rng(17)


def statement(i: int) -> str:
    numbers = words.integers(1, 10**6, size=24)
    return asked.format(problem=f"Problem {i}: find the sum of " + ", ".join(map(str, numbers)) + " modulo 1000.")


texts = pyarrow.array([statement(i) for i in range(prompts)])
# Copies lie apart, as they do after a shuffle by source: 0, 1, …, 16999, 0, 1, …
at = pyarrow.array(numpy.tile(numpy.arange(prompts, dtype=numpy.int32), copies))


def repeated(values: pyarrow.Array) -> pyarrow.Array:
    return pyarrow.DictionaryArray.from_arrays(at, values).dictionary_decode()


def same(text: str) -> pyarrow.Array:
    return pyarrow.repeat(text, len(at))


message = pyarrow.StructArray.from_arrays([repeated(texts), same("user")], ["content", "role"])
offsets = pyarrow.array(numpy.arange(len(at) + 1, dtype=numpy.int32))
answers = pyarrow.array([str(i * 7919 % 1000) for i in range(prompts)])
indices = pyarrow.array([f"{i:08x}-0000-4000-8000-{i * 7919:012x}" for i in range(prompts)])
table = pyarrow.table(
    {
        "data_source": same("math_dapo"),
        "prompt": pyarrow.ListArray.from_arrays(offsets, message),
        "ability": same("MATH"),
        "reward_model": pyarrow.StructArray.from_arrays(
            [repeated(answers), same("rule-lighteval/MATH_v2")], ["ground_truth", "style"]
        ),
        "extra_info": pyarrow.StructArray.from_arrays([repeated(indices)], ["index"]),
    }
)
limit = 64 * 2**20  # a dictionary holds every prompt, as it does where rows lie beside their copies
pyarrow.parquet.write_table(table, path, row_group_size=group, compression="zstd", dictionary_pagesize_limit=limit)
