"""Steps that draw molecules: walks, graphs, batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # the parent process stays light
    from benchmarks.growth.material import Material

    from cytomol.context import ContextGraph
    from cytomol.training.dataset.data import PretrainData

__all__ = ["batches", "batches_on_links", "collate", "walks", "walks_on_links"]

_WALK_LENGTH = 4
_BATCH = 512
_DRAWN = 10_000  # molecules that are drawn in batches


def walks(material: Material) -> Callable[[], Any]:
    """Take a walk from every molecule."""
    return _walks(material, material.graph)


def walks_on_links(material: Material) -> Callable[[], Any]:
    """Take a walk from every molecule, along what was measured or is known."""
    return _walks(material, material.links)


def _walks(material: Material, graph: ContextGraph) -> Callable[[], Any]:
    from cytomol.context import sample_walks

    point = material.point
    length = point.value if point.axis == "walk_length" else _WALK_LENGTH
    starts = graph.offsets["molecule"] + np.arange(point.molecules)

    def run() -> None:
        rng = np.random.default_rng(0)
        for first in range(0, len(starts), _BATCH):
            sample_walks(graph, starts[first : first + _BATCH], length, rng)

    return run


def collate(material: Material) -> Callable[[], Any]:
    """Gather the graphs of molecules."""
    from cytomol.artifact.batches import BatchBuilder

    store, builder = material.store, BatchBuilder(("2d",))
    drawn = _draw(material.point.molecules)
    return lambda: [builder.build(store, rows).size for rows in drawn]


def batches(material: Material) -> Callable[[], Any]:
    """Draw batches."""
    return _batches(material, material.graph)


def batches_on_links(material: Material) -> Callable[[], Any]:
    """Draw batches whose walks go along what was measured or is known."""
    return _batches(material, material.links)


def _batches(material: Material, graph: ContextGraph) -> Callable[[], Any]:
    from benchmarks.growth.pretraining import pretrain_data

    point = material.point
    length = point.value if point.axis == "walk_length" else _WALK_LENGTH
    data: PretrainData = pretrain_data(material, graph, length, profiles=point.axis != "molecules")
    drawn = _draw(point.molecules)

    def run() -> None:
        rng = np.random.default_rng(0)
        for rows in drawn:
            data.batch(rows, rng)

    return run


def _draw(molecules: int) -> list[Any]:
    """Return the same number of molecules in batches from any corpus, with repeats if it is small."""
    rng = np.random.default_rng(0)
    rows = rng.choice(molecules, _DRAWN, replace=molecules < _DRAWN)
    return np.array_split(rows, -(-_DRAWN // _BATCH))
