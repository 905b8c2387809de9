"""What the steps start from: made once for each size, kept in a folder, loaded before the clock starts."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmarks.growth.points import Point
from numpy.typing import NDArray

from cytomol.chem.store import MoleculeStore
from cytomol.context import ContextGraph
from cytomol.corpus.lift import molecule_profiles
from cytomol.corpus.scaling import FeatureScaler
from cytomol.corpus.schema import Corpus, Modality

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["PRODUCERS", "Material", "place", "widened"]

PRODUCERS = {
    "corpus": "planted",
    "store": "features",
    "neighbours": "neighbours",
    "graph": "context",
    "links": "context_links",
}
"""Which step makes which input of the others."""

_VARIED = "morphology"  # the modality that is copied and widened


def place(work: Path, product: str, point: Point) -> tuple[Path, Point]:
    """Return where an input of ``point`` is kept, and the point that makes it."""
    axis, value = "molecules", point.molecules
    if product == "graph" and point.axis in {"modalities", "width"}:
        axis, value = point.axis, point.value
    made_by = Point(PRODUCERS[product], axis, value, point.base)
    return work / f"{point.molecules}-molecules" / f"{axis}-{value}-{product}", made_by


@dataclass(frozen=True)
class Material:
    """Inputs of one point.

    Attributes
    ----------
    work
        Folder of the inputs.
    point
        The point.
    """

    work: Path
    point: Point

    def path(self, product: str) -> Path:
        """Return where a product is kept."""
        return place(self.work, product, self.point)[0]

    @cached_property
    def corpus(self) -> Corpus:
        """The planted corpus, with its modalities copied or widened where the axis says so."""
        corpus: Corpus = self._load("corpus")
        modality = corpus.modalities[_VARIED]
        if self.point.axis == "modalities":
            copies = [replace(modality, name=f"{_VARIED}_{k}") for k in range(1, self.point.value + 1)]
            return replace(corpus, modalities={copy.name: copy for copy in copies})
        if self.point.axis == "width":
            return replace(corpus, modalities={_VARIED: widened(modality, self.point.value)})
        return corpus

    @cached_property
    def store(self) -> MoleculeStore:
        """Graphs and Morgan fingerprints, mapped from files."""
        return MoleculeStore.open(self.path("store"))

    @cached_property
    def graph(self) -> ContextGraph:
        """The context graph."""
        graph: ContextGraph = self._load("graph")
        return graph

    @cached_property
    def links(self) -> ContextGraph:
        """The context graph of measurements and relations alone."""
        graph: ContextGraph = self._load("links")
        return graph

    @cached_property
    def neighbours(self) -> csr_matrix:
        """The neighbour matrix of the propagation."""
        return self._load("neighbours")

    def profiles(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return molecules with a profile of a modality, and the profiles scaled to [0, 1]."""
        rows, values = molecule_profiles(self.corpus, name)
        scaled = FeatureScaler.fit(self.corpus.modalities[name].values, "robust").transform(values)
        return rows, np.clip(scaled, 0, 1)

    def keep(self, product: str, value: Any) -> None:
        """Keep what a step made; a half-written file is never taken for a whole one."""
        path = self.path(product)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, MoleculeStore):
            value.save(path, force=True)
            return
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            pickle.dump(value, file, protocol=5)
        partial.replace(path)

    def _load(self, product: str) -> Any:
        with self.path(product).open("rb") as file:
            return pickle.load(file)


def widened(modality: Modality, width: int) -> Modality:
    """Repeat the columns up to a width, each with a little noise of its own: what was alike stays alike."""
    rng = np.random.default_rng(0)
    column = np.arange(width) % modality.width
    values = modality.values[:, column]
    values += 0.1 * np.nanstd(values, axis=0) * rng.standard_normal(values.shape, np.float32)
    return replace(modality, values=values, columns=tuple(f"feature_{k}" for k in range(width)))
