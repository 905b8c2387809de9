"""From the raw rows of a benchmark to tables that can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cytomol.assays.metrics import metrics
from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.evaluate.rows import read_rows
from cytomol.evaluate.significance import significance
from cytomol.files import atomic_file

__all__ = ["GOOD_ROC_AUC", "Summary", "summarize", "summarize_models"]

GOOD_ROC_AUC = 0.8
"""ROC-AUC above which a task counts as predicted well."""

_PAIRS_SHOWN = 10
# features are cached: the largest is that of the job that computed them
_COSTS = {"seconds_features": "max", "seconds_fit": "mean", "seconds_predict": "mean", "peak_mb": "max"}


@dataclass(frozen=True)
class Summary:
    """Models compared, set by set.

    Attributes
    ----------
    table
        A row per set and model: ``metric``, ``mean`` and ``std`` over seeds of the mean over the tasks
        that have a score, ``above_80`` (share of tasks with a ROC-AUC above 0.8, mean over seeds),
        ``rank`` (mean over tasks of the place among the models, 1 is best), ``tasks``, ``seeds``, the mean
        seconds of a fit and a prediction, the largest of features (later jobs find them cached) and of
        the peak of memory in MB.
    pairs
        See :func:`cytomol.evaluate.significance.significance`.
    fold
        The fold that was scored.
    """

    table: pd.DataFrame
    pairs: pd.DataFrame
    fold: str

    @classmethod
    def of(cls, folder: Path, *, fold: str = "test") -> Summary:
        """Summarize ``rows.csv`` of a benchmark's folder."""
        return summarize(read_rows(folder / "rows.csv"), fold=fold, where=str(folder / "rows.csv"))

    def write(self, folder: Path) -> None:
        """Write ``summary.csv`` and ``significance.csv``."""
        for name, table in (("summary.csv", self.table), ("significance.csv", self.pairs)):
            with atomic_file(folder / name, force=True) as temporary:
                table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")

    def text(self) -> str:
        """Return both tables, set by set, for reading."""
        parts = []
        for name, group in self.table.groupby("set", sort=False):
            metric, pairs = str(group["metric"].iloc[0]), self.pairs[self.pairs["set"] == name]
            better = "higher" if metrics[metric].higher_is_better else "lower"
            parts.append(f"{name}: {metric} on {self.fold}, {better} is better\n{_models(group)}")
            if len(pairs):
                best = str(group.iloc[0]["model"])
                parts.append(_pairs(pairs, best))
        return "\n\n".join(parts) + "\n"


def summarize(rows: pd.DataFrame, *, fold: str = "test", where: str = "rows") -> Summary:
    """Summarize the rows of a benchmark.

    Parameters
    ----------
    rows
        As :func:`cytomol.evaluate.rows.read_rows` returns them. Rows of a variant are a model of their
        own, called ``model (variant)``.
    fold
        "test" or "valid".
    where
        Name of the rows, for messages.

    Raises
    ------
    InputError
        If there is no row of the fold, a cell stands twice, or a set was scored by two metrics.
    """
    scores = _scores(rows, fold, where)
    return Summary(_summarize(scores), significance(scores), fold)


def summarize_models(rows: pd.DataFrame, *, fold: str = "test", where: str = "rows") -> pd.DataFrame:
    """Return the ``table`` of :func:`summarize` alone, which compares no pairs."""
    return _summarize(_scores(rows, fold, where))


def _scores(rows: pd.DataFrame, fold: str, where: str) -> pd.DataFrame:
    scores = rows[rows["fold"] == fold].copy()
    if scores.empty:
        raise InputError(f"there is no row of the {fold} fold", where=where)
    variant = scores["variant"].map(lambda text: f" ({text})" if text else "")
    scores["model"] = scores["model"] + variant
    _check(scores, where)
    return scores


def _summarize(scores: pd.DataFrame) -> pd.DataFrame:
    tables = [_summarize_set(str(name), group) for name, group in scores.groupby("set", sort=False)]
    return pd.concat(tables, ignore_index=True)


