"""The rows of benchmarks/results/newcomer.csv: one for each draw, validation and model."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from benchmarks.newcomer.experiment import Answer

from cytomol.files import atomic_file

__all__ = ["COLUMNS", "RESULTS", "add", "models_of", "read"]

RESULTS = Path(__file__).resolve().parents[1] / "results" / "newcomer.csv"
COLUMNS = ("draw", "validation", "model", "mae", "n", "verdict", "seconds", "commit")
_TEXT = ("validation", "model", "verdict", "commit")


def read(path: Path = RESULTS) -> pd.DataFrame:
    """Return the rows; none where there is no file."""
    if not path.is_file():
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.read_csv(
        path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False, na_values={"seconds": [""]}
    )


def models_of(rows: pd.DataFrame, draw: int, validation: str) -> set[str]:
    """Return the models that have a row of a draw and validation."""
    return set(rows.loc[(rows["draw"] == draw) & (rows["validation"] == validation), "model"])


def add(path: Path, draw: int, validation: str, answers: list[Answer], commit: str) -> None:
    """Write rows of a draw and validation behind those that are there; the file is whole at any time."""
    rows = [
        {
            "draw": draw,
            "validation": validation,
            "model": answer.model,
            "mae": f"{answer.mae:.4f}",
            "n": answer.n,
            "verdict": answer.verdict,
            "seconds": "" if answer.seconds is None else f"{answer.seconds:.1f}",
            "commit": commit,
        }
        for answer in answers
    ]
    before = path.read_text(encoding="utf-8") if path.is_file() else ",".join(COLUMNS) + "\n"
    text = pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(index=False, header=False, lineterminator="\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary:
        temporary.write_text(before + text, encoding="utf-8")
