"""What an edge criterion is, and what it reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity import SimilaritySearch
from cytomol.context.edges import Edges
from cytomol.context.options import ContextOptions
from cytomol.context.profiles import cluster_profiles
from cytomol.context.similar import Comparable, Profiles, SimilarPairs, similar_pairs
from cytomol.context.threshold import similarity_grid
from cytomol.corpus.schema import Corpus, Entity, Modality
from cytomol.errors import InputError
from cytomol.registry import Registry

if TYPE_CHECKING:
    from cytomol.chem.store import MoleculeStore

__all__ = ["Criterion", "Inputs", "criteria", "relation_edges"]


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
    _similar: dict[str, SimilarPairs] = field(default_factory=dict)

    def grid(self) -> NDArray[np.float32]:
        """Return the similarities at which the threshold may lie."""
        return similarity_grid(self.options.minimum_similarity, self.options.maximum_similarity)

    def profile_nodes(self, modality: Modality) -> NDArray[np.int64]:
        """Return the node of each profile."""
        return self.offsets[modality.name] + np.arange(len(modality))

    def entity_nodes(self, modality: Modality) -> NDArray[np.int64]:
        """Return the node of the molecule or gene that each profile belongs to."""
        return self.offsets[modality.entity] + modality.rows

    def similar_pairs(self, table: Comparable, groups: NDArray[np.int64] | None) -> SimilarPairs:
        """Return the pairs of a table above its own threshold, searched for as the options say."""
        search = SimilaritySearch(self.options.similarity_search, self.options.exact_up_to)
        return similar_pairs(table, self.grid(), self.options.drop_fraction, search, groups=groups)

    def similar_profiles(self, modality: Modality) -> SimilarPairs:
        """Return the similar profiles of a modality, found once and shared between criteria."""
        if modality.name not in self._similar:
            shortcut = self.options.candidates == "shortcut"
            groups = cluster_profiles(modality.values) if shortcut else None
            self._similar[modality.name] = self.similar_pairs(Profiles.of(modality.values), groups)
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
