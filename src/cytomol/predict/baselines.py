"""What costs nothing: the predictions that a model has to beat before anybody should use it.

The constant is made here. The nearest neighbour and the forest are learners like any other
(:mod:`cytomol.learners.neighbours`, :mod:`cytomol.learners.forest`): fit each on the rows that the model was
fitted on, predict the rows that the model is scored on, and hand all of them to
:func:`cytomol.predict.verdict.judge.judge` under "constant", "neighbours" and "forest".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.labels import Task

__all__ = ["constant_prediction"]


def constant_prediction(task: Task, labels: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Predict the same for n molecules: the median of the training labels, or the shares of their classes.

    The median is the constant of the least mean absolute error; the mean would be an easier one to beat.

    Parameters
    ----------
    task
        What was measured.
    labels
        Training labels, NaN where not measured, shape (rows,); a bound ("<0.5") counts as what it states.
    n
        Number of molecules to predict.

    Returns
    -------
    ndarray
        Float64, shape (n,), or (n, classes) for a multi-class task; NaN without any training label.
    """
    known = labels[~np.isnan(labels)]
    width = len(task.classes)
    if task.kind == "multiclass":
        shares = np.bincount(known.astype(np.int64), minlength=width) / max(len(known), 1)
        return np.tile(shares if len(known) else np.full(width, np.nan), (n, 1))
    if not len(known):
        return np.full(n, np.nan)
    return np.full(n, np.median(known) if task.kind == "regression" else known.mean())
