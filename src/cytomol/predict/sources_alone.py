"""What each source of a model with measured profiles says alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.encoding import Encoding
from cytomol.learners.base import Matrix
from cytomol.learners.mixed import ByKind
from cytomol.learners.with_profiles import ALONE, WithProfiles
from cytomol.predict.baselines import of_tasks

__all__ = ["sources_alone"]


def sources_alone(
    fitted: ByKind, blocks: Mapping[str, Matrix], rows: NDArray[np.int64], encoding: Encoding
) -> dict[str, list[NDArray[np.float64]]]:
    """Predict some rows by structure, by profiles and by their norm alone; nothing without profiles.

    Returns
    -------
    dict
        Under "structure", "profiles" and "norm" one array a task, shape (n,), or (n, classes) for three
        classes and more, in the unit of the table.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for kind, part in fitted.parts.items():
        if isinstance(part, WithProfiles):
            asked = {name: block[rows] for name, block in blocks.items()}
            for name, answers in part.alone(asked).items():
                empty = np.full((len(rows), len(fitted.kinds)), np.nan)
                found.setdefault(name, empty)[:, fitted.columns(kind)] = answers
    return {name: of_tasks(encoding.decode(found[name]), encoding) for name in ALONE if name in found}
