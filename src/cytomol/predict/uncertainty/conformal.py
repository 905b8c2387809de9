"""Conformal answers: what intervals and sets that hold a value with a stated coverage have in common.

Split conformal prediction (Papadopoulos et al., ECML 2002, 345; Vovk et al., Algorithmic Learning in a
Random World, 2005): the score of a new molecule is compared with the scores of n held-out molecules. If it
is exchangeable with them, the answer holds its value with a probability of at least the coverage, whatever
the model. Quantiles and p-values are, to the bit, those
of the library crepes (Boström, PMLR 230, 2024), which tests compare them with.

What it does not promise: coverage for one molecule or one chemical series (it is an average over
molecules), nor for molecules unlike the held-out ones; nor exactly where the held-out rows also chose the
model. Held-out rows whose scaffolds the model did not see (cross-fitting by scaffold) are as unlike the
training molecules as new series are; docs/uncertainty.md has what that is worth. Scores of other tasks are
never borrowed: tasks are not exchangeable, so a task with too few rows gets the whole line or both classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import ConfigError

__all__ = ["ROUNDING", "Matrix", "Vector", "check_coverage", "rows_needed"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

ROUNDING = 1e-9
"""1 - 0.9 is a little less than a tenth in binary, which would cost a whole rank at n = 9, 19, ..."""


def check_coverage(coverage: float) -> float:
    """Return a coverage between 0 and 1.

    Raises
    ------
    ConfigError
        If it is not.
    """
    if not 0 < coverage < 1:
        raise ConfigError(f"coverage {coverage:g} is not between 0 and 1", hint="0.9 is usual")
    return coverage


def rows_needed(coverage: float) -> int:
    """Return how many held-out rows a finite interval, or a set of one class, takes: n >= c / (1 - c)."""
    return int(np.ceil(coverage / (1 - coverage) - ROUNDING))
