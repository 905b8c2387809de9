"""How well a molecule finds its own profile among candidates, and the profile its molecule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DIRECTIONS",
    "SHARES",
    "correlations",
    "cosines",
    "held_out_folds",
    "hits",
    "places",
    "places_by_group",
    "taken",
]

SHARES = (0.01, 0.05)
"""Shares of the candidates that a recall looks at."""

DIRECTIONS = ("molecule to profile", "profile to molecule")

Places = dict[str, dict[str, dict[str, list[float]]]]


def cosines(left: NDArray[np.floating], right: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the cosine of every pair of rows, shape (len(left), len(right))."""
    return _unit(left.astype(np.float64)) @ _unit(right.astype(np.float64)).T


def correlations(
    left: NDArray[np.floating], right: NDArray[np.floating], typical: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the correlation over features of every pair of rows, as they deviate from a typical profile.

    What all profiles have in common would otherwise be most of every correlation.

    Parameters
    ----------
    left, right
        Shapes (n, features) and (m, features).
    typical
        Mean profile, shape (features,).
    """
    sides = [side.astype(np.float64) - typical for side in (left, right)]
    return cosines(*(side - side.mean(axis=1, keepdims=True) for side in sides))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def places(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many candidates come before the right one, ties as half, shape (n,).

    Row i of ``similarity``, shape (n, n), holds the candidates of query i; candidate i is the right one.
    """
    own = np.diagonal(similarity)[:, None]
    before = (similarity > own).sum(axis=1)
    tied = (similarity == own).sum(axis=1) - 1
    return before + tied / 2


def taken(share: float, candidates: int) -> int:
    """Return how many candidates a share is, at least one."""
    return max(1, round(share * candidates))


def hits(place: Sequence[float] | NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return 1 for each query whose right candidate is among the first ``share`` of them, else 0."""
    return (np.asarray(place) < taken(share, len(place))).astype(np.float64)


def places_by_group(
    similarity: NDArray[np.float64], folds: NDArray[np.str_], groups: Mapping[str, NDArray[np.bool_]]
) -> Places:
    """Return the places of each direction, group and fold, candidates being those of group and fold alone.

    Parameters
    ----------
    similarity
        Molecules in rows, profiles in columns, shape (n, n).
    folds
        "valid" or "test", shape (n,).
    groups
        Members of each group, shape (n,).
    """
    found: Places = {direction: {} for direction in DIRECTIONS}
    for group, members in groups.items():
        for fold in ("valid", "test"):
            rows = np.flatnonzero(members & (folds == fold))
            if len(rows) < 2:
                continue
            part = similarity[np.ix_(rows, rows)]
            for direction, table in zip(DIRECTIONS, (part, part.T), strict=True):
                found[direction].setdefault(group, {})[fold] = places(table).tolist()
    return found


def held_out_folds(scaffolds: Sequence[str], share: float, seed: int) -> NDArray[np.str_]:
    """Draw whole scaffolds until ``share`` of the molecules is held out, half of them valid, half test.

    Parameters
    ----------
    scaffolds
        Scaffold of each molecule; one without rings ("") is a scaffold of its own.
    share
        Share to hold out; a scaffold that would go beyond it is passed over.
    seed
        Seed of the order of the scaffolds.

    Returns
    -------
    ndarray
        "valid", "test" or "" (not held out), shape (molecules,).
    """
    members: dict[str, list[int]] = {}
    for row, scaffold in enumerate(scaffolds):
        members.setdefault(scaffold or f"acyclic {row}", []).append(row)
    groups = list(members.values())
    folds = np.full(len(scaffolds), "", dtype="<U5")
    wanted, size = share * len(scaffolds), {"valid": 0, "test": 0}
    for number in np.random.default_rng(seed).permutation(len(groups)):
        group = groups[number]
        if sum(size.values()) + len(group) > wanted:
            continue
        fold = min(size, key=lambda name: size[name])
        folds[group] = fold
        size[fold] += len(group)
    return folds