def _check(scores: pd.DataFrame, where: str) -> None:
    keys = ["set", "model", "seed", "task"]
    twice = scores[scores.duplicated(keys)]
    if len(twice):
        row = twice.iloc[0]
        raise InputError(
            f"{row['set']} {row['model']} seed {row['seed']}, task {row['task']!r} stands twice", where=where
        )
    for name, group in scores.groupby("set"):
        found = group["metric"].unique()
        if len(found) > 1 or found[0] not in metrics:
            raise InputError(f"set {name} is scored by {', '.join(map(str, found))}", where=where)


def _summarize_set(name: str, group: pd.DataFrame) -> pd.DataFrame:
    metric = str(group["metric"].iloc[0])
    higher = metrics[metric].higher_is_better
    ranks = _ranks(group, higher=higher)
    records = []
    for model, part in group.groupby("model", sort=False):
        means = part.groupby("seed")["score"].mean()
        scored = part.dropna(subset=["score"])
        jobs = part.drop_duplicates("seed")
        good = (scored["score"] > GOOD_ROC_AUC).groupby(scored["seed"]).mean()
        records.append(
            {
                "set": name,
                "model": model,
                "metric": metric,
                "mean": means.mean(),
                "std": means.std(ddof=1),
                "above_80": good.mean() if metric == "roc_auc" else np.nan,
                "rank": ranks.get(str(model), np.nan),
                "tasks": scored["task"].nunique(),
                "seeds": part["seed"].nunique(),
                **{cost: jobs[cost].agg(how) for cost, how in _COSTS.items()},
            }
        )
    return pd.DataFrame(records).sort_values("mean", ascending=not higher, kind="stable")


def _ranks(group: pd.DataFrame, *, higher: bool) -> dict[str, float]:
    """Return each model's mean place over the tasks on which all models have a score; ties share places."""
    table = group.pivot_table(index="task", columns="model", values="score", aggfunc="mean").dropna()
    if table.empty or table.shape[1] < group["model"].nunique():
        return {}
    means = table.rank(axis=1, ascending=not higher).mean()
    return {str(model): float(rank) for model, rank in means.items()}


def _models(group: pd.DataFrame) -> str:
    shown_good = group["above_80"].notna().any()
    header = ["model", "mean", "std", *(["tasks > 0.8"] if shown_good else []), "rank", "tasks", "seeds"]
    header += ["features s", "fit s", "predict s", "peak MB"]
    lines = []
    for _, row in group.iterrows():
        good = [_number(100 * row["above_80"], ".1f", "%")] if shown_good else []
        cells = [str(row["model"]), _number(row["mean"], ".4f"), _number(row["std"], ".4f"), *good]
        cells += [_number(row["rank"], ".2f"), str(row["tasks"]), str(row["seeds"])]
        cells += [_number(row[cost], ".0f" if cost == "peak_mb" else ".1f") for cost in _COSTS]
        lines.append(cells)
    return _aligned(header, lines)


def _pairs(pairs: pd.DataFrame, best: str) -> str:
    """Return the pairs of a set; where they are many, those of the best model."""
    told = ""
    if len(pairs) > _PAIRS_SHOWN:
        with_best = pairs[(pairs["better"] == best) | (pairs["worse"] == best)]
        more = counted(len(pairs) - len(with_best), "more pair", comma=False)
        told = f"\n({more} in significance.csv)"
        pairs = with_best
    header = ["better", "worse", "by", "95% interval", "wins", "p", "p (Holm)", "test"]
    lines = []
    for _, row in pairs.iterrows():
        interval = f"{_number(row['low'], '+.4f')} to {_number(row['high'], '+.4f')}"
        cells = [str(row["better"]), str(row["worse"]), _number(row["difference"], ".4f"), interval]
        cells += [f"{row['wins']}/{row['tasks']}", _number(row["p"], ".2g"), _number(row["p_holm"], ".2g")]
        lines.append([*cells, str(row["test"])])
    return _aligned(header, lines, left=("better", "worse", "test")) + told


def _number(value: float, form: str, unit: str = "") -> str:
    return "-" if np.isnan(value) else format(value, form) + unit


def _aligned(header: Sequence[str], lines: Sequence[Sequence[str]], left: Sequence[str] = ("model",)) -> str:
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if name in left else cell.rjust(width)
            for name, cell, width in zip(header, line, widths, strict=True)
        ).rstrip()
        for line in (header, *lines)
    )
