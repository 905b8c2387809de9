"""Which models differ over the folds of repeated cross-validation: from repeated.csv to its differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from benchmarks.quality.repeated.paired import LEVEL, anova, resampled, tukey
from benchmarks.quality.repeated.plan import SETS
from numpy.typing import NDArray

from cytomol.assays.metrics import metrics
from cytomol.evaluate.significance import holm
from cytomol.files import atomic_file

__all__ = [
    "COLUMNS",
    "FAMILIES",
    "OURS",
    "Grid",
    "Ranks",
    "differences",
    "family_of",
    "grids",
    "mean_ranks",
    "write_differences",
]

OURS = "cytomol"
"""The recipe: all others are compared with it."""

FAMILIES = ("single", "recipe", "crossfit", "minimol")
"""Models that are compared with ours and with one another, on folds that all of them have."""

_RECIPES = {
    "cytomol-plain": "recipe",
    "cytomol-equal": "recipe",
    "cytomol-five": "recipe",
    "cytomol-crossfit": "crossfit",
    "cytomol-refit": "crossfit",
    "cytomol-minimol": "minimol",
    "mlp-minimol": "minimol",
}
COLUMNS = (
    *("set", "family", "metric", "repeats", "folds", "models", "f", "p_anova", "first", "second"),
    *("difference", "tukey_low", "tukey_high", "p_tukey", "d", "d_low", "d_high"),
    *("low", "high", "p", "p_holm", "verdict"),
)


@dataclass(frozen=True)
class Grid:
    """Scores of models on the folds that all of them have.

    Attributes
    ----------
    set, metric
        The set, and the metric that counts.
    models
        Ours first, the others by name.
    scores
        As the rows have them, shape (folds, models).
    repeats
        Repeats that the folds are of.
    ratio
        Test rows for each row that ours learns from or chooses by, mean over folds.
    absent
        Models that lack more than half of the folds that the others have, and so are left out.
    """

    set: str
    metric: str
    models: tuple[str, ...]
    scores: NDArray[np.float64]
    repeats: int
    ratio: float
    absent: tuple[str, ...]

    @property
    def gains(self) -> NDArray[np.float64]:
        """Scores of which more is better."""
        return self.scores if metrics[self.metric].higher_is_better else -self.scores


class Ranks(NamedTuple):
    """Places of models by their mean over folds, from 1, best first.

    Attributes
    ----------
    ranks
        Mean place over the sets, by model.
    sets
        Sets that count.
    p
        Of Friedman's test that all are alike; NaN with fewer than three models or two sets.
    critical
        Mean places that lie closer cannot be told apart (Nemenyi); NaN as ``p``.
    """

    ranks: dict[str, float]
    sets: tuple[str, ...]
    p: float
    critical: float


def family_of(model: str) -> str:
    """Return the family that a model is compared in with ours; ours is in all.

    >>> family_of("forest"), family_of("cytomol-plain")
    ('single', 'recipe')
    """
    return _RECIPES.get(model, "single")


def grids(scores: pd.DataFrame, family: str) -> list[Grid]:
    """Return the scores of a family and ours, set by set; sets without any common fold are left out."""
    table = scores.dropna(subset=["value"])
    inside = [model for model in table["model"].unique() if model == OURS or family_of(model) == family]
    table = table[table["model"].isin(inside)]
    there = set(table["set"])
    names = [*(name for name in SETS if name in there), *sorted(there - set(SETS))]
    found = [_grid(name, table[table["set"] == name]) for name in names]
    return [grid for grid in found if grid is not None]


def _grid(name: str, part: pd.DataFrame) -> Grid | None:
    wide = part.pivot_table(index=["repeat", "fold"], columns="model", values="value").sort_index()
    if OURS not in wide:
        return None
    counts = wide.drop(columns=OURS).notna().sum()
    enough = counts >= counts.median() / 2
    others = sorted(counts.index[enough])
    wide = wide[[OURS, *others]].dropna()
    if wide.empty or not others:
        return None
    ours = part[part["model"] == OURS].set_index(["repeat", "fold"]).loc[wide.index]
    return Grid(
        set=name,
        metric=str(part["metric"].iloc[0]),
        models=(OURS, *others),
        scores=wide.to_numpy(dtype=np.float64),
        repeats=wide.index.get_level_values("repeat").nunique(),
        ratio=float((ours["n_test"] / (ours["n_train"] + ours["n_valid"])).mean()),
        absent=tuple(sorted(counts.index[~enough])),
    )


def differences(scores: pd.DataFrame) -> pd.DataFrame:
    """Compare all models of a family on each set.

    Parameters
    ----------
    scores
        Rows of repeated.csv.

    Returns
    -------
    DataFrame
        A row for each set, family and pair; ``difference`` is above 0 where ``first`` is better, in the unit
        of the score. ``f`` and ``p_anova`` are of the whole family, ``tukey_low`` to ``p_tukey`` of all its
        pairs together. ``p`` is of the corrected resampled t-test, ``d`` the effect size with its interval of
        the same correction. Only where ours is first: ``low`` and ``high``, which hold together over its
        pairs, ``p_holm`` and its ``verdict``: "ahead", "behind" or "open".
    """
    rows = [row for family in FAMILIES for grid in grids(scores, family) for row in _pairs(grid, family)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = {name: place for place, name in enumerate(SETS)}
    return table.sort_values("set", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def _pairs(grid: Grid, family: str) -> Iterator[dict[str, Any]]:
    gains, count = grid.gains, len(grid.models)
    whole, together = anova(gains), tukey(gains)
    folds = len(gains)
    about = {"set": grid.set, "family": family, "metric": grid.metric, "repeats": grid.repeats}
    about |= {"folds": folds, "models": count, "f": whole.f, "p_anova": whole.p}
    found = {
        (i, j): resampled(gains[:, i] - gains[:, j], grid.ratio, comparisons=count - 1) for i, j in together
    }
    corrected = holm([found[0, j].p for j in range(1, count)])
    for (i, j), tested in found.items():
        low, high, p = together[i, j]
        row = {**about, "first": grid.models[i], "second": grid.models[j], **tested._asdict()}
        row |= {"tukey_low": low, "tukey_high": high, "p_tukey": p, "p_holm": np.nan, "verdict": ""}
        if i == 0:
            p = float(corrected[j - 1])
            row |= {"p_holm": p, "verdict": _verdict(tested.difference, p)}
        else:
            row |= {"low": np.nan, "high": np.nan}
        yield row


def _verdict(difference: float, p: float) -> str:
    if not p < LEVEL:
        return "open"
    return "ahead" if difference > 0 else "behind"


def mean_ranks(found: list[Grid]) -> Ranks:
    """Return the mean place of the models over sets of two folds or more, of those that all these sets have.

    Each set counts once, however many folds and tasks it has.
    """
    from scipy.stats import friedmanchisquare, rankdata, studentized_range

    found = [grid for grid in found if len(grid.scores) > 1]
    if not found:
        return Ranks({}, (), float("nan"), float("nan"))
    shared = [model for model in found[0].models if all(model in grid.models for grid in found)]
    means = np.array([[grid.gains[:, grid.models.index(model)].mean() for model in shared] for grid in found])
    places = rankdata(-means, axis=1)
    p = critical = float("nan")
    sets, models = places.shape
    if models > 2 and sets > 1:
        p = float(friedmanchisquare(*means.T).pvalue)
        q = float(studentized_range.ppf(1 - LEVEL, models, np.inf))
        critical = q * np.sqrt(models * (models + 1) / (12 * sets))
    ranks = dict(zip(shared, places.mean(axis=0).tolist(), strict=True))
    return Ranks(ranks, tuple(grid.set for grid in found), p, critical)


def write_differences(path: Path, scores: pd.DataFrame) -> pd.DataFrame:
    """Write the differences of some rows, six digits each, under a temporary name first."""
    table = differences(scores)
    numbers = table.select_dtypes("float").columns
    table[numbers] = table[numbers].map(lambda value: float(f"{value:.6g}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    return table
