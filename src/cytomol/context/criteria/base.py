"""What an edge criterion is, and what it reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cytomol.context.edges import Edges
from cytomol.context.options import ContextOptions
from cytomol.context.profiles import cluster_profiles, cosine_histogram, cosine_pairs, standardise_rows
from cytomol.context.threshold import Threshold, bisect_threshold, similarity_grid
from cytomol.corpus.schema import Corpus, Entity, Modality
from cytomol.errors import InputError
from cytomol.registry import Registry

if TYPE_CHECKING:
    from cytomol.chem.store import MoleculeStore

__all__ = ["Criterion", "Inputs", "SimilarProfiles", "criteria", "relation_edges"]


@dataclass(frozen=True)
class SimilarProfiles:
    """Pairs of profiles of one modality above the threshold.

    Attributes
    ----------
    i, j
        Rows of the modality's table, i < j.
    similarity
        Cosine of the row-standardised profiles.
    threshold
        What bisection found.
    """

    i: NDArray[np.int32]
    j: NDArray[np.int32]
    similarity: NDArray[np.float32]
    threshold: Threshold


@dataclass(frozen=True)
class Inputs:
    """What every criterion may read.

    Attributes
    ----------
    corpus
        Molecules, genes, profiles, relations.
    store
        The molecules' fingerprints, row-aligned with the corpus.
    options
        Thresholds and switches.
    offsets
        First node of each space ("molecule", "gene", the modalities).
    """

    corpus: Corpus
    store: MoleculeStore
    options: ContextOptions
    offsets: dict[str, int]
    _similar: dict[str, SimilarProfiles] = field(default_factory=dict)

    def grid(self) -> NDArray[np.float32]:
        """Return the similarities at which the threshold may lie."""
        return similarity_grid(self.options.minimum_similarity, self.options.maximum_similarity)

    def profile_nodes(self, modality: Modality) -> NDArray[np.int64]:
        """Return the node of each profile."""
        return self.offsets[modality.name] + np.arange(len(modality))

    def entity_nodes(self, modality: Modality) -> NDArray[np.int64]:
        """Return the node of the molecule or gene that each profile belongs to."""
        return self.offsets[modality.entity] + modality.rows

    def similar_profiles(self, modality: Modality) -> SimilarProfiles:
        """Return the similar profiles of a modality, found once and shared between criteria."""
        if modality.name not in self._similar:
            shortcut = self.options.candidates == "shortcut"
            groups = cluster_profiles(modality.values) if shortcut else None
            unit, grid = standardise_rows(modality.values), self.grid()
            histogram, candidates = cosine_histogram(unit, grid, groups=groups)
            threshold = bisect_threshold(grid, histogram, candidates, self.options.drop_fraction)
            pairs = cosine_pairs(unit, threshold.value, groups=groups)
            self._similar[modality.name] = SimilarProfiles(*pairs, threshold)
        return self._similar[modality.name]


class Criterion(ABC):
    """One reason for an edge."""

    @abstractmethod
    def edges(self, inputs: Inputs) -> tuple[Edges, dict[str, Any]]:
        """Return the edges and, for the report, how they came about."""


criteria: Registry[type[Criterion]] = Registry("edge criterion")


def relation_edges(inputs: Inputs, left: Entity, right: Entity) -> tuple[Edges, dict[str, Any]]:
    """Return the edges of all relations between two kinds of entity; the weight is abs(w), 0 is no edge.

    Raises
    ------
    InputError
        If a weight is not a number in [-1, 1].
    """
    parts, facts = [], {}
    for relation in inputs.corpus.relations.values():
        if {relation.source_entity, relation.target_entity} != {left, right}:
            continue
        weight = np.abs(relation.weight.astype(np.float32))
        wrong = np.flatnonzero(~(weight <= 1))
        if len(wrong):
            raise InputError(
                f"weight {relation.weight[wrong[0]]} of link {wrong[0]}",
                where=f"relation {relation.name}",
                hint="weights lie in [-1, 1]; divide by the largest",
            )
        source = inputs.offsets[relation.source_entity] + relation.source
        target = inputs.offsets[relation.target_entity] + relation.target
        parts.append(Edges(source, target, weight))
        facts[relation.name] = len(relation)
    return Edges.concatenate(parts), facts
