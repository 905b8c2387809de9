"""A table read in chunks has the rows of the whole one, whatever the size of a chunk."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytomol.errors import InputError
from cytomol.tables import read_molecules
from cytomol.tables.streaming import open_source

CELL = st.text(alphabet='aC(=),"\n\t 1é', max_size=6)
ROWS = st.lists(st.tuples(st.sampled_from(["CCO", "c1ccccc1", "", "bad("]), CELL), min_size=1, max_size=12)
QUIET = [HealthCheck.function_scoped_fixture]


def joined(path: Path, size: int, **options: str) -> pd.DataFrame:
    source = open_source(path, **options)
    parts = [table.frame for _, table in source.chunks(size)]
    assert all(len(part) == size for part in parts[:-1])
    whole = pd.concat(parts, ignore_index=True)
    assert source.rows == len(whole)
    return whole


@pytest.mark.parametrize("suffix", ["csv", "tsv.gz", "parquet"])
@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(rows=ROWS, size=st.integers(1, 13))
def test_chunks_are_the_whole(tmp_path: Path, suffix: str, rows: list[tuple[str, str]], size: int) -> None:
    path, frame = tmp_path / f"in.{suffix}", pd.DataFrame(rows, columns=["smiles", "note"])
    if suffix == "parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False, sep="," if suffix == "csv" else "\t")
    try:
        whole = read_molecules(path).frame
    except InputError as error:  # a cell of line ends that reads like swallowed rows
        with pytest.raises(InputError) as found:
            joined(path, size)
        assert str(found.value) == str(error)  # noqa: PT017
    else:
        pd.testing.assert_frame_equal(joined(path, size), whole)


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_a_header_of_a_list_is_the_first_line_alone(tmp_path: Path, size: int) -> None:
    path = tmp_path / "in.smi"
    path.write_text("smiles name\nCC x\n\n CO y\nsmiles\nCN\n")
    pd.testing.assert_frame_equal(joined(path, size), read_molecules(path).frame)


@pytest.mark.parametrize("size", [1, 2, 4, 9])
def test_a_folder_is_one_table(tmp_path: Path, size: int) -> None:
    frame = pd.DataFrame({"smiles": list("CNOSPF"), "n": pd.array([1, None, 3, 4, 5, 6], "Int64")})
    frame[:1].to_parquet(tmp_path / "a.parquet")
    frame[1:].to_parquet(tmp_path / "b.parquet")
    found = joined(tmp_path, size)
    assert found["smiles"].tolist() == list("CNOSPF")
    assert found["n"].astype("Int64").equals(frame["n"])
    frame.rename(columns={"n": "m"}).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(InputError, match=r"has other columns than a\.parquet"):
        open_source(tmp_path)


def test_chunks_that_are_skipped_are_not_given(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("smiles\nC\nN\nO\nS\nP\n")
    found = {number: table.smiles for number, table in open_source(path).chunks(2, skip={1})}
    assert found == {0: ["C", "N"], 2: ["P"]}


@pytest.mark.parametrize(
    "text", ["smiles,a\nCC,1\nCC,1,2\n", "smiles,a\nCC\n", "a,b\n1,2\n", "smiles\n", "\0"]
)
def test_what_is_wrong_is_said_as_of_a_whole_table(tmp_path: Path, text: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text(text)
    with pytest.raises(InputError) as whole:
        read_molecules(path)
    with pytest.raises(InputError) as parts:
        open_source(path)
    assert str(parts.value) == str(whole.value)
