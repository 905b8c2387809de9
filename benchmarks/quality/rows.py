"""The committed rows, as the page needs them: ROC-AUC in %, MAE times 100."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.quality.plan import SETS, cells
from benchmarks.quality.published import BASELINES_PLUS, PUBLISHED, REFIT_TARGETS, TARGETS
from benchmarks.raw_rows import COVERAGE, read_coverage, read_rows
from numpy.typing import NDArray

from cytomol.evaluate.significance import Paired, compare

__all__ = ["GPU", "LEAKY", "LONG", "MINIMOL", "OURS", "TODAY", "Cell", "Rows", "label_of", "refitted"]

OURS = "cytomol-five (cell)"
"""The one recipe, of five members, with nothing known of the evaluated molecules in its pretraining."""

TODAY = "cytomol (default)"
"""The recipe since a forest and neighbours joined, on the backbone that comes with the package."""

LONG = "cytomol (long)"
"""The same on a backbone of 30 epochs over the whole corpus."""

MINIMOL = "cytomol (default+minimol)"
"""The recipe of today with a member more, which reads MiniMol's vectors; on sets that are clean of it."""

GPU = "cytomol (structure-75)"
"""The recipe of today on a backbone of structures alone, pretrained for 75 epochs on a GPU."""

LEAKY = "cytomol-five (leaky)"
"""The recipe on a backbone that was pretrained with the profiles of evaluated molecules left in."""


@dataclass(frozen=True)
class Cell:
    """A model on a set: mean and standard deviation over seeds of the mean over tasks."""

    mean: float
    std: float
    seeds: int


def label_of(model: str, variant: str) -> str:
    """Return how a model with a variant is called."""
    return f"{model} ({variant})" if variant else model


def refitted(label: str) -> str:
    """Return how a recipe is called whose members learn from the valid rows too, once weights stand."""
    return label.replace(" (", "-refit (", 1)


