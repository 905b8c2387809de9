"""Fuzz: Parquet. As many rows as the file says, or one error."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st
from tests.fuzz.driver import Driver
from tests.fuzz.inputs import damaged, smiles, texts

from cytomol.tables.molecules import read_molecules

TYPES: dict[pa.DataType, Any] = {
    pa.string(): texts(),
    pa.large_string(): texts(),
    pa.binary(): st.binary(max_size=8),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32),
    pa.bool_(): st.booleans(),
    pa.null(): st.none(),
    pa.date32(): st.dates(),
    pa.timestamp("s"): st.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(9999, 1, 1)),
    pa.timestamp("us", "UTC"): st.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(9999, 1, 1)),
    pa.time64("ns"): st.times(),
    pa.duration("ms"): st.timedeltas(),
    pa.decimal128(20, 3): st.decimals(-(10**6), 10**6, places=3).map(Decimal),
    pa.list_(pa.int8()): st.lists(st.integers(-128, 127), max_size=2),
    pa.struct([("a", pa.string())]): st.fixed_dictionaries({"a": texts()}),
    pa.map_(pa.string(), pa.int8()): st.lists(st.tuples(st.text(max_size=3), st.integers(0, 9)), max_size=2),
}


@st.composite
def files(draw: st.DrawFn) -> bytes:
    rows = draw(st.integers(0, 4))
    kinds = draw(st.lists(st.sampled_from(list(TYPES)), max_size=3))
    arrays, names = [], []
    for number, kind in enumerate(
        [draw(st.sampled_from([pa.string(), pa.large_string(), pa.int64()])), *kinds]
    ):
        values = smiles() if number == 0 and kind != pa.int64() else TYPES[kind]
        cells = draw(st.lists(st.one_of(st.none(), values), min_size=rows, max_size=rows))
        cells = [c.encode("utf-8", "replace").decode() if isinstance(c, str) else c for c in cells]
        try:
            arrays.append(pa.array(cells, kind))
        except (pa.ArrowException, UnicodeEncodeError, OverflowError, ValueError):
            arrays.append(pa.nulls(rows))
        names.append(
            "smiles" if number == 0 else draw(st.sampled_from(["id", "y", "index", "__index_level_0__"]))
        )
    table = pa.Table.from_arrays(arrays, names=names)
    about = draw(st.sampled_from([None, b"{}", b"[", b'{"index_columns": ["y"], "columns": []}', b"\xff"]))
    if about is not None:
        table = table.replace_schema_metadata({b"pandas": about})
    out = io.BytesIO()
    try:
        pq.write_table(table, out, compression=draw(st.sampled_from(["snappy", "none", "gzip", "zstd"])))
    except (pa.ArrowException, OverflowError, ValueError):
        return b"PAR1"
    return out.getvalue()


def case(data: bytes, folder: Path) -> None:
    path = folder / "a.parquet"
    path.write_bytes(data)
    count = len(read_molecules(path))
    assert count == pq.ParquetFile(io.BytesIO(data)).metadata.num_rows


DRIVER = Driver("parquet", st.one_of(files(), files().flatmap(damaged), st.binary(max_size=60)), case)


def test_parquet() -> None:
    DRIVER.check()
