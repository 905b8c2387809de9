"""Tables out: what is written reads back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.errors import OutputError
from cytomol.tables import read_table, write_table

FRAME = pd.DataFrame({"smiles": ["C", "bad", "O"], "y": [0.25, np.nan, 1.0], "error": ["", "why", ""]})


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv", "a.parquet"])
def test_round_trip(tmp_path: Path, name: str) -> None:
    write_table(FRAME, tmp_path / name)
    back = read_table(tmp_path / name)
    pd.testing.assert_frame_equal(back.fillna({"error": ""}), FRAME)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_npz_needs_no_pickle(tmp_path: Path) -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(3, 2)
    write_table(FRAME, tmp_path / "a.npz", arrays={"embedding": matrix})
    with np.load(tmp_path / "a.npz", allow_pickle=False) as data:
        assert data["smiles"].tolist() == ["C", "bad", "O"]
        np.testing.assert_array_equal(data["embedding"], matrix)
        np.testing.assert_array_equal(data["y"], FRAME["y"])


def test_matrices_become_columns(tmp_path: Path) -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(3, 2)
    write_table(FRAME, tmp_path / "a.csv", arrays={"e": matrix})
    np.testing.assert_array_equal(read_table(tmp_path / "a.csv")[["e_0", "e_1"]], matrix)


def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(FRAME, "-")
    assert capsys.readouterr().out == "smiles,y,error\nC,0.25,\nbad,,why\nO,1.0,\n"


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="unknown kind"):
        write_table(FRAME, tmp_path / "a.xlsx")
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(OutputError, match="--force"):
        write_table(FRAME, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "old"
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(OutputError, match="directory"):
        write_table(FRAME, tmp_path / "d.csv", force=True)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_cells_with_line_ends_read_back(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"smiles": ["C", "O"], "x": ["a\rb", "c\nd"], "y": [" ", '"'], "z\r": ["1", "2"]})
    write_table(frame, tmp_path / name)
    pd.testing.assert_frame_equal(read_table(tmp_path / name, text=True), frame, check_dtype=False)


def test_npz_takes_any_name_and_whole_numbers_with_gaps(tmp_path: Path) -> None:
    frame = pd.DataFrame({"file": ["a", "b"], "self": [1, 2], "n": pd.array([7, None], dtype="Int64")})
    write_table(frame, tmp_path / "a.npz", arrays={"e": np.eye(2)})
    with np.load(tmp_path / "a.npz", allow_pickle=False) as data:
        assert data["file"].tolist() == ["a", "b"]
        assert data["n"].tolist() == ["7", ""]
        assert sorted(data.files) == ["e", "file", "n", "self"]