@dataclass(frozen=True)
class Rows:
    """All that the page is made from; an absent table is empty.

    Attributes
    ----------
    scores
        Test rows with a ``label``, scores times 100.
    coverage, cell, planted, levers, ablation, averaged, molecules, stereo, repeated, repeated_differences,
    pretraining
        The other tables.
    """

    scores: pd.DataFrame
    coverage: pd.DataFrame
    cell: pd.DataFrame
    planted: pd.DataFrame
    levers: pd.DataFrame
    ablation: pd.DataFrame
    averaged: pd.DataFrame
    molecules: pd.DataFrame
    stereo: pd.DataFrame
    repeated: pd.DataFrame
    repeated_differences: pd.DataFrame
    pretraining: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Rows:
        """Read what is in the folder of the campaign."""
        rows = read_rows(folder)
        scores = rows[rows["fold"] == "test"].copy()
        scores["label"] = [label_of(*pair) for pair in zip(scores["model"], scores["variant"], strict=True)]
        scores["score"] *= 100
        coverage = pd.DataFrame()
        if COVERAGE.is_in(folder):
            coverage = read_coverage(folder)
            pairs = zip(coverage["model"], coverage["variant"], strict=True)
            coverage["label"] = [label_of(*pair) for pair in pairs]
        names: tuple[str, ...] = ("cell", "planted", "levers", "ablation", "averaged", "molecules", "stereo")
        names += ("repeated", "repeated_differences", "pretraining")
        return cls(scores, coverage, *(_table(folder / f"{name}.csv") for name in names))

    @cached_property
    def sets(self) -> list[str]:
        """Sets that have rows."""
        there = set(self.scores["set"])
        return [name for name in SETS if name in there]

    @cached_property
    def labels(self) -> list[str]:
        """Models that have rows: as planned, then others."""
        planned = dict.fromkeys(label_of(model, variant) for _, model, variant, _ in cells(1))
        there = dict.fromkeys(self.scores["label"])
        return [*(label for label in planned if label in there), *(x for x in there if x not in planned)]

    def baselines(self) -> list[str]:
        """Models that are not ours: no part of a stacked ensemble of ours, no embedding."""
        return [label for label in self.labels if not label.startswith("cytomol") and "(" not in label]

    def cell_of(self, name: str, label: str) -> Cell | None:
        """Return a model's scores on a set; None without rows."""
        means = self._grid(name, label)
        if means.empty:
            return None
        by_seed = means.mean(axis=0)
        return Cell(float(by_seed.mean()), float(by_seed.std(ddof=1)), len(by_seed))

    def best(self, name: str, labels: list[str]) -> str | None:
        """Return the best of some models on a set, by the mean on test; None without rows."""
        found = {label: cell.mean for label in labels if (cell := self.cell_of(name, label)) is not None}
        if not found:
            return None
        return max(found, key=lambda label: self.sign(name) * found[label])

    def sign(self, name: str) -> float:
        """Return 1 where higher is better, else -1."""
        return -1.0 if name in self._errors else 1.0

    def target(self, name: str, label: str = OURS) -> float | None:
        """Return what a recipe is to reach; None where that follows from baselines that are missing."""
        own = REFIT_TARGETS if "-refit" in label else TARGETS
        if name in own:
            return own[name]
        best = self.best(name, self.baselines())
        cell = None if best is None else self.cell_of(name, best)
        return None if cell is None else cell.mean + BASELINES_PLUS

    def published(self, name: str) -> float | None:
        """Return the best published mean on a set; None where there is none."""
        known = [figures[name].mean for figures in PUBLISHED.values() if name in figures]
        return max(known, key=lambda value: self.sign(name) * value) if known else None

    def paired(self, name: str, first: str, second: str) -> Paired | None:
        """Compare two models on a set over the tasks and seeds that both have."""
        one, two = self._grid(name, first), self._grid(name, second)
        difference = self.sign(name) * (one - two)  # aligned by task and seed
        values: NDArray[np.float64] = difference.to_numpy(dtype=np.float64)
        if not values.size or np.isnan(values).all():
            return None
        return compare(values)

    def interval(self, name: str, label: str) -> tuple[float, float] | None:
        """Return by what ours is better on a set, molecules drawn again; None where that was not computed."""
        if self.molecules.empty:
            return None
        own = self.molecules[(self.molecules["set"] == name) & (self.molecules["second"] == label)]
        return None if own.empty else (100 * own["low"].iloc[0], 100 * own["high"].iloc[0])

    def jobs(self, name: str, label: str) -> pd.DataFrame:
        """Return one row for each seed of a model on a set."""
        return self._jobs[(self._jobs["set"] == name) & (self._jobs["label"] == label)]

    def missing(self, seeds: int) -> Iterator[str]:
        """Say which seeds of the whole campaign have no rows, a line for each model."""
        gone: dict[str, list[str]] = {}
        for name, model, variant, wanted in cells(seeds):
            label = label_of(model, variant)
            seeds_gone = sorted(set(range(wanted)) - set(self.jobs(name, label)["seed"]))
            if seeds_gone:
                which = "all" if len(seeds_gone) == wanted else ", ".join(map(str, seeds_gone))
                gone.setdefault(label, []).append(f"{name} ({which})")
        yield from (f"{label}: {'; '.join(texts)}" for label, texts in gone.items())

    def _grid(self, name: str, label: str) -> pd.DataFrame:
        own = self._grids.get((name, label))
        return pd.DataFrame() if own is None else own

    @cached_property
    def _jobs(self) -> pd.DataFrame:
        """One row for each set, model and seed."""
        return self.scores.drop_duplicates(["set", "label", "seed"])

    @cached_property
    def _grids(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Scores by task and seed of each model on each set."""
        parts = self.scores.groupby(["set", "label"], sort=False)
        grids = {key: part.pivot_table(index="task", columns="seed", values="score") for key, part in parts}
        return {(str(name), str(label)): grid for (name, label), grid in grids.items()}

    @cached_property
    def _errors(self) -> set[str]:
        """Sets whose score is an error."""
        return set(self.scores.loc[self.scores["metric"] == "mae", "set"])


def _table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame()
    text = {"variant": str, "group": str, "set": str, "test": str}
    return pd.read_csv(path, dtype=text, keep_default_na=True).fillna({"variant": "", "against": ""})
