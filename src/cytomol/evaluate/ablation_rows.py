"""The results of an ablation: one row per variant, seed, set, fold and task; and their summary."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cytomol.errors import InputError, OutputError
from cytomol.evaluate.variants import FULL
from cytomol.files import atomic_file

__all__ = ["COLUMNS", "AblationRows", "Unit", "summarize_ablation"]

COLUMNS = (
    "study",
    "variant",
    "method",
    "seed",
    "set",
    "fold",
    "task",
    "metric",
    "score",
    "seconds_pretrain",
    "seconds_finetune",
    "model",
)
"""Columns of ``ablation.csv``; ``model`` is the key of the options that were pretrained with."""


class Unit(NamedTuple):
    """What is written at once: the scores of one variant and seed on one set."""

    study: str
    variant: str
    method: str
    seed: str
    set: str


class AblationRows:
    """``ablation.csv``: rows are appended and on disk before the next unit begins.

    Parameters
    ----------
    path
        The file; it is made with the first rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, str]] = []

    def read(self, expected: Mapping[str, int]) -> int:
        """Read what an earlier run wrote and take out units that were cut; return how many those are.

        Parameters
        ----------
        expected
            Rows of a whole unit, by set; units of other sets are taken as they are.
        """
        if not self.path.exists():
            return 0
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]  # a last line without its end was cut
        reader = csv.DictReader(io.StringIO(whole))
        if reader.fieldnames is not None and tuple(reader.fieldnames) != COLUMNS:
            raise InputError("is no table of an ablation", where=str(self.path), hint="choose another folder")
        found = list(reader)
        sizes = Counter(unit_of(row) for row in found)
        cut = {unit for unit, size in sizes.items() if size < expected.get(unit.set, 0)}
        self.rows = [row for row in found if unit_of(row) not in cut]
        if cut or whole != text:
            with atomic_file(self.path, force=True) as temporary:
                temporary.write_text(_text(self.rows, header=True), encoding="utf-8")
        return len(cut)

    def units(self) -> set[Unit]:
        """Return what is done."""
        return {unit_of(row) for row in self.rows}

    def of_model(self, model: str, name: str) -> list[dict[str, str]]:
        """Return the rows of one unit that was scored with a model on a set; [] if there is none."""
        rows = [row for row in self.rows if row["model"] == model and row["set"] == name]
        return [row for row in rows if unit_of(row) == unit_of(rows[0])]

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append the rows of a unit and wait until they are on disk."""
        written = [{name: _cell(row[name]) for name in COLUMNS} for row in rows]
        try:
            with self.path.open("ab") as handle:
                handle.write(_text(written, header=handle.tell() == 0).encode())
                handle.flush()
                os.fsync(handle.fileno())
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}", where=str(self.path), hint="check free space"
            ) from error
        self.rows += written

    def frame(self) -> pd.DataFrame:
        """Return all rows, numbers as numbers."""
        frame = pd.DataFrame(self.rows, columns=list(COLUMNS))
        for name in ("seed", "score", "seconds_pretrain", "seconds_finetune"):
            frame[name] = pd.to_numeric(frame[name])
        return frame


def unit_of(row: Mapping[str, str]) -> Unit:
    """Return the unit that a row belongs to."""
    return Unit(row["study"], row["variant"], row["method"], row["seed"], row["set"])


def summarize_ablation(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over tasks; of it mean and standard deviation over seeds, and difference from full.

    Parameters
    ----------
    rows
        As :meth:`AblationRows.frame` gives them.

    Returns
    -------
    One row per study, method, variant, set and fold, in order of appearance. ``std`` is empty for one seed;
    ``difference`` compares the seeds that the variant and the full method of its study share.
    """
    names = ["study", "method", "variant", "set", "fold", "metric"]
    tasks = rows.groupby([*names, "seed"], sort=False)["score"].mean().reset_index()
    full = tasks[tasks["variant"] == FULL].drop(columns=["variant", "metric"])
    shared = ["study", "method", "set", "fold", "seed"]
    tasks = tasks.merge(full, on=shared, how="left", suffixes=("", "_full"))
    tasks["difference"] = tasks["score"] - tasks["score_full"]
    summary = tasks.groupby(names, sort=False).agg(
        seeds=("seed", "size"),
        mean=("score", "mean"),
        std=("score", "std"),
        difference=("difference", "mean"),
    )
    return summary.reset_index()


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _text(rows: Iterable[Mapping[str, str]], *, header: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
