"""Tables written chunk by chunk are those written at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytomol.errors import OutputError
from cytomol.tables import read_table
from cytomol.tables.write_chunks import Layout, check_chunks_name, open_chunks

CELLS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=6)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz", "parquet"])
@given(cells=st.lists(CELLS, min_size=1, max_size=9), size=st.integers(1, 4))
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_text_comes_back_as_it_was(suffix: str, cells: list[str], size: int, tmp_path: Path) -> None:
    path = tmp_path / f"t.{suffix}"
    frame = pd.DataFrame({"id": range(len(cells)), "text": cells})
    values = np.arange(2 * len(cells), dtype=np.float32).reshape(-1, 2) / 3
    layout = Layout(columns={"m": ["m:a", "m:b"]}, omit=["hidden"])
    with open_chunks(path, force=True, layout=layout) as writer:
        for start in range(0, len(cells), size):
            part = slice(start, start + size)
            writer.write(frame[part], {"m": values[part], "hidden": values[part], "n": values[part]})
    table = read_table(path, text=True)
    assert table.columns.tolist() == ["id", "text", "m:a", "m:b", "n_0", "n_1"]
    assert table["text"].fillna("").tolist() == cells
    np.testing.assert_array_equal(table[["m:a", "m:b"]].to_numpy().astype(np.float32), values)


def test_a_lone_carriage_return_cuts_no_row(tmp_path: Path) -> None:
    with open_chunks(tmp_path / "t.csv") as writer:
        writer.write(pd.DataFrame({"text": ["plain", "a\rb"]}))
    assert pd.read_csv(tmp_path / "t.csv")["text"].tolist() == ["plain", "a\rb"]


def test_a_column_that_begins_without_cells_may_hold_text_later(tmp_path: Path) -> None:
    with open_chunks(tmp_path / "t.parquet") as writer:
        writer.write(pd.DataFrame({"text": [None]}))
        writer.write(pd.DataFrame({"text": ["late"]}))
    assert pd.read_parquet(tmp_path / "t.parquet")["text"].tolist() == [None, "late"]


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.h5ad.gz"])
def test_an_unknown_kind_is_refused_before_any_work(name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"use \.csv, \.tsv, \.parquet, \.h5ad"):
        check_chunks_name(tmp_path / name)


def test_an_interrupted_table_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "t.h5ad"
    path.write_text("old")

    def write() -> None:
        with open_chunks(path, force=True) as writer:
            writer.write(pd.DataFrame({"a": ["x"]}))
            raise RuntimeError("stopped")

    pytest.importorskip("h5py")
    with pytest.raises(RuntimeError):
        write()
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(OutputError, match="exists"), open_chunks(path):
        pass
