"""Rows of a table, whatever wrote it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cytomol.corpus.read_rows import read_rows


@pytest.mark.parametrize(
    "head",
    [
        "!Source\tsomebody\n!Date\t2018\n",
        "# made by hand\n#\n",
        '!Source\t"a, ""b"""\t\t\n\n',
        "\n!x\r\n# y\r\n",
        "# columns:\tsmiles\tid\n",
        "",
    ],
)
def test_comments_before_the_header(tmp_path: Path, head: str) -> None:
    (tmp_path / "t.txt").write_bytes((head + "broad_id\tsmiles\nB1\tCCO\n#2\tCCN\n").encode())
    frame = read_rows(tmp_path / "t.txt", text=True)
    assert frame.to_dict("list") == {"broad_id": ["B1", "#2"], "smiles": ["CCO", "CCN"]}


def test_a_header_that_looks_like_a_comment(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("#smiles,id\nCCO,a\n")
    assert read_rows(tmp_path / "t.csv", text=True).to_dict("list") == {"smiles": ["CCO"], "id": ["a"]}


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (pd.Index(["B1", "B2"], name="broad_sample"), "broad_sample"),
        (pd.Index(["B1", "B2"], name="Metadata_Sample"), "Metadata_Sample"),
        (pd.Index(["B1", "B2"], name="sample"), "Metadata_sample"),
        (pd.Index(["B1", "B2"]), "id"),
        (pd.Index([7, 9], name="compound"), "compound"),
        (pd.RangeIndex(2), None),
        (pd.Index([4, 2]), None),
        (pd.Index([0, 1], name="row"), None),
    ],
)
def test_index_of_pandas(tmp_path: Path, index: pd.Index, expected: str | None) -> None:
    pd.DataFrame({"f": [1.0, 2.0]}, index=index).to_parquet(tmp_path / "t.parquet")
    frame = read_rows(tmp_path / "t.parquet")
    assert list(frame) == ([expected, "f"] if expected else ["f"])
    assert frame.index.tolist() == [0, 1]
    if expected:
        assert frame[expected].tolist() == index.tolist()


def test_index_in_csv(tmp_path: Path) -> None:
    pd.DataFrame({"f": [1.0, 2.0]}, index=["B1", "B2"]).to_csv(tmp_path / "t.csv")
    assert read_rows(tmp_path / "t.csv").to_dict("list") == {"id": ["B1", "B2"], "f": [1.0, 2.0]}
    pd.DataFrame({"f": [1.0, 2.0]}).to_csv(tmp_path / "n.csv")
    assert "id" not in read_rows(tmp_path / "n.csv")
