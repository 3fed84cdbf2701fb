"""Parquet files with every kind of page and value that placebo reads: what `parquet.py` leaves out.

    pip install pyarrow==26.0.1
    python test/golden/kinds.py

Each has 300 rows: uid, question, gold, messages (a list of objects), model (an object), and numbers, dates and nulls.
"""

import datetime
import decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet

here = Path(__file__).parent / "kinds"
here.mkdir(exist_ok=True)
rows = range(300)
nothing = object()
table = pyarrow.table(
    {
        "uid": pyarrow.array([1000 + i * i for i in rows], pyarrow.int64()),
        "question": [f"What is {i % 40} + {i % 7}?" for i in rows],
        "gold": [str(i % 40 + i % 7) for i in rows],
        "small": pyarrow.array([None if i % 5 == 0 else i - 150 for i in rows], pyarrow.int32()),
        "share": [i / 7 for i in rows],
        "single": pyarrow.array([i / 3 for i in rows], pyarrow.float32()),
        "flag": [None if i % 11 == 0 else i % 3 == 0 for i in rows],
        "day": [datetime.date(2026, 1, 1) + datetime.timedelta(days=i) for i in rows],
        "price": pyarrow.array([decimal.Decimal(i) / 100 for i in rows], pyarrow.decimal128(30, 2)),
        "code": pyarrow.array([bytes([i % 256, i // 256]) for i in rows], pyarrow.binary(2)),
        "messages": [
            None if i % 17 == 0 else [{"content": f"{i}/{k}", "role": "user" if k % 2 == 0 else None} for k in range(i % 4)]
            for i in rows
        ],
        "model": [None if i % 13 == 0 else {"ground_truth": str(i), "style": {"name": "rule", "weights": [i, 2 * i]}} for i in rows],
        "grid": [[[i, None], [], [i + 1]] if i % 3 else [] for i in rows],
    }
)
plain = dict(use_dictionary=False, row_group_size=128, data_page_size=512)
delta = {"uid": "DELTA_BINARY_PACKED", "small": "DELTA_BINARY_PACKED", "question": "DELTA_BYTE_ARRAY", "gold": "DELTA_LENGTH_BYTE_ARRAY"}
split = {"share": "BYTE_STREAM_SPLIT", "single": "BYTE_STREAM_SPLIT", "code": "BYTE_STREAM_SPLIT", "flag": "RLE"}
write = pyarrow.parquet.write_table
write(table, here / "dictionary.parquet", row_group_size=128, data_page_size=512, compression="snappy")
write(table, here / "plain.parquet", compression="none", **plain)
write(table, here / "second.parquet", data_page_version="2.0", row_group_size=300, data_page_size=512, compression="gzip")
write(table, here / "delta.parquet", column_encoding=delta | split, data_page_version="2.0", compression="lz4", **plain)
write(table, here / "delta-first.parquet", column_encoding=delta | split, data_page_version="1.0", compression="zstd", **plain)
