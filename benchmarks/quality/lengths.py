"""The page on lengths and seeds of pretraining, from the rows of ``benchmarks.quality.pretraining``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from benchmarks.default_backbone.choose import CHOICE_SETS
from benchmarks.quality.pretraining import MODEL, WITH, WITHOUT
from benchmarks.quality.rows import Rows
from benchmarks.quality.tables import markdown
from scipy import stats

from cytomol.assays.metrics import metrics

__all__ = ["added", "lengths"]

_MEAN = "mean"
_KIND = ("method", "batch", "planned", "epochs")
_HEAD = ("method", "batch", "epochs")


def lengths(rows: Rows) -> Iterator[str]:
    """Yield scores by length, with and without cell data, then what cell data add, over seeds."""
    table = rows.pretraining
    if table.empty:
        yield "No rows yet.\n"
        return
    higher = table["metric"].map(lambda name: metrics[name].higher_is_better)
    table = table.assign(signed=table["value"].where(higher, -table["value"]))
    whole = table.groupby(["features", *MODEL], as_index=False)["signed"].mean()
    table = pd.concat([table, whole.assign(set=_MEAN)], ignore_index=True)
    sets = [*CHOICE_SETS, _MEAN]
    for features, part in table.groupby("features", sort=False):
        yield f"## {str(features).capitalize()}\n"
        lines = [
            (*_length(*kind), str(cells), str(own["seed"].nunique()), *(_spread(own, name) for name in sets))
            for (*kind, cells), own in part.groupby([*_KIND, "cells"], sort=True)
        ]
        yield from markdown((*_HEAD, "cell data", "seeds", *sets), lines)
        compared = [
            (*_length(*kind), *(added(own[own["set"] == name]) for name in sets))
            for kind, own in part.groupby(list(_KIND))
            if own["cells"].nunique() == 2
        ]
        yield "With less without cell data:\n"
        yield from markdown((*_HEAD, *sets), compared)


def _length(method: str, batch: int, planned: int, epochs: int) -> tuple[str, ...]:
    """Say what was pretrained, and how far of how long.

    Examples
    --------
    >>> _length("chmr", 1024, 300, 25)
    ('CHMR', '1,024', '25 of 300')
    """
    names = {"infoalign": "InfoAlign", "chmr": "CHMR"}
    return names[method], f"{batch:,}", f"{epochs}" if epochs == planned else f"{epochs} of {planned}"


def _spread(table: pd.DataFrame, name: str) -> str:
    values = table.loc[table["set"] == name, "signed" if name == _MEAN else "value"]
    return f"{values.mean():.1f}" + (f" ± {values.std():.1f}" if len(values) > 1 else "")


def added(table: pd.DataFrame) -> str:
    """Return how much higher ``signed`` is with cell data, with Welch's 95% interval over seeds.

    Examples
    --------
    >>> rows = pd.DataFrame({"cells": ["with", "without"], "signed": [80.5, 80.0]})
    >>> added(rows)
    '+0.5'
    """
    first, second = (
        table.loc[table["cells"] == kind, "signed"].to_numpy(dtype=np.float64) for kind in (WITH, WITHOUT)
    )
    if not len(first) or not len(second):
        return "–"
    difference = first.mean() - second.mean()
    if min(len(first), len(second)) < 2:
        return f"{difference:+.1f}"
    low, high = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    return f"{difference:+.1f} ({low:+.1f} to {high:+.1f})"
