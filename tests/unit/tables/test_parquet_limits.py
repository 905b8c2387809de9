"""Parquet: a few bytes that stand for many are refused, everything else is read as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.corpus.readers.parquet_parts import parquet_parts
from cytomol.errors import InputError
from cytomol.report.read_matches import read_matches
from cytomol.tables import read_molecules, read_table
from cytomol.tables.streaming import open_source

cells = st.one_of(st.none(), st.sampled_from(["CCO", "CCN", "", "π"]), st.text(max_size=9))


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(cells, cells, st.floats(width=32)), min_size=1, max_size=30),
    dictionary=st.booleans(),
)
def test_tables_are_read_as_they_were_written(
    rows: list[tuple[str | None, str | None, float]],
    dictionary: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    table = pa.table(
        {
            "a.b": pa.array([row[0] for row in rows], pa.string()),
            "c": pa.array([row[1] for row in rows], pa.large_string()).dictionary_encode(),
            "d": pa.array([row[2] for row in rows], pa.float32()),
            "e": pa.array([[row[0]] for row in rows]),
            "f": pa.array([(row[1] or "").encode() for row in rows], pa.binary()),
        }
    )
    file = tmp_path_factory.mktemp("parquet") / "table.parquet"
    pq.write_table(table, file, use_dictionary=dictionary, row_group_size=7)
    frame = read_table(file)
    assert list(frame.columns) == table.column_names
    for name, place in (("a.b", 0), ("c", 1)):
        assert [one if isinstance(one, str) else None for one in frame[name]] == [row[place] for row in rows]
    assert np.array_equal(frame["d"], np.array([row[2] for row in rows], np.float32), equal_nan=True)
    assert frame["e"].tolist() == [str([row[0]]) for row in rows]
    assert frame["f"].tolist() == [row[1] or "" for row in rows]


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table of 20 KB whose texts are 180 GB."""
    rows = 200_000
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["C" * 900_000]))
    columns = {"smiles": text, "query_id": text, "Cells_a": np.arange(rows) * 0.5}
    needed = ("query_row", "rank", "candidate_row", "similarity", "top_percent", "spreads", "error")
    table = pa.table({**columns, **{name: np.zeros(rows) for name in needed}})
    file = tmp_path_factory.mktemp("bomb") / "bomb.parquet"
    pq.write_table(table, file, compression="zstd")
    assert file.stat().st_size < 10**6
    return file


def test_texts_that_become_too_long_are_refused_by_every_reader(bomb: Path) -> None:
    for read in (
        read_table,
        read_molecules,
        read_matches,
        lambda path: next(open_source(path).chunks(20_000)),
        lambda path: next(parquet_parts(path, lambda report: report.features, rows=20_000)),
    ):
        with pytest.raises(InputError, match="becomes more than"):
            read(bomb)


def test_rows_that_no_memory_holds_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    flag = pa.chunked_array([pa.nulls(2**20, pa.bool_())] * 4)
    pq.write_table(pa.table({f"c{number}": flag for number in range(40)}), file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cytomol.tables.parquet_limits._memory", lambda: 2**20)
        patch.setattr("cytomol.files.expansion._FREE", 2**20)
        with pytest.raises(InputError, match="becomes more than"):
            read_table(file)
