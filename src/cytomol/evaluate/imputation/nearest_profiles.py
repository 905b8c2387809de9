"""Profiles of the nearest molecules: what a model of cells has to be better than."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["nearest_profiles"]

_BLOCK = 1024


def nearest_profiles(
    known: NDArray[np.float32],
    profiles: NDArray[np.float64],
    asked: NDArray[np.float32],
    neighbours: Sequence[int],
) -> list[NDArray[np.float64]]:
    """Return the mean profile of the nearest molecules by Tanimoto similarity, for each number of them.

    Parameters
    ----------
    known
        Fingerprints of the molecules with profiles, shape (n, bits).
    profiles
        Their standardised profiles, shape (n, width); NaN counts as the mean, 0.
    asked
        Fingerprints of the molecules that are asked for, shape (m, bits).
    neighbours
        How many nearest molecules count, for each answer.

    Examples
    --------
    >>> bits = np.eye(3, dtype=np.float32)
    >>> nearest_profiles(bits, np.array([[1.0], [2.0], [3.0]]), bits[1:], [1])[0].tolist()
    [[2.0], [3.0]]
    """
    target, answers = np.nan_to_num(profiles), [np.zeros((len(asked), profiles.shape[1])) for _ in neighbours]
    sizes = known.sum(axis=1)
    for start in range(0, len(asked), _BLOCK):
        part = asked[start : start + _BLOCK]
        shared = part @ known.T
        alike = shared / np.maximum(part.sum(axis=1)[:, None] + sizes - shared, 1)
        order = np.argsort(-alike, axis=1, kind="stable")[:, : max(neighbours)]
        for answer, count in zip(answers, neighbours, strict=True):
            answer[start : start + len(part)] = target[order[:, :count]].mean(axis=1)
    return answers
