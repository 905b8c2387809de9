"""Parquet: every column there is, whatever its type."""

from __future__ import annotations

import datetime as dt
import decimal
import io
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cytomol.errors import InputError
from cytomol.tables.parquet import parse_parquet


def parquet(table: pa.Table | pd.DataFrame) -> bytes:
    out = io.BytesIO()
    if isinstance(table, pd.DataFrame):
        table.to_parquet(out)
    else:
        pq.write_table(table, out)
    return out.getvalue()


def test_an_index_with_a_name_is_a_column() -> None:
    frame = pd.DataFrame({"y": [1, 2]}, index=pd.Index(["CC", "CN"], name="smiles"))
    found = parse_parquet(parquet(frame), where="test")
    assert found.columns.tolist() == ["y", "smiles"]
    assert found.index.tolist() == [0, 1]
    two = pd.DataFrame({"y": [1]}, index=pd.MultiIndex.from_tuples([("a", "CC")], names=["id", "smiles"]))
    assert parse_parquet(parquet(two), where="test").columns.tolist() == ["y", "id", "smiles"]


def test_a_nameless_index_is_a_column_unless_it_counts_rows() -> None:
    texts = pd.DataFrame({"y": [1, 2]}, index=["CC", "CN"])
    assert parse_parquet(parquet(texts), where="test").to_dict("list") == {"y": [1, 2], "index": ["CC", "CN"]}
    numbers = pd.DataFrame({"y": [1, 2]}, index=[5, 3])
    assert parse_parquet(parquet(numbers), where="test").columns.tolist() == ["y"]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([dt.time(1, 2, 3), None]), ["01:02:03", None]),
        (pa.array([253402300799, None], pa.timestamp("s")), ["9999-12-31 23:59:59", None]),
        (pa.array([10**15, None], pa.timestamp("s")), None),
        (pa.array([dt.date(1, 1, 1), None]), ["0001-01-01", None]),
        (pa.array([10**18, None], pa.duration("s")), None),
        (pa.array([decimal.Decimal("1.50"), None]), ["1.50", None]),
        (pa.array([b"CC", b"\xb5"]), ["CC", "µ"]),
        (pa.array(["CC", None]).dictionary_encode(), ["CC", None]),
        (pa.array([[1, 2], None]), ["[1, 2]", None]),
        (pa.array([None, None]), [None, None]),
        (pa.array(["CC", None], pa.large_string()), ["CC", None]),
    ],
    ids=str,
)
def test_odd_types_are_text(array: pa.Array, expected: list[Any] | None) -> None:
    column = parse_parquet(parquet(pa.table({"x": array})), where="test", text=True)["x"]
    found = [None if pd.isna(value) else value for value in column]
    if expected is None:
        assert isinstance(found[0], str)
        assert str(array[0].value) in found[0].replace(" ", "")
    else:
        assert found == expected


def test_whole_numbers_stay_whole_beside_missing_ones() -> None:
    data = parquet(pa.table({"x": pa.array([702, None, 2**53 + 1])}))
    assert parse_parquet(data, where="test", text=True)["x"].astype("string").fillna("").tolist() == [
        "702", "", str(2**53 + 1),
    ]  # fmt: skip


def test_metadata_that_mean_nothing_are_left_aside() -> None:
    for described in (b"{", b'{"index_columns": [{"kind": 1}]}', b"[]", b'{"index_columns": ["gone"]}'):
        table = pa.table({"smiles": ["CC"]}).replace_schema_metadata({b"pandas": described})
        assert parse_parquet(parquet(table), where="test")["smiles"].tolist() == ["CC"]


def test_repeated_names() -> None:
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["x", "x"])
    with pytest.raises(InputError, match="'x' stands 2 times"):
        parse_parquet(parquet(table), where="test")
