"""A random forest beside a head: gamma x (the head's logit) + (the forest's probability).

CHMR calls it a structure-aware ensemble (Li et al., AAAI 2026). The forest reads the head's own 1D block,
Morgan bits and MACCS keys; the authors' forest reads a further fingerprint beside them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.learners.base import Learning, Matrix
from cytomol.learners.forest import Forest
from cytomol.learners.head.options import HeadOptions

__all__ = ["forest_probability", "grow_forest"]


def grow_forest(
    bits: Matrix,
    labels: NDArray[np.float64],
    train: NDArray[np.bool_],
    config: HeadOptions,
    *,
    threads: int = 0,
) -> Forest:
    """Grow a forest for each task.

    Parameters
    ----------
    bits
        The 1D block, float32, shape (n, width).
    labels
        0, 1, or NaN where not measured, shape (n, tasks).
    train
        Rows to learn from, bool, shape (n,).
    config
        Gives the trees, their seed and the weight of class 1.
    threads
        Threads to use; 0 leaves the choice to the library.
    """
    options = {
        "criterion": "entropy",
        "min_samples_leaf": 2,
        "class_weight": {0: 1.0, 1: config.forest_class_weight},
    }
    forest = Forest(("1d",), trees=config.forest_trees, options=options)
    learning = Learning(labels, train, ~train, "classification", "roc_auc", config.forest_seed, threads)
    forest.fit({"1d": bits}, learning)
    return forest


def forest_probability(forest: Forest, bits: Matrix) -> NDArray[np.float64]:
    """Return the probability of class 1, shape (n, tasks); 0 for a task of which training saw one class."""
    return np.nan_to_num(forest.predict({"1d": bits}), nan=0.0)
