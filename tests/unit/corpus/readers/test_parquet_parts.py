"""A Parquet table of profiles that is read in parts is never whole in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from cytomol.corpus.readers import read_profile_parts


def test_row_groups_that_were_read_are_given_back(tmp_path: Path) -> None:
    path, names = tmp_path / "profiles.parquet", [f"Cells_{number}" for number in range(50)]
    values = np.random.default_rng(0).normal(size=(40_000, 50)).astype(np.float32)
    pd.DataFrame(values, columns=names).to_parquet(path, index=False, row_group_size=1000)
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for part in read_profile_parts(path, lambda _: tuple(names), rows=500):
        most = max(most, pa.total_allocated_bytes() - before)
        np.testing.assert_array_equal(part.features, values[rows : rows + len(part)])
        rows += len(part)
    assert rows == len(values)
    assert most < values.nbytes / 4
