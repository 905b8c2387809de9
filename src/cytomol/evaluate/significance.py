"""Whether one model is better than another: paired over tasks and seeds, corrected for many pairs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.metrics import metrics

__all__ = ["FEWEST_DRAWN", "FEWEST_TASKS", "Paired", "bootstrap_interval", "compare", "holm", "significance"]

FEWEST_TASKS = 6
"""Tasks from which on they are what is paired: below, no signed-rank test reaches p < 0.05."""

_DRAWS = 10_000


@dataclass(frozen=True)
class Paired:
    """How two models differ on the tasks and seeds that both have.

    Attributes
    ----------
    difference
        Mean over tasks of what the first is better by (whichever direction is better).
    low, high
        95% interval of it when tasks and seeds are drawn again, with replacement.
    p
        Two-sided; NaN where there is nothing to tell it from.
    test
        "wilcoxon over tasks", "t over seeds" or "none".
    wins, tasks, seeds
        Tasks on which the first is better, tasks and seeds compared.
    """

    difference: float
    low: float
    high: float
    p: float
    test: str
    wins: int
    tasks: int
    seeds: int


def compare(differences: NDArray[np.float64], *, seed: int = 0) -> Paired:
    """Compare two models by the differences of their scores.

    Parameters
    ----------
    differences
        What the first is better by, NaN where either has no score, shape (tasks, seeds).
    seed
        Seed of the bootstrap.

    Notes
    -----
    Seeds of one task are no independent evidence of it, so with six tasks or more the seeds are averaged
    and the tasks are paired (Wilcoxon signed-rank). With fewer, the means over tasks are paired by seed
    (Student's t); that speaks of the variation of training on this one split, not of other molecules.
    """
    kept = _known(differences)
    if not kept.size:
        return Paired(float("nan"), float("nan"), float("nan"), float("nan"), "none", 0, 0, 0)
    by_task = np.nanmean(kept, axis=1)
    test, p = _test(kept, by_task)
    low, high = bootstrap_interval(kept, seed=seed)
    return Paired(
        difference=float(by_task.mean()),
        low=low,
        high=high,
        p=p,
        test=test,
        wins=int((by_task > 0).sum()),
        tasks=kept.shape[0],
        seeds=kept.shape[1],
    )


def _known(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the tasks and the seeds that have any difference."""
    there = ~np.isnan(differences)
    return differences[there.any(axis=1)][:, there.any(axis=0)]


def _test(kept: NDArray[np.float64], by_task: NDArray[np.float64]) -> tuple[str, float]:
    from scipy.stats import ttest_1samp, wilcoxon

    if len(by_task) >= FEWEST_TASKS:
        if not by_task.any():
            return "wilcoxon over tasks", 1.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that ties make the p-value approximate
            return "wilcoxon over tasks", float(wilcoxon(by_task).pvalue)
    by_seed = np.nanmean(kept, axis=0)
    if len(by_seed) < 2:
        return "none", float("nan")
    if np.ptp(by_seed) <= 1e-12 * max(1.0, float(np.abs(by_seed).max())):
        # two models without chance: the seeds tell nothing
        return ("t over seeds", 1.0) if not by_seed.any() else ("none", float("nan"))
    return "t over seeds", float(ttest_1samp(by_seed, 0.0).pvalue)


FEWEST_DRAWN = 5
"""Tasks or seeds that an interval by bootstrap takes."""


def bootstrap_interval(
    differences: NDArray[np.float64], *, draws: int = _DRAWS, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Return the percentile interval of the mean difference over drawn tasks and drawn seeds.

    Parameters
    ----------
    differences
        NaN where there is none, shape (tasks, seeds).
    draws
        How often tasks and seeds are drawn, each with replacement and independently.
    level
        Share of the draws within the interval.
    seed
        Seed of the draws.

    Returns
    -------
    tuple of float
        Its ends; NaN where fewer than five tasks and fewer than five seeds were compared: draws from so few
        spread too little, and from one not at all.
    """
    tasks, seeds = differences.shape
    if max(tasks, seeds) < FEWEST_DRAWN:
        return float("nan"), float("nan")
    task_counts, seed_counts = _counts(tasks, draws, seed), _counts(seeds, draws, seed + 1)
    there = ~np.isnan(differences)
    # each drawn task counts its mean over the drawn seeds that it has
    weight = seed_counts @ there.T
    total = seed_counts @ np.where(there, differences, 0.0).T
    mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    counted = task_counts * (weight > 0)
    size = counted.sum(axis=1)
    means = (counted * mean).sum(axis=1)[size > 0] / size[size > 0]
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


@lru_cache(maxsize=4)
def _counts(size: int, draws: int, seed: int) -> NDArray[np.float64]:
    """Return how often each of ``size`` is drawn, shape (draws, size); the pairs of a set share it."""
    random = np.random.default_rng((seed, size))
    return random.multinomial(size, np.full(size, 1 / size), size=draws).astype(np.float64)


def holm(p: Sequence[float]) -> NDArray[np.float64]:
    """Return p-values corrected by Holm's step-down rule; NaN stays NaN and does not count."""
    values = np.asarray(p, dtype=np.float64)
    corrected = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    scaled = values[order] * (len(order) - np.arange(len(order)))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def significance(scores: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Compare all pairs of models on each set.

    Parameters
    ----------
    scores
        Columns ``set``, ``model``, ``seed``, ``task``, ``metric`` and ``score``, of one fold.
    seed
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        A row per set and pair: ``set``, ``better``, ``worse``, the attributes of :class:`Paired`, and
        ``p_holm``, corrected over the pairs of the set.
    """
    tables = []
    for name, group in scores.groupby("set", sort=False):
        sign = 1.0 if metrics[str(group["metric"].iloc[0])].higher_is_better else -1.0
        grids = _grids(group)
        pairs = []
        for first, second in combinations(grids, 2):
            differences = _known(sign * (grids[first] - grids[second]))
            if differences.size and np.nanmean(differences, axis=1).mean() < 0:
                first, second, differences = second, first, -differences  # noqa: PLW2901 - in order
            paired = compare(differences, seed=seed)
            pairs.append({"set": name, "better": first, "worse": second, **vars(paired)})
        table = pd.DataFrame(pairs)
        if len(table):
            table["p_holm"] = holm(table["p"].tolist())
            tables.append(table)
    columns = ["set", "better", "worse", *Paired.__dataclass_fields__, "p_holm"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _grids(group: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Return the scores of each model, all on the same tasks and seeds, shape (tasks, seeds)."""
    tasks, seeds = group["task"].unique(), sorted(group["seed"].unique())
    return {
        str(model): part.pivot_table(index="task", columns="seed", values="score")
        .reindex(index=tasks, columns=seeds)
        .to_numpy(dtype=np.float64)
        for model, part in group.groupby("model", sort=False)
    }
