"""Tables written chunk by chunk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.errors import OutputError
from cytomol.tables.write_chunks import open_chunks


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.parquet"])
@pytest.mark.parametrize("size", [1, 3, 10])
def test_chunks_make_the_table(tmp_path: Path, name: str, size: int) -> None:
    frame = pd.DataFrame({"id": [f"m,{i}" for i in range(10)], "x": np.linspace(0, 1, 10)})
    matrix = np.arange(20, dtype=np.float32).reshape(10, 2)
    with open_chunks(tmp_path / name) as writer:
        for start in range(0, 10, size):
            part = slice(start, start + size)
            writer.write(frame.iloc[part], {"code": matrix[part]})
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    found = read(tmp_path / name, **({"sep": "\t"} if name.endswith("tsv") else {}))
    assert list(found.columns) == ["id", "x", "code_0", "code_1"]
    np.testing.assert_allclose(found[["code_0", "code_1"]], matrix)
    pd.testing.assert_series_equal(found["id"], frame["id"], check_dtype=False)


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with open_chunks(tmp_path / "a.parquet") as writer:
            writer.write(pd.DataFrame({"x": [1]}))
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError, match="power"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_other_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="unknown kind of output"), open_chunks(tmp_path / "a.xlsx"):
        pass
