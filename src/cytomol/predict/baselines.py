"""What costs nothing: the predictions that a model has to beat before anybody should use it.

The constant is made here. The nearest neighbour and the forest are learners like any other
(:mod:`cytomol.learners.neighbours`, :mod:`cytomol.learners.forest`): fit each on the rows that the model was
fitted on, predict the rows that the model is scored on, and hand all of them to
:func:`cytomol.predict.verdict.judge.judge` under "constant", "neighbours" and "forest".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.encoding import Encoding
from cytomol.assays.labels import Labels, Task
from cytomol.learners import Learning
from cytomol.learners.forest import Forest
from cytomol.learners.mixed import ByKind
from cytomol.learners.neighbours import Neighbours
from cytomol.predict.molecule_features import MoleculeFeatures

__all__ = ["baseline_predictions", "constant_prediction", "of_tasks"]

Columns = NDArray[np.float64]

_TREES = 200  # enough that another seed gives the same score to two digits


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


def baseline_predictions(
    smiles: Sequence[str],
    labels: Labels,
    encoding: Encoding,
    learning: Learning,
    rows: NDArray[np.int64],
    *,
    reading: Mapping[str, Any] | None = None,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = None,
) -> dict[str, list[Columns]]:
    """Predict rows by what costs nothing, fitted to the same training rows as the model.

    Parameters
    ----------
    smiles, labels
        Valid molecules and their labels.
    encoding, learning
        Columns of the tasks, and which rows may be learnt from.
    rows
        Rows to predict.
    reading, workers, cache
        See :class:`~cytomol.predict.molecule_features.MoleculeFeatures`.

    Returns
    -------
    dict
        Under "constant", "neighbours" and "forest" one array a task, shape (rows,), or (rows, classes) for
        three classes and more.
    """
    features = MoleculeFeatures.build(("counts", "maccs", "descriptors"), None, reading=reading)
    store = features.store(smiles, workers=workers, cache=cache)
    blocks = features.raw(store)
    asked = {name: block[rows] for name, block in blocks.items()}
    train = labels.matrix[learning.train]
    found = {
        "constant": [
            constant_prediction(task, train[:, place], len(rows)) for place, task in enumerate(labels.tasks)
        ]
    }
    for name, make in (("neighbours", Neighbours), ("forest", partial(Forest, trees=_TREES))):
        learner = ByKind(make, encoding.kinds)
        learner.fit(blocks, learning)
        found[name] = of_tasks(encoding.decode(learner.predict(asked)), encoding)
    return found


def of_tasks(columns: Columns, encoding: Encoding) -> list[Columns]:
    """Return one array a task, shape (n,), or (n, classes) for three classes and more."""
    return [
        columns[:, place] if task.kind == "multiclass" else columns[:, place.start]
        for task, place in zip(encoding.tasks, encoding.places(), strict=True)
    ]
