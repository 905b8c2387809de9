"""Small blocks of features and labels that follow from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cytomol.learners import Learning, Matrix

ROWS = 90
Making = Callable[..., tuple[dict[str, Matrix], Learning]]


@pytest.fixture
def made() -> Making:
    """Return a function that makes blocks and labels: two tasks, the second with missing labels."""

    def make(kind: str = "classification", *, rows: int = ROWS, seed: int = 0, threads: int = 1, **more: int):
        rng = np.random.default_rng(seed)
        counts = rng.poisson(0.8, (rows, 24)).astype(np.float32)
        blocks = {
            "counts": np.log1p(counts),
            "maccs": rng.integers(0, 2, (rows, 12)).astype(np.float32),
            "descriptors": rng.normal(size=(rows, 5)).astype(np.float32),
            "embedding": rng.normal(size=(rows, 6)).astype(np.float32),
        }
        value = counts[:, 0] - counts[:, 1] + blocks["descriptors"][:, 0] + blocks["maccs"][:, 0]
        labels = np.stack([value, -2 * value + 7], axis=1).astype(np.float64)
        if kind == "classification":
            labels = (labels > np.median(labels, axis=0)).astype(np.float64)
        labels[::4, 1] = np.nan
        at = np.arange(rows)
        metric = "roc_auc" if kind == "classification" else "mae"
        return blocks, Learning(labels, at % 3 != 2, at % 6 == 2, kind, metric, threads=threads, **more)

    return make
