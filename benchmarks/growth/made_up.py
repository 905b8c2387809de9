"""Edges and neighbours that are made up: what merging and the places of neighbours in memory cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmarks.growth.memory import processor_seconds

if TYPE_CHECKING:
    from benchmarks.growth.material import Material

__all__ = ["among_note", "merging", "propagation_among"]

_EDGES = 32  # of a molecule: those that an index finds are at most 64, from either end
_NEIGHBOURS, _WIDTH, _STEPS = 10, 60, 5


def propagation_among(*, far: bool) -> Callable[[Material], Callable[[], Any]]:
    """Have as many edges and profiles as a propagation has, to neighbours anywhere, or beside each other.

    What is timed returns the nanoseconds of an edge in a step: of the program, and of the system for it
    (which hands out memory). Unlike seconds by the clock they do not count the work of others.
    """

    def prepare(material: Material) -> Callable[[], Any]:
        from cytomol.context import neighbour_matrix, propagate

        molecules, rng = material.point.molecules, np.random.default_rng(0)
        beside = (np.arange(molecules)[:, None] + np.arange(1, _NEIGHBOURS + 1)) % molecules
        found = rng.integers(0, molecules, beside.shape) if far else beside
        W = neighbour_matrix(found.astype(np.int32), np.full(found.shape, 0.5, np.float32))
        rows = np.flatnonzero(rng.random(molecules) < 0.5)
        values = rng.random((len(rows), _WIDTH), np.float32)

        def run() -> tuple[float, float]:
            began = processor_seconds()
            propagate(W, values, rows, steps=_STEPS)
            took = (after - before for before, after in zip(began, processor_seconds(), strict=True))
            program, system = (1e9 * seconds / (W.nnz * _STEPS) for seconds in took)
            return program, system

        return run

    return prepare


def among_note(found: tuple[float, float]) -> str:
    """Say what an edge took in a step."""
    return "an edge and step: {:.1f} ns in the program, {:.1f} ns in the system".format(*found)


def merging(material: Material) -> Callable[[], Any]:
    """Merge random edges, of two criteria, into a graph; return how many there are."""
    from cytomol.context.edges import Edges, merge_edges, symmetric_csr

    molecules, rng = material.point.molecules, np.random.default_rng(0)
    parts = []
    for _ in range(2):
        source = np.repeat(np.arange(molecules, dtype=np.int32), _EDGES // 2)
        target = rng.integers(0, molecules, len(source), np.int32)
        parts.append(Edges(source, target, 1 - rng.random(len(source), np.float32)))
    return lambda: len(symmetric_csr(merge_edges(parts, molecules), molecules)[1]) // 2
