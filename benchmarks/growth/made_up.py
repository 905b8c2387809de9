"""Propagation among made-up neighbours: what the places of neighbours in memory cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from benchmarks.growth.material import Material

__all__ = ["propagation_among"]


def propagation_among(*, far: bool) -> Callable[[Material], Callable[[], Any]]:
    """As many edges and profiles as a propagation has, to neighbours anywhere, or beside each other."""

    def prepare(material: Material) -> Callable[[], Any]:
        from cytomol.context import neighbour_matrix, propagate

        molecules, rng = material.point.molecules, np.random.default_rng(0)
        beside = (np.arange(molecules)[:, None] + np.arange(1, 11)) % molecules
        found = rng.integers(0, molecules, beside.shape) if far else beside
        W = neighbour_matrix(found.astype(np.int32), np.full(found.shape, 0.5, np.float32))
        rows = np.flatnonzero(rng.random(molecules) < 0.5)
        values = rng.random((len(rows), 60), np.float32)
        return lambda: [(propagate(W, values, rows), W.nnz / molecules)]

    return prepare
