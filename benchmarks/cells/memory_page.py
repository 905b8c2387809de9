"""Section of docs/cells/results.md: the memory of the verbs."""

from __future__ import annotations

import pandas as pd
from benchmarks.cells.page import RESULTS

__all__ = ["section"]

_HEAD = """\
Peak memory of the whole process, in MiB, with one process that featurizes; most of it are the libraries.
Molecules are the shortest of the real corpus over and over, profiles made up. An empty cell was not measured.
"""
_FOOT = """\

A Parquet file in one row group has to be unpacked column by column, a page of each at a time: what it takes
grows with the row group until each column fills its page. Write wide tables in row groups of some ten
thousand rows.

`python -m benchmarks.cells.memory --model BACKBONE --modality NAME --work WORK
-o benchmarks/results/cells/memory.csv`
"""


def section() -> str:
    """Return the section as Markdown."""
    rows = pd.read_csv(RESULTS / "memory.csv")
    lengths = sorted(rows["rows"].unique())
    table = rows.pivot_table(index="command", columns="rows", values="peak_mib", sort=False)
    lines = [
        "| rows | " + " | ".join(f"{length:,}" for length in lengths) + " |",
        "|---" * (1 + len(lengths)) + "|",
    ]
    for command, peaks in table.iterrows():
        cells = ["" if pd.isna(peaks[length]) else f"{peaks[length]:,.0f}" for length in lengths]
        lines.append(f"| {command} | " + " | ".join(cells) + " |")
    return "\n".join([_HEAD, *lines, _FOOT])
