"""The section of docs/speed.md on whole predictions beside peers."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from benchmarks.speed.end_to_end import ROWS

__all__ = ["whole_predictions"]

_WANTED = {"cytomol recipe": 3.0, "cytomol heads": 3.0}  # times the faster peer
_COLD, _WARM = 2.0, 0.01  # seconds
_SECTION = """\
## From table to table

`python -m benchmarks.speed.end_to_end --peers PYTHON` runs whole programs in turn: each reads a table of
SMILES, loads its model, computes features and writes a table
([rows](../benchmarks/results/end_to_end.csv)). They do not answer the same question: the recipe gives
intervals and evidence with its answers, a single chemprop network neither, and ADMET-AI answers 41 assays at
once. Asked is three times the faster peer, one molecule within 2 s from a cold start, and within 10 ms in
Python.
"""


def whole_predictions(rows: pd.DataFrame) -> Iterator[str]:
    """Yield the section, from rows as :mod:`benchmarks.speed.end_to_end` writes them."""
    yield _SECTION
    yield "| | program | median | quartiles | beside the faster peer | reached? |"
    yield "|---|---|---:|---:|---:|---|"
    for row in ROWS:
        part = rows[rows["row"] == row].set_index("variant")
        peers = part.loc[[name for name in part.index if name not in _WANTED], "median"]
        for name, found in part.iterrows():
            rate = found["unit"].endswith("/s")
            times, reached = "", ""
            if name in _WANTED:
                if len(peers):
                    ratio = found["median"] / peers.max() if rate else peers.min() / found["median"]
                    times = f"{ratio:.1f} x"
                    reached = _word(ratio >= _WANTED[name]) if rate else ""
                if not rate:
                    reached = _word(found["median"] <= (_COLD if row == ROWS[1] else _WARM))
            spread = f"{_figure(found['low'])} to {_figure(found['high'])}"
            median = f"{_figure(found['median'])} {found['unit']}"
            yield f"| {row} | {name} | {median} | {spread} | {times} | {reached} |"
    machine = rows.iloc[0]
    yield f"\nMachine: {machine['machine']}; {machine['corpus']}; {int(machine['threads'])} threads.\n"
    notes = rows.drop_duplicates("variant")
    yield (
        " ".join(f"{variant}: {note}." for variant, note in zip(notes["variant"], notes["note"], strict=True))
        + "\n"
    )


def _word(reached: bool) -> str:
    return "yes" if reached else "**no**"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
