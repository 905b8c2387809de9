"""Pairs of models that differ in the cell data alone, compared over tasks and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.metrics import metrics
from cytomol.evaluate.significance import compare

__all__ = ["CONTRASTS", "GROUPED", "Contrast", "compared", "grid"]


class Contrast(NamedTuple):
    """Two models, each with its variant; a difference above 0 says that the first is better."""

    name: str
    first: tuple[str, str]
    second: tuple[str, str]


_CELL, _STRUCTURE, _LEAKY, _PLAIN = (
    ("cytomol-five", "cell"),
    ("cytomol-five", "structure"),
    ("cytomol-five", "leaky"),
    ("cytomol-five-plain", ""),
)
_CHMR, _CHMR_STRUCTURE = ("cytomol-five", "chmr"), ("cytomol-five", "chmr-structure")
_FIVE = {name: ("mlp-embedding", name) for name in ("cell", "structure", "leaky", "chmr", "chmr-structure")}
CONTRASTS = (
    Contrast("backbone with against without cell data", _CELL, _STRUCTURE),
    Contrast("backbone with cell data against no backbone", _CELL, _PLAIN),
    Contrast("backbone without cell data against no backbone", _STRUCTURE, _PLAIN),
    Contrast("evaluated molecules' cell data left in against left out", _LEAKY, _CELL),
    Contrast("with against without cell data, five perceptrons", _FIVE["cell"], _FIVE["structure"]),
    Contrast("left in against left out, five perceptrons", _FIVE["leaky"], _FIVE["cell"]),
    Contrast("with cell data against no backbone, five perceptrons", _FIVE["cell"], ("mlp", "")),
    Contrast("without cell data against no backbone, five perceptrons", _FIVE["structure"], ("mlp", "")),
    Contrast(
        "with against without cell data, one perceptron",
        ("mlp-embedding-one", "cell"),
        ("mlp-embedding-one", "structure"),
    ),
    Contrast("CHMR: with against without cell data", _CHMR, _CHMR_STRUCTURE),
    Contrast(
        "CHMR: with against without cell data, five perceptrons", _FIVE["chmr"], _FIVE["chmr-structure"]
    ),
    Contrast("CHMR with cell data against no backbone", _CHMR, _PLAIN),
    Contrast("CHMR with cell data against no backbone, five perceptrons", _FIVE["chmr"], ("mlp", "")),
    Contrast("CHMR against InfoAlign, with cell data", _CHMR, _CELL),
    Contrast("CHMR against InfoAlign, with cell data, five perceptrons", _FIVE["chmr"], _FIVE["cell"]),
)

GROUPED = CONTRASTS[:5]
"""Those that the page shows by groups of molecules and tasks too."""


def grid(
    scores: pd.DataFrame, model: tuple[str, str], tasks: Sequence[str], seeds: Sequence[int]
) -> NDArray[np.float64]:
    """Return the scores of a model with a variant, NaN where there is none, shape (tasks, seeds)."""
    own = scores[(scores["model"] == model[0]) & (scores["variant"] == model[1])]
    table = own.pivot_table(index="task", columns="seed", values="score")
    return np.asarray(table.reindex(index=tasks, columns=seeds), dtype=np.float64)


def compared(first: NDArray[np.float64], second: NDArray[np.float64], metric: str) -> dict[str, Any] | None:
    """Compare scores of two models, shape (tasks, seeds) each; None where they share no cell."""
    sign = 1.0 if metrics[metric].higher_is_better else -1.0
    differences = sign * (first - second)
    shared = ~np.isnan(differences)
    if not shared.any():
        return None
    result = vars(compare(differences))
    means = {
        name: float(np.nanmean(np.where(shared, part, np.nan)))
        for name, part in (("first", first), ("second", second))
    }
    return {**means, **result}
