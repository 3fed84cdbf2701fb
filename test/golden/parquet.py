"""Parquet files as users' tools write them, one for every compression that placebo reads.

    pip install pyarrow==26.0.1 polars==2.1.0
    python test/golden/parquet.py

Rows: uid 0..99, question "<uid>+<uid>?", gold 2*uid, level uid % 5.
"""

from pathlib import Path

import polars
import pyarrow
import pyarrow.parquet

here = Path(__file__).parent / "parquet"
here.mkdir(exist_ok=True)
ids = range(100)
columns = {
    "uid": list(ids),
    "question": [f"{i}+{i}?" for i in ids],
    "gold": [2 * i for i in ids],
    "level": [i % 5 for i in ids],
}
for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
    table = pyarrow.table(columns)
    pyarrow.parquet.write_table(table, here / f"pyarrow-{codec}.parquet", compression=codec)
polars.DataFrame(columns).write_parquet(here / "polars.parquet")  # zstd, unless told otherwise
