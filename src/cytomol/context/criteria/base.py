"""What an edge criterion is, and what it reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity import SimilaritySearch
from cytomol.context.cosine import cluster_profiles, comparable_values
from cytomol.context.edges import Edges
from cytomol.context.similar import Comparable, Profiles, SimilarPairs, similar_pairs
from cytomol.context.threshold import similarity_grid
from cytomol.corpus.schema import Corpus, Entity, Modality
from cytomol.errors import InputError
from cytomol.options.context import ContextOptions
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
    fingerprints
        Packed fingerprints by which molecules are compared; None for those of the store.
    """

    corpus: Corpus
    store: MoleculeStore
    options: ContextOptions
    offsets: dict[str, int]
    fingerprints: NDArray[np.uint8] | None = None
    _similar: dict[str, dict[str, SimilarPairs]] = field(default_factory=dict)

    def grid(self) -> NDArray[np.float32]:
        """Return the similarities at which the threshold may lie."""
        return similarity_grid(self.options.minimum_similarity, self.options.maximum_similarity)

    def has_nodes(self, modality: Modality) -> bool:
        """Return whether the profiles are nodes of their own, not part of their genes' nodes."""
        return modality.name in self.offsets

    def profile_nodes(self, modality: Modality) -> NDArray[np.int64]:
        """Return the node of each profile."""
        return self.offsets[modality.name] + np.arange(len(modality))

    def entity_nodes(self, modality: Modality) -> NDArray[np.int64]:
        """Return the node of the molecule or gene that each profile belongs to."""
        return self.offsets[modality.entity] + modality.rows

    def similar_pairs(self, table: Comparable, groups: NDArray[np.int64] | None) -> SimilarPairs:
        """Return the pairs of a table above its own threshold, searched for as the options say."""
        options = self.options
        search = SimilaritySearch(options.similarity_search, options.exact_up_to)
        found = similar_pairs(table, self.grid(), options.drop_fraction, search, groups=groups)
        if options.similarity_digits is None:
            return found
        return replace(found, similarity=found.similarity.round(options.similarity_digits))

    def similar_profiles(self, modality: Modality) -> dict[str, SimilarPairs]:
        """Return the similar profiles of a modality by its parts, found once and shared between criteria.

        A modality that was not pooled is its only part; profiles of a pooled one are compared part by part,
        where both were measured.
        """
        if modality.name in self._similar:
            return self._similar[modality.name]
        found = {
            name: self._similar_rows(rows, values, modality)
            for name, rows, values in self._compared(modality)
        }
        if modality.entity == "gene":  # of molecules' profiles one criterion asks, and they may be millions
            self._similar[modality.name] = found
        return found

    def _compared(self, modality: Modality) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.float32]]]:
        """Yield name, profiles and features of each part of a modality that is compared at all."""
        first = 0
        for name, width in modality.parts or ((modality.name, modality.width),):
            values = modality.values[:, first : first + width]
            first += width
            chosen = self.options.compared_modalities
            if chosen is not None and name not in chosen:
                continue
            if modality.parts:
                rows = np.flatnonzero(np.isfinite(values).any(axis=1))
                yield name, rows, values[rows]
            else:
                yield name, np.arange(len(values)), values

    def _similar_rows(
        self, rows: NDArray[np.int64], values: NDArray[np.float32], modality: Modality
    ) -> SimilarPairs:
        # The authors cluster morphology and genes; molecules' expression they compare in full.
        clustered = self.options.candidates == "shortcut" and not (
            modality.kind == "expression" and modality.entity == "molecule"
        )
        values = comparable_values(values, self.options.compared_values)
        found = self.similar_pairs(Profiles.of(values), cluster_profiles(values) if clustered else None)
        number = rows.astype(np.int32)
        return replace(found, i=number[found.i], j=number[found.j])


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
